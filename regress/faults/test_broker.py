"""What happens to the broker and to topics (the table of faults in README)."""

import re
import urllib.request

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from lib.consumer import read_all
from lib.pulse import Pulse
from lib.support import free_port


def lengths(pulse):
    return {key: len(history) for key, history in pulse.histories.items()}


def test_broker_paused_beyond_the_transaction_timeout(t):
    """The coordinator aborts what was open; the worker begins again where it stood."""
    pulse = Pulse(t.database())
    worker = pulse.stream(pulse.worker(t, **{"kafka.transaction.timeout.ms": 3000}))
    pulse.beat().settle(worker)
    t.broker.pause()
    try:
        pulse.beat(3)
        worker.wait_log("trying again", 60)
    finally:
        t.broker.resume()
    pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    pulse.judge(t, worker)


def test_broker_restarted_with_its_log(t):
    pulse = Pulse(t.database())
    broker = t.new_broker().start()
    worker = pulse.stream(pulse.worker(t, broker=broker))
    for end in (broker.stop, broker.kill):
        pulse.beat().settle(worker)
        end()
        pulse.beat(2)
        broker.start()
    pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    pulse.judge(t, worker, broker)


def test_data_topic_deleted_while_running(t):
    pulse = Pulse(t.database())
    worker = pulse.stream(pulse.worker(t))
    pulse.beat().settle(worker)
    prefix = worker.config["topic.prefix"]
    t.broker.delete_topic(prefix + ".public.t")
    before = lengths(pulse)
    pulse.beat()
    worker.ends(2, "deliver a record to topic \"%s.public.t\"" % prefix, "somebody deleted it", "start the worker again to create it anew")
    pulse.stream(worker)
    pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    pulse.judge_kafka(t.broker, prefix, tables=["u"])
    pulse.judge_kafka(t.broker, prefix, tables=["t"], since=before)
    worker.config["outputs"] = "bronze,silver"
    pulse.judge(t, worker)


def test_data_topic_deleted_while_stopped(t):
    pulse = Pulse(t.database())
    worker = pulse.stream(pulse.worker(t))
    pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    prefix = worker.config["topic.prefix"]
    t.broker.delete_topic(prefix + ".public.t")
    since, before = len(worker.log_text()), lengths(pulse)
    pulse.beat()
    pulse.catch_up(worker)
    assert "created topic \"%s.public.t\"" % prefix in worker.log_text()[since:]
    pulse.judge_kafka(t.broker, prefix, tables=["u"])
    pulse.judge_kafka(t.broker, prefix, tables=["t"], since=before)


def test_positions_topic_deleted(t):
    """While it runs, with Kafka alone: what was confirmed is not sent again, the rest by the slot's position."""
    pulse = Pulse(t.database())
    positions = t.prefix() + ".positions"
    worker = pulse.stream(pulse.worker(t, outputs="kafka", **{"kafka.positions.topic": positions}))
    pulse.beat().settle(worker)
    t.broker.delete_topic(positions)
    pulse.beat()
    worker.ends(2, "topic \"%s\"" % positions, "the position of every worker that shares it", "snapshot.mode=no_data")
    worker.start()
    worker.ends(2, "no output holds a position for it", "snapshot.mode=no_data")
    worker.config["snapshot.mode"] = "no_data"
    pulse.stream(worker)
    pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    pulse.judge(t, worker)


def refused_events(worker):
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % worker.config["status.port"], timeout=10) as answer:
        return int(re.search(r"^cdc_sink_kafka_refused_total\S* (\d+)$", answer.read().decode(), re.M).group(1))


def test_record_beyond_the_limit(t):
    """Refused before it is produced; left out on demand, counted; the lake has it all the same."""
    pulse = Pulse(t.database())
    worker = pulse.stream(pulse.worker(t, **{"status.port": free_port()}))
    pulse.beat().settle(worker)
    big = "insert into big select n, case when n = %d then repeat('x', 2000000) else 'small' end" \
          " from generate_series(%d, %d) as n;"
    pulse.db.psql("create table big (id int primary key, v text);" + big % (2, 1, 3))
    pulse.beat()
    worker.ends(2, "record of table \"public.big\", LSN ", "2000000 bytes in column \"v\"", "takes at most",
                "max.message.bytes of topic", "event.processing.failure.handling.mode")
    for mode in ("warn", "skip"):
        worker.config["event.processing.failure.handling.mode"] = mode
        since = len(worker.log_text())
        pulse.stream(worker)
        if mode == "skip":
            pulse.db.psql(big % (5, 4, 6))
        pulse.beat().settle(worker)
        assert refused_events(worker) == 1
        assert ("record of table \"public.big\", LSN " in worker.log_text()[since:]) == (mode == "warn")
        assert worker.stop() == 0, worker.log_tail()
    topic = worker.config["topic.prefix"] + ".public.big"
    assert [record.json_key["id"] for record in read_all(t.broker, topic)] == [1, 3, 4, 6]
    assert t.lake(worker).compare(pulse.db, "public.big") == []
    pulse.judge(t, worker)


def set_topic(broker, name, **config):
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[
        ConfigEntry(key.replace("_", "."), str(value), incremental_operation=AlterConfigOpType.SET)
        for key, value in config.items()])
    admin = broker.admin()
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(20)


def test_topic_limit_lowered_while_running(t):
    pulse = Pulse(t.database())
    worker = pulse.stream(pulse.worker(t))
    pulse.beat().settle(worker)
    topic = worker.config["topic.prefix"] + ".public.t"
    set_topic(t.broker, topic, max_message_bytes=2000)
    pulse.beat(3)
    worker.ends(2, topic, "max.message.bytes")
    set_topic(t.broker, topic, max_message_bytes=2000000)
    pulse.stream(worker)
    pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    pulse.judge(t, worker)


test_record_beyond_the_limit.quick = True
