#!/usr/bin/env bash
# One of Kafka's command line tools, by the name it is called by.
set -euo pipefail
case ${0##*/} in
    kafka-console-consumer.sh) class=org.apache.kafka.tools.consumer.ConsoleConsumer ;;
    kafka-topics.sh) class=org.apache.kafka.tools.TopicCommand ;;
    *) echo "$0 is not there" >&2 && exit 1 ;;
esac
exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -Dlog4j2.configurationFile=/etc/kafka/docker/tools-log4j2.yaml -cp '/opt/kafka/libs/*' "$class" "$@"
