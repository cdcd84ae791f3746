"""The seeded workload, what is the same in a consumer's record and in the one that the plugin prints, and judges of all
outputs: a class that looks again and again, and functions that look once, by a slot "reference"."""

import collections
import json
import pathlib

from lib.consumer import Reader, read_all

WORKLOAD = pathlib.Path(__file__).resolve().with_name("workload.sql")

TABLES = ["w_plain", "w_composite", "w_toast", "w_full", "w_nokey_full", "w_uuid", "W odd.Näme\"q"]


def identity(record):
    """What is the same in the consumer's record and in the plugin's: everything but the clock and the run."""
    value = None if record["value"] is None else json.loads(record["value"])
    if value is not None:
        for name in ("ts_ms", "ts_us", "ts_ns"):
            value.pop(name, None)  # a logical message has only one of them
        value["source"].pop("sequence")
    return (record["key"], json.dumps(value, ensure_ascii=False))


def first_difference(expected, seen):
    for number, (left, right) in enumerate(zip(expected, seen)):
        if left != right:
            return "record %d:\n  expected %s\n  seen     %s" % (number, left, right)
    return "expected %d records, seen %d" % (len(expected), len(seen))


class Judge:
    """What came to Kafka and bronze since the last look, against what the plugin prints of the same WAL."""

    def __init__(self, t, db, worker, tables=TABLES, broker=None):
        """To be made when the worker's snapshot is complete, and before more is written.  tables: what of the
        public schema is compared in silver."""
        self.db = db
        self.tables = tables
        self.outputs = worker.config["outputs"].split(",")
        self.broker = (broker or t.broker) if "kafka" in self.outputs else None
        self.lake = t.lake(worker) if "lake.warehouse" in worker.config else None
        self.prefix = worker.config["topic.prefix"]
        self.offsets = {}
        self.first_lsn = 0
        self.looks = 0
        self.slots = ["%.50s_%s" % (worker.config["slot.name"], what) for what in ("records", "changes")]
        for slot in self.slots:
            db.psql("select pg_create_logical_replication_slot('%s', 'cdc_decoder')" % slot)

    def printed(self, slot, until, *options):
        with self.db.connect() as connection:
            return [json.loads(data) for (data,) in connection.execute(
                "select data from pg_logical_slot_get_changes(%s, %s, null" + ", %s" * len(options) + ")",
                (slot, until, *options))]

    def look(self, until, thorough=True):
        """Everything up to until must be in every output."""
        self.looks += 1
        records = self.printed(self.slots[0], until, "format", "record", "topic_prefix", self.prefix,
                               "message_prefix_exclude_list", "test")
        changes = self.printed(self.slots[1], until, "format", "json", "skipped_operations", "none",
                               "message_prefix_exclude_list", "test")
        if "kafka" in self.outputs:
            self.check_kafka(records)
        if "bronze" in self.outputs:
            self.check_bronze(changes)
        for table in self.tables if "silver" in self.outputs else ():
            for reader in ("duckdb", "pyiceberg") if thorough else ("duckdb",):
                differences = self.lake.compare(self.db, "public." + table, reader=reader)
                assert not differences, "\n".join(differences)

    def check_kafka(self, records):
        expected = collections.defaultdict(list)
        for record in records:
            expected[record["topic"]].append(identity(record))
        reader = Reader(self.broker, *[topic for topic in self.broker.topics() if topic.startswith(self.prefix + ".")],
                        offsets=self.offsets)
        seen = collections.defaultdict(list)
        for record in reader.to_end():
            self.offsets[record.topic, record.partition] = record.offset + 1
            if record.value is None or record.json["op"] != "r":
                seen[record.topic].append(identity({"key": record.key, "value": record.value}))
        reader.close()
        for topic in sorted(set(expected) | set(seen)):
            assert expected[topic] == seen[topic], "%s: %s" % (
                topic, first_difference(expected[topic], seen[topic]))

    def check_bronze(self, changes):
        expected = {(change["source"]["table"], change["source"]["lsn"]) for change in changes}
        seen = collections.Counter()
        for table in self.lake.tables():
            if table.startswith("bronze_"):
                rows = self.lake.sql("select lsn from %s where op <> 'r' and lsn > %d"
                                     % (self.lake.scan(table), self.first_lsn)).fetchall()
                seen.update((table.removeprefix("bronze_"), row[0]) for row in rows)
        twice = [change for change, count in seen.items() if count > 1]
        assert not twice, "in bronze more than once: %s" % twice[:5]
        assert set(seen) == expected, "in bronze, but not printed: %s; printed, but not in bronze: %s" % (
            sorted(set(seen) - expected)[:5], sorted(expected - set(seen))[:5])
        self.first_lsn = max([lsn for _, lsn in expected] + [self.first_lsn])

    def check_files(self):
        """Whatever a kill left behind lies where a table's own files do: maintenance will find it."""
        for path in self.lake.dir.rglob("*"):
            where = path.relative_to(self.lake.dir).parts
            assert path.is_dir() or (len(where) > 2 and where[1] in ("data", "metadata")), path


