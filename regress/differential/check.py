"""check.py SEED ROUNDS, or check.py SEED,SEED,... 1: Debezium itself and ours over the same changes, compared byte for byte.

First the cases of cases/, then ROUNDS workloads made by generate.py from SEED, SEED + 1, ...  For each, a
database; Debezium streams from a slot of pgoutput, ours from slots made before the first change: the plugin
(format=record, read by SQL, without and with schemas), and in every WORKER_EVERY-th round the worker into a
broker.  Topic, key, value and headers must be equal, and their order: the plugin's that of the whole, the
worker's that of each topic.  As both read the same WAL, LSNs, transaction ids and commit times are compared too.
Not compared are the time at which a record was made and the connector's run id.

Differences must match ../differential/deliberate.txt.  Debezium may stop by itself for a reason that is in
stops.txt; ours has to go on then, and is compared as far as Debezium came.  What a failed round was and what came out is kept in
build/differential/<name>/.
"""

import base64
import binascii
import collections
import difflib
import json
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import time
import traceback

import psycopg

from differential import generate
from differential.debezium import PUBLICATION, SLOT, Debezium, DebeziumFailed
from differential.deliberate import Context, Rules, column_types
from differential.messages import messages_last
from lib.broker import Broker
from lib.cluster import Cluster
from lib.consumer import read_all
from lib.support import BUILD, wait_for
from lib.worker import BINARY, Worker

HERE = pathlib.Path(__file__).resolve().parent
KEPT = BUILD / "differential"
WORKER_EVERY = 3
PLUGIN_SLOT = "ours"
BARRIER = "barrier"

MASKS = [
    (re.compile(r"\[+(?:L[\w.$]+;|[BCDFIJSZ])@[0-9a-f]+"), "[Ljava#"),
    (re.compile(r"LogicalDecodingMessageId@[0-9a-f]+"), "LogicalDecodingMessageId@#"),
    (re.compile(r'("op":"[^"]*","ts_ms":)\d+(?:,"ts_us":\d+,"ts_ns":\d+)?(?=[,}])'), r'\1"#"'),
]
SNAPSHOT_MASKS = [
    (re.compile(r'("(?:ts_ms|ts_us|ts_ns|txId|lsn)":)-?\d+'), r'\1"#"'),
    (re.compile(r'"sequence":"[^{}]*?\]"'), r'"sequence":"#"'),
]


def mask(record):
    """A record without what differs from run to run."""
    topic, key, value, headers = record
    if key is not None:
        key = MASKS[0][0].sub(MASKS[0][1], key)
    if value is not None:
        for pattern, replacement in MASKS:
            value = pattern.sub(replacement, value)
        value = messages_last(value)
        if '"op":"r"' in value:
            for pattern, replacement in SNAPSHOT_MASKS:
                value = pattern.sub(replacement, value)
    headers = [(name, "#" if name == "__debezium.context.runId" else text) for name, text in headers]
    return topic, key, value, headers


def signature(record):
    """What tells which change a record is of."""
    value = record[2]
    if value is None:
        return record[0], "tombstone", record[1]
    status = re.search(r'"status":"(BEGIN|END)","id":"(\d+)', value)
    if status:
        return record[0], status.group(1), status.group(2)
    lsn = re.search(r'"lsn":(\d+)', value)
    op = re.search(r'"op":"(.)"', value)
    return record[0], op and op.group(1), lsn and lsn.group(1)


def aligned(theirs, ours):
    """Pairs of records, None where one side has none."""
    def outline(records):
        return [signature(r) if r[0].endswith("transaction") else r[0] for r in records]
    if outline(theirs) == outline(ours):
        return list(zip(theirs, ours))
    matcher = difflib.SequenceMatcher(None, [signature(r) for r in theirs], [signature(r) for r in ours], False)
    pairs = []
    for _, a, b, c, d in matcher.get_opcodes():
        left, right = theirs[a:b], ours[c:d]
        for i in range(max(len(left), len(right))):
            pairs.append((left[i] if i < len(left) else None, right[i] if i < len(right) else None))
    return pairs


