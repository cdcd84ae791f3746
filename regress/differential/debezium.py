"""Debezium itself: the connector in a JVM that serves many runs (Oracle.java).

    debezium = Debezium()
    debezium.start(database, settings, directory / "debezium")
    ...
    debezium.stop()
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess

from lib.support import CACHE, at_end, scratch, tail

HERE = pathlib.Path(__file__).resolve().parent
SLOT = "debezium"
PUBLICATION = "debezium"

_OPTIONS = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]

_SETTINGS = {
    "name": "oracle",
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "plugin.name": "pgoutput",
    "slot.name": SLOT,
    "publication.name": PUBLICATION,
    "publication.autocreate.mode": "disabled",
    "poll.interval.ms": "5",
    "offset.storage": "org.apache.kafka.connect.storage.MemoryOffsetBackingStore",
    "offset.flush.interval.ms": "1000",
}


def _jars():
    stamp = hashlib.sha256()
    for name in ("pom.xml", "jars.sha256"):
        stamp.update((HERE / name).read_bytes())
    path = CACHE / ("debezium-%s" % stamp.hexdigest()[:12])
    if not (path / ".complete").exists():
        raise RuntimeError("Debezium's jars are not in the cache; run make check-debezium")
    return path


def _java():
    """A JDK's java: the one of JAVA_HOME, else the one beside javac."""
    home = os.environ.get("JAVA_HOME")
    if home:
        return "%s/bin/java" % home
    return str(pathlib.Path(shutil.which("javac")).resolve().parent / "java")


class DebeziumFailed(Exception):
    """The connector ended by itself; the message says why."""


class Debezium:
    """The JVM, started with the first run."""

    def __init__(self):
        self.dir = scratch("debezium")
        self.log = self.dir / "debezium.log"
        self.process = None
        self.prefix = None
        self._version = None
        at_end(self.kill)

    @property
    def prints_long_floats(self):
        """Whether the JVM is older than Java 19, which mended Float.toString."""
        if self._version is None:
            text = subprocess.run([_java(), "-version"], capture_output=True, text=True, check=True).stderr
            self._version = int(re.search(r'version "(\d+)', text).group(1))
        return self._version < 19

    def _launch(self):
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [_java(), *_OPTIONS, "-cp", "%s/*" % _jars(), str(HERE / "Oracle.java")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)

    def _ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer or answer.startswith(("failed", "unrecognized")):
            raise RuntimeError("%s: %s\n%s" % (command, answer or "the JVM ended", tail(self.log)))
        return answer.partition(" ")

    def start(self, database, settings, prefix):
        """Runs the connector until stop(); settings are its properties, those with "converter." JsonConverter's."""
        if self.process is None or self.process.poll() is not None:
            self._launch()
        properties = dict(_SETTINGS, **database.properties())
        properties.update(settings)
        path = self.dir / "debezium.properties"
        path.write_text("".join("%s=%s\n" % (name, _escape(value)) for name, value in properties.items()),
                        encoding="utf-8")
        self.prefix = prefix
        state, _, why = self._ask("start %s %s" % (path, prefix))
        if state == "ended":
            self.prefix = None
            raise DebeziumFailed(why)

    def check(self):
        """DebeziumFailed if the connector has ended by itself."""
        state, _, why = self._ask("state")
        if state == "ended":
            raise DebeziumFailed(why)

    def stop(self):
        """Ends the run; its files stay."""
        if self.prefix is not None:
            self._ask("stop")
            self.prefix = None

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def _escape(value):
    """As java.util.Properties reads it."""
    return str(value).replace("\\", "\\\\")
