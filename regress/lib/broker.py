"""A real Apache Kafka broker: one node, KRaft, from the jars that regress/tools/deps.sh has put into the
cache.

    broker = Broker()
    broker.start()
    worker.config["kafka.bootstrap.servers"] = broker.bootstrap
"""

import hashlib
import os
import shutil
import signal
import subprocess

from confluent_kafka.admin import AdminClient, NewTopic

from lib.support import CACHE, TOP, at_end, free_port, scratch, tail, undo_now, wait_for

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={dir}/logs
num.partitions=1
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=16777216
log.retention.ms=-1
log.segment.bytes=268435456
num.network.threads=2
num.io.threads=2
message.max.bytes={message_max_bytes}
replica.fetch.max.bytes={message_max_bytes}
"""

_LOG4J = """\
status=error
rootLogger.level=warn
rootLogger.appenderRef.c.ref=C
appender.c.type=Console
appender.c.name=C
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=[%d] %p %m (%c)%n
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=info
"""

_TOOL_OPTIONS = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]


def _jars():
    stamp = hashlib.sha256()
    for name in ("pom.xml", "jars.sha256"):
        stamp.update((TOP / "regress" / "kafka" / name).read_bytes())
    path = CACHE / ("kafka-%s" % stamp.hexdigest()[:12])
    if not path.exists():
        raise RuntimeError("the broker's jars are not in the cache; run make deps")
    return path


def _java():
    home = os.environ.get("JAVA_HOME")
    return "%s/bin/java" % home if home else "java"


class Broker:
    """properties override server.properties."""

    def __init__(self, heap="256m", message_max_bytes=16 * 1024 * 1024, **properties):
        self.heap = heap
        self.dir = scratch("kafka")
        self.log = self.dir / "server.log"
        self.port = None
        self.controller_port = None
        self.message_max_bytes = message_max_bytes
        self.properties = {name.replace("_", "."): value for name, value in properties.items()}
        self.process = None
        self._stop_at_end = at_end(self.kill)

    @property
    def bootstrap(self):
        return "127.0.0.1:%d" % self.port

    def _configure(self):
        text = _PROPERTIES.format(port=self.port, controller_port=self.controller_port, dir=self.dir,
                                  message_max_bytes=self.message_max_bytes)
        text += "".join("%s=%s\n" % item for item in self.properties.items())
        (self.dir / "server.properties").write_text(text)
        (self.dir / "log4j2.properties").write_text(_LOG4J)

    def _command(self, main, arguments, options):
        return [_java(), *options, "-Djava.awt.headless=true",
                "-Dlog4j2.configurationFile=%s" % (self.dir / "log4j2.properties"), "-cp", "%s/*" % _jars(),
                main, *[str(a) for a in arguments]]

    def _format(self):
        if (self.dir / "logs" / "meta.properties").exists():
            return
        done = subprocess.run(
            self._command("kafka.tools.StorageTool",
                          ["format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", self.dir / "server.properties"],
                          ["-Xmx128m"] + _TOOL_OPTIONS),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError("could not format the broker's storage:\n%s" % done.stdout)

    def start(self, timeout=90):
        """Starts and waits until it serves; data and ports are kept over stop() and kill()."""
        if self.port is None:
            self.port, self.controller_port = free_port(), free_port()
        self._configure()
        self._format()
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                self._command("kafka.Kafka", [self.dir / "server.properties"],
                              ["-Xms64m", "-Xmx" + self.heap, "-XX:+UseSerialGC"]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        wait_for(self._serves, timeout, lambda: "the broker to start:\n" + tail(self.log))
        return self

    def _serves(self):
        if self.process.poll() is not None:
            raise RuntimeError("the broker ended:\n" + tail(self.log))
        return "Kafka Server started" in self.log.read_text(encoding="utf-8", errors="replace")

    def _signal(self, number):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def stop(self, timeout=60):
        """An orderly shutdown."""
        self._signal(signal.SIGTERM)
        self.process.wait(timeout)

    def kill(self):
        if self.process:
            self._signal(signal.SIGKILL)
            self.process.wait()

    def pause(self):
        """Stops the process without ending it: a broker that does not answer."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def wipe(self):
        """Kills the broker and forgets all data; start() makes an empty one at the same address."""
        self.kill()
        shutil.rmtree(self.dir / "logs", ignore_errors=True)

    def destroy(self):
        undo_now(self._stop_at_end)
        shutil.rmtree(self.dir, ignore_errors=True)

    def admin(self):
        """A client that must be kept until its futures are done."""
        return AdminClient({"bootstrap.servers": self.bootstrap})

    def topics(self, internal=False):
        """{name: number of partitions}; the names with two underscores only if asked for."""
        found = self.admin().list_topics(timeout=20).topics
        return {name: len(topic.partitions) for name, topic in found.items()
                if internal or not name.startswith("__")}

    def create_topic(self, name, partitions=1, **config):
        topic = NewTopic(name, partitions, 1, config={k.replace("_", "."): str(v) for k, v in config.items()})
        admin = self.admin()
        for future in admin.create_topics([topic]).values():
            future.result(20)

    def delete_topic(self, name):
        admin = self.admin()
        for future in admin.delete_topics([name]).values():
            future.result(20)
        wait_for(lambda: name not in self.topics(internal=True), 20, "topic %s to be gone" % name)

    def tool(self, main, *arguments, timeout=60):
        """Runs one of Kafka's own command line tools and returns its output."""
        done = subprocess.run(self._command(main, arguments, ["-Xmx256m"] + _TOOL_OPTIONS),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise RuntimeError("%s failed:\n%s%s" % (main, done.stdout, done.stderr))
        return done.stdout

    def console_consumer(self, topic, count, timeout_ms=10000, *options):
        """The first messages of a topic as Kafka's own console consumer prints them."""
        return self.tool("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", self.bootstrap,
                         "--topic", topic, "--from-beginning", "--isolation-level", "read_committed",
                         "--max-messages", count, "--timeout-ms", timeout_ms, *options)