def same_number(difference):
    """Whether a difference is of the digits only: before Java 19 some floats had more than they needed."""
    try:
        theirs, ours = float(difference.debezium), float(difference.ours)
    except ValueError:
        return False
    return theirs == ours or struct.pack(">f", theirs) == struct.pack(">f", ours)


class Failure(Exception):
    """A round that could not be compared."""


def known_stops():
    """[(expression, reason)] of stops.txt: with what Debezium may stop, which fails no round."""
    lines = (HERE / "stops.txt").read_text(encoding="utf-8").splitlines()
    return [(re.compile(expression), reason) for expression, _, reason in
            (line.partition(" : ") for line in lines if line and not line.startswith("#"))]


class Round:
    """One database, one workload, both connectors."""

    def __init__(self, check, name, workload, worker):
        self.check = check
        self.name = name
        self.workload = workload
        self.prefix = "g" + re.sub(r"\W", "_", name)
        self.dir = KEPT / name
        self.types = {}
        self.statements = []
        self.refused = 0
        self.barriers = 0
        self.stopped = None  # why Debezium is no more
        self.database = None
        self.worker = None
        self.with_worker = worker

    # ---- running ----

    def setting(self, name, default):
        return self.workload.settings.get(name, default)

    def prepare(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self.database = self.check.cluster.create_database("d_" + re.sub(r"\W", "_", self.name))
        self.database.psql("create publication %s for all tables with (publish_via_partition_root = %s, publish = '%s')"
                           % (PUBLICATION, self.setting("publish.via.partition.root", "false"), self.published()))
        with self.database.connect() as connection:
            self.perform(connection, self.workload.setup)
            self.note_types(connection)

    def published(self):
        """What the publication would have that Debezium makes: without the operations that a setting skips."""
        skipped = self.setting("skipped.operations", "none").split(",")
        names = {"c": "insert", "u": "update", "d": "delete", "t": "truncate"}
        return ", ".join(name for letter, name in names.items() if letter not in skipped)

    def debezium_settings(self):
        settings = {"topic.prefix": self.prefix, "snapshot.mode": "initial" if self.workload.snapshot else "no_data"}
        settings.update(self.workload.settings)
        if "replace.null.with.default" in settings:
            settings["converter.replace.null.with.default"] = settings.pop("replace.null.with.default")
        return settings

    def plugin_options(self, schemas):
        options = {"format": "record", "topic_prefix": self.prefix, "schemas_enable": schemas and "true" or "false"}
        options.update((name.replace(".", "_"), value) for name, value in self.workload.settings.items()
                       if not name.startswith(("snapshot.", "schemas.enable")))
        return options

    def start_worker(self):
        self.worker = Worker(self.database, **{
            "topic.prefix": self.prefix, "slot.name": "worker_" + self.database.name[:50], "outputs": "kafka",
            "kafka.bootstrap.servers": self.check.broker.bootstrap, "kafka.message.max.bytes": "10000000",
            "topic.creation.default.max.message.bytes": "10000000", "status.update.interval.ms": "100",
            "snapshot.mode": "initial" if self.workload.snapshot else "no_data",
            "kafka.positions.topic": "__positions_" + self.database.name})
        self.worker.config.update((name, value.replace("\\", "\\\\")) for name, value in self.workload.settings.items())
        self.worker.start()
        self.worker.wait_log(r"streaming from slot", 60)

    def note_stop(self, error):
        """What Debezium stopped with; ours goes on, and is compared as far as Debezium came."""
        self.stopped = next((reason for expression, reason in self.check.stops if expression.search(str(error))), None)
        if self.stopped is None:
            raise error

    def start(self):
        try:
            self.check.debezium.start(self.database, self.debezium_settings(), str(self.dir / "debezium"))
            wait_for(self.debezium_streams, 30, "Debezium to stream")
        except DebeziumFailed as error:
            self.note_stop(error)
        self.database.psql("select pg_create_logical_replication_slot('%s', 'cdc_decoder')" % PLUGIN_SLOT)
        if self.with_worker:
            self.start_worker()

    def debezium_streams(self):
        self.check.debezium.check()
        return self.database.psql("select active from pg_replication_slots where slot_name = '%s'" % SLOT) == "t"

    def perform(self, connection, statements, inside=False):
        for statement in statements:
            self.statements.append(statement)
            guarded = inside and not re.match(r"(savepoint|rollback|release)\b", statement)
            try:
                if guarded:
                    connection.execute("savepoint guard")
                connection.execute(statement)
                if guarded:
                    connection.execute("release guard")
            except psycopg.Error as error:
                self.refused += 1
                self.statements.append("-- " + str(error).replace("\n", "\n-- "))
                if inside:
                    connection.execute("rollback to guard")
            if statement == "rollback":
                return

    def step(self, connection, step):
        if step.ddl:
            self.wait_debezium(connection)
        if step.transaction:
            connection.execute("begin")
            self.statements.append("begin")
            self.perform(connection, step.statements, True)
            if step.statements[-1] != "rollback":
                connection.execute("commit")
            self.statements.append("commit")
        else:
            self.perform(connection, step.statements)
        if step.ddl:
            self.note_types(connection)

    def note_types(self, connection):
        self.types.update(column_types(connection, self.prefix, self.setting("topic.delimiter", ".")))

    def wait_debezium(self, connection):
        """Until Debezium has seen everything so far: a message of ours comes out of it, whose LSN is returned."""
        self.barriers += 1
        mark = "%s %d" % (BARRIER, self.barriers)
        lsn = connection.execute("select pg_logical_emit_message(true, %s, %s)", (BARRIER, mark)).fetchone()[0]
        texts = [encode(mark.encode()).decode() for encode in (base64.b64encode, base64.urlsafe_b64encode, binascii.hexlify)]
        deadline = time.monotonic() + 60
        place = str(self.dir / "debezium.plain.jsonl")
        while self.stopped is None:
            with open(place, encoding="utf-8") as file:
                found = file.read()
            if any(text in found for text in texts):
                return lsn
            try:
                self.check.debezium.check()
            except DebeziumFailed as error:
                self.note_stop(error)
            if time.monotonic() > deadline:
                raise Failure("Debezium did not come to barrier %d" % self.barriers)
            time.sleep(0.05)
        return lsn

    def finish(self):
        with self.database.connect() as connection:
            last = self.wait_debezium(connection)
        self.check.debezium.stop()
        if self.worker:
            self.database.wait_confirmed(self.worker.config["slot.name"], last)
            self.worker.stop()

    def run(self):
        """The differences that no rule excuses: {(leg, what): [count, first pair]}."""
        try:
            self.prepare()
            self.start()
            with self.database.connect() as connection:
                for step in self.workload.steps:
                    self.step(connection, step)
            self.finish()
            return self.compare()
        finally:
            self.write("statements.sql", ";\n".join(self.statements) + ";\n")
            self.write("settings.properties", "".join("%s=%s\n" % item for item in self.workload.settings.items()))
            self.check.debezium.stop()
            if self.worker:
                self.worker.kill()
                self.write("worker.log", self.worker.log_text())
            if self.database:
                self.database.drop()

    # ---- comparing ----

    def write(self, name, text):
        if self.dir.exists():
            (self.dir / name).write_text(text, encoding="utf-8")

    def debezium_records(self, schemas):
        path = self.dir / ("debezium.%s.jsonl" % ("schemas" if schemas else "plain"))
        found = []
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            record = json.loads(line)
            found.append(mask((record["topic"], record["key"], record["value"],
                               [(header["k"], header["v"]) for header in record["headers"]])))
        return found

    def plugin_records(self, schemas):
        arguments = [text for pair in self.plugin_options(schemas).items() for text in pair]
        with self.database.connect() as connection:
            rows = connection.execute("select data from pg_logical_slot_peek_changes(%s, null, null, variadic %s::text[])",
                                      (PLUGIN_SLOT, arguments)).fetchall()
        self.write("plugin.%s.jsonl" % ("schemas" if schemas else "plain"), "".join(row[0] + "\n" for row in rows))
        found = []
        for row in rows:
            record = json.loads(row[0])
            found.append(mask((record["topic"], record["key"], record["value"],
                               [(header["k"], header["v"]) for header in record["headers"]])))
        return found

    def worker_records(self):
        topics = [name for name in self.check.broker.topics()
                  if name.startswith((self.prefix + self.setting("topic.delimiter", "."), self.prefix + "."))]
        found = [mask((r.topic, r.key, r.value, list(r.headers)))
                 for r in read_all(self.check.broker, *topics)] if topics else []
        self.write("worker.jsonl", "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in found))
        for topic in topics:
            self.check.broker.delete_topic(topic)
        return found

    def compare(self):
        differences = collections.OrderedDict()
        for schemas in (False, True):
            theirs = self.debezium_records(schemas)
            if self.plugin_leg:
                streamed = [r for r in theirs if r[2] is None or '"op":"r"' not in r[2]]
                self.compare_records("plugin", streamed, self.plugin_records(schemas), differences)
            if self.worker and schemas == (self.setting("schemas.enable", "false") == "true"):
                ours = self.worker_records()
                for topic in sorted({r[0] for r in theirs} | {r[0] for r in ours}):
                    self.compare_records("worker", [r for r in theirs if r[0] == topic], [r for r in ours if r[0] == topic],
                                         differences)
        return differences

    def compare_records(self, leg, theirs, ours, differences):
        theirs = [r for r in theirs if not self.left_out(leg, r)]
        ours = [r for r in ours if not self.left_out(leg, r)]
        if self.stopped is not None:
            ours = ours[:len(theirs)]
        context = Context(self.name if self.name[0].isalpha() else "generated", leg, self.workload.settings, self.types)
        for pair in aligned(theirs, ours):
            self.check.compared += 1
            for difference in self.check.rules.unexpected(context, *pair):
                if self.check.debezium.prints_long_floats and same_number(difference):
                    continue
                kind = context.column_type((pair[0] or pair[1])[0], difference.field)
                where = re.sub(r"\[\d+\]", "[]", difference.field)
                if kind:  # one of each type and sort is enough to see
                    where = re.sub(r"(before|after|key|value)\.[^.\[]+", r"\1", where)
                entry = differences.setdefault((leg, kind, where), [0, difference, pair])
                entry[0] += 1

    @property
    def plugin_leg(self):
        return all(self.check.plugin_knows(name) for name in self.workload.settings)

    def left_out(self, leg, record):
        """Logical messages and transactions are the worker's."""
        topic = record[0][len(self.prefix) + 1:]
        return leg == "plugin" and topic in ("message", "transaction") or (
            topic == "message" and not self.check.worker_knows("message.prefix.include.list"))


class Check:
    """All rounds, with one server, one JVM and one broker."""

    def __init__(self):
        self.rules = Rules()
        self.stops = known_stops()
        self.cluster = Cluster(wal_sender_timeout=0)
        self.cluster.start()
        self.debezium = Debezium()
        self._broker = None
        self.known = {}
        self.reference = subprocess.run([str(BINARY), "config", "--reference"], capture_output=True, text=True, check=True).stdout
        self.compared = 0
        self.failed = 0
        self.passed = 0
        self.stopped = 0
        database = self.cluster.postgres
        self.available = set(database.psql("select name from pg_available_extensions").split("\n"))
        database.psql("select pg_create_logical_replication_slot('probe', 'cdc_decoder')")

    @property
    def broker(self):
        if self._broker is None:
            self._broker = Broker()
            self._broker.start()
        return self._broker

    def plugin_knows(self, name):
        if name not in self.known:
            try:
                self.cluster.postgres.psql("select pg_logical_slot_peek_changes('probe', null, null, '%s', 'x')" % name.replace(".", "_"))
                self.known[name] = True
            except Exception as error:
                self.known[name] = "unrecognized" not in str(error)
        return self.known[name]

    def worker_knows(self, name):
        patterns = re.findall(r"^\| `([^`]+)` \|", self.reference, re.MULTILINE)
        return any(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) for pattern in patterns)

    def knows(self, name):
        return self.plugin_knows(name) or self.worker_knows(name)

    def run(self, name, workload, worker):
        if not worker and not all(map(self.plugin_knows, workload.settings)):
            worker = True
        started = time.monotonic()
        this = Round(self, name, workload, worker)
        before = self.compared
        try:
            found = this.run()
            lines = ["%s: %d times: %s: %s" % (leg, count, kind or "", difference)
                     for (leg, kind, _), (count, difference, _) in found.items()]
        except DebeziumFailed as error:
            lines = ["Debezium ended: %s" % error]
        except Exception as error:
            lines = ["%s: %s" % (type(error).__name__, error)]
            if not isinstance(error, Failure):
                lines.append(traceback.format_exc())
        self.report(this, lines, self.compared - before, time.monotonic() - started)

    def report(self, this, lines, compared, seconds):
        failed = bool(lines)
        self.failed += failed
        self.passed += not failed
        self.stopped += this.stopped is not None
        print("%-24s %-6s %4d records%s, %d of %d statements refused, %.1f s%s" % (
            this.name, "FAILED" if failed else "ok", compared, " (worker too)" if this.with_worker else "",
            this.refused, len(this.statements), seconds,
            "; Debezium stopped: " + this.stopped if this.stopped else ""), flush=True)
        if failed:
            print("  " + " ".join("%s=%s" % item for item in this.workload.settings.items()))
            this.write("differences.txt", "\n".join(lines) + "\n")
            for line in lines[:40]:
                print("  " + line.replace("\n", "\n  "), flush=True)
        else:
            shutil.rmtree(this.dir, ignore_errors=True)


def read_case(directory):
    """A workload from the files of a case: ddl.sql, dml.sql, config.properties, as those of the goldens.  A line
    "-- wait" in dml.sql separates steps between which everything is waited for."""
    work = generate.Workload()
    config = directory / "config.properties"
    for line in config.read_text(encoding="utf-8").splitlines() if config.exists() else ():
        name, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            work.settings[name.strip()] = value.strip()
    work.snapshot = work.settings.pop("snapshot.mode", "no_data") == "initial"
    work.setup = [(directory / "ddl.sql").read_text(encoding="utf-8")]
    for part in (directory / "dml.sql").read_text(encoding="utf-8").split("\n-- wait\n"):
        statements = [text for text in re.split(r";\s*\n", part) if text.strip()]
        work.steps.append(generate.Step(statements, ddl=True))
    return work


def main(arguments):
    given = arguments[0].split(",")
    seed = random.SystemRandom().randrange(1, 1000000) if given == ["random"] else int(given[0])
    rounds = int(arguments[1]) if len(given) == 1 else 1
    numbers = range(seed, seed + rounds) if len(given) == 1 else [int(number) for number in given]
    words = os.environ.get("TESTS", "").split()
    check = Check()
    print("seed %d, %d rounds" % (seed, rounds), flush=True)
    for directory in sorted((HERE / "cases").glob("*/")):
        if rounds != 1 and (not words or directory.name in words):
            check.run(directory.name, read_case(directory), True)
    for number in numbers if not words else ():
        generator = generate.Generator(number, check.available, check.knows)
        check.run(str(number), generator.workload(), number % WORKER_EVERY == 0)
    for rule in check.rules.unused(BUILD / "deliberate", "differential") if rounds > 1 and not words else ():
        print("deliberate.txt:%d matched nothing: %s" % (rule.number, rule.line))
    print("%d records compared; seed %d" % (check.compared, seed))
    print("%d passed, %d failed; Debezium stopped in %d" % (check.passed, check.failed, check.stopped))
    return 1 if check.failed or not check.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