def expected_records(db, slot, prefix, until):
    """{topic: [record ...]} by the plugin alone."""
    topics = collections.defaultdict(list)
    with db.connect() as connection:
        rows = connection.execute(
            "select data from pg_logical_slot_peek_changes(%s, %s, null, 'format', 'record', 'topic_prefix', %s,"
            " 'message_prefix_exclude_list', 'test,cdc_sink.*')",
            (slot, until, prefix))
        for (data,) in rows:
            record = json.loads(data)
            topics[record["topic"]].append(identity(record))
    return topics


def check_kafka(db, broker, prefix, until):
    expected = expected_records(db, "reference", prefix, until)
    seen = collections.defaultdict(list)
    topics = [topic for topic in broker.topics() if topic.startswith(prefix + ".")]
    for record in read_all(broker, *topics, timeout=300):
        if record.value is not None and record.json["op"] == "r":
            continue
        seen[record.topic].append(identity({"key": record.key, "value": record.value}))
    for topic in sorted(set(expected) | set(seen)):
        assert expected[topic] == seen[topic], "%s: %s" % (topic, first_difference(expected[topic], seen[topic]))
    return sum(len(records) for records in expected.values())


def check_bronze(db, lake, until):
    """Each streamed row change once.  The workload has no two row changes at one LSN; a key change, which
    the plugin prints as a delete and a create of one LSN, is one row in bronze."""
    expected = set()
    with db.connect() as connection:
        for (data,) in connection.execute(
                "select data from pg_logical_slot_peek_changes('reference', %s, null, 'format', 'json',"
                " 'skipped_operations', 'none', 'message_prefix_exclude_list', 'test,cdc_sink.*')", (until,)):
            event = json.loads(data)
            if event["op"] != "m":  # the lake has no messages
                expected.add((event["source"]["table"], event["source"]["lsn"]))
    seen = collections.Counter()
    for table in lake.tables():
        if table.startswith("bronze_"):
            found = lake.sql("select lsn from %s where op <> 'r'" % lake.scan(table)).fetchall()
            seen.update((table.removeprefix("bronze_"), row[0]) for row in found)
    first = min((lsn for _, lsn in expected), default=0)
    twice = [change for change, count in seen.items() if count > 1]
    missing = expected - set(seen)
    invented = [change for change in seen if change[1] >= first and change not in expected]
    assert not twice, "in bronze more than once: %s" % twice[:5]
    assert not missing, "%d of %d changes are not in bronze: %s" % (len(missing), len(expected), sorted(missing)[:5])
    assert not invented, "in bronze, but not in the source: %s" % invented[:5]
    return sum(seen.values())


def check_silver(db, worker, lake, tables=TABLES):
    """Silver equals the source by two readers and by verify, and says so."""
    for table in tables:
        for reader in ("pyiceberg", "duckdb"):
            differences = lake.compare(db, "public.%s" % table, reader=reader)
            assert not differences, "\n".join(differences)
    assert {row["status"] for row in lake.checkpoint()} == {"live"}, lake.checkpoint()
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors


def finish(db, worker):
    """Everything written is durable, and the worker stopped: returns the LSN up to which."""
    until = db.lsn()
    db.wait_confirmed(worker.config["slot.name"], until, 300)
    assert worker.stop() == 0, worker.log_tail()
    return until
