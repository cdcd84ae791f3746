"""The seeded workload, what is the same in a consumer's record and in the one that the plugin prints, and judges of all
outputs: a class that looks again and again, and functions that look once, by a slot "reference"."""

import collections
import json
import pathlib

from lib.consumer import Reader, read_all
from lib.support import wait_for

WORKLOAD = pathlib.Path(__file__).resolve().with_name("workload.sql")

TABLES = ["w_plain", "w_composite", "w_toast", "w_full", "w_nokey_full", "w_uuid", "W odd.Näme\"q", "w_numeric",
          "w_index", "w_full_toast", "w_part", "w_copy", "w_wide"]


def identity(record):
    """What is the same in the consumer's record and in the plugin's: everything but the clock and the run."""
    value = None if record["value"] is None else json.loads(record["value"])
    if value is not None:
        for name in ("ts_ms", "ts_us", "ts_ns"):
            value.pop(name, None)  # a logical message has only one of them
            if value.get("op") == "m":
                value["source"].pop(name, None)  # outside transactions it repeats the time of the one before
        if "source" in value:  # not where a transaction begins or ends
            value["source"].pop("sequence")
        if value.get("data_collections"):  # in an order that hangs on transactions before, as Debezium's
            value["data_collections"].sort(key=lambda collection: collection["data_collection"])
    return (record["key"], json.dumps(value, ensure_ascii=False))


def roots(db):
    """{partition: partitioned table}, whose lake tables its partitions share."""
    with db.connect() as connection:
        return dict(connection.execute("select c.relname, r.relname from pg_class c"
                                       " join pg_class r on r.oid = pg_partition_root(c.oid) where c.relispartition"))


def row_changes(db, printed):
    """Counter of (lake table, LSN) of what the plugin printed: COPY has many rows at one LSN; a key change, which it
    prints as a delete and a create of one LSN, is one row in bronze; the lake has no messages."""
    tables = roots(db)
    changes = collections.Counter()
    before = None
    for event in printed:
        if event["op"] == "m":
            continue
        table, lsn = event["source"]["table"], event["source"]["lsn"]
        changes[tables.get(table, table), lsn] += 0 if event["op"] == "c" and before == ("d", table, lsn) else 1
        before = (event["op"], table, lsn)
    return changes


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
        self.worker = worker
        self.tables = tables
        self.outputs = worker.config["outputs"].split(",")
        self.broker = (broker or t.broker) if "kafka" in self.outputs else None
        self.lake = t.lake(worker) if "lake.warehouse" in worker.config else None
        self.prefix = worker.config["topic.prefix"]
        self.metadata = worker.config.get("provide.transaction.metadata", "false")
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
                               "message_prefix_exclude_list", "test", "provide_transaction_metadata", self.metadata)
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
            if record.value is None or record.json.get("op") != "r":
                seen[record.topic].append(identity({"key": record.key, "value": record.value}))
        reader.close()
        for topic in sorted(set(expected) | set(seen)):
            assert expected[topic] == seen[topic], "%s: %s" % (
                topic, first_difference(expected[topic], seen[topic]))

    def check_bronze(self, changes):
        expected = row_changes(self.db, changes)
        seen = collections.Counter()
        for table in self.lake.tables():
            if table.startswith("bronze_"):
                rows = self.lake.sql("select lsn from %s where op <> 'r' and lsn > %d"
                                     % (self.lake.scan(table), self.first_lsn)).fetchall()
                seen.update((table.removeprefix("bronze_"), row[0]) for row in rows)
        assert seen == expected, "in bronze more often than printed: %s; printed more often: %s" % (
            sorted((seen - expected).items())[:5], sorted((expected - seen).items())[:5])
        self.first_lsn = max([lsn for _, lsn in expected] + [self.first_lsn])

    def check_files(self):
        """Nothing that a kill left behind is there, once the worker has had time to look."""
        check_files(self.db, self.worker, self.lake)


def check_files(db, worker, lake):
    """In a directory of the lake there are files of tables alone, each of a snapshot, when the worker, which is at
    rest, has run again for as long as it takes to look."""
    if lake.orphans():
        worker.start()
        worker.wait_log("streaming from slot", 60, since=worker.begun)
        db.psql("select pg_logical_emit_message(false, 'test', 'something to begin with')")
        wait_for(lambda: not lake.orphans(), 60, lambda: "orphans to go: %s" % lake.orphans())
        assert worker.stop() == 0, worker.log_tail()
    for path in lake.dir.rglob("*"):
        where = path.relative_to(lake.dir).parts
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


def check_kafka(db, broker, prefix, until, without=()):
    """Each streamed record once and in order; without: topics that the worker leaves out."""
    expected = expected_records(db, "reference", prefix, until)
    for topic in without:
        expected.pop(topic, None)
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
    """Each streamed row change once."""
    with db.connect() as connection:
        expected = row_changes(db, [json.loads(data) for (data,) in connection.execute(
            "select data from pg_logical_slot_peek_changes('reference', %s, null, 'format', 'json',"
            " 'skipped_operations', 'none', 'message_prefix_exclude_list', 'test,cdc_sink.*')", (until,))])
    first = min((lsn for _, lsn in expected), default=0)
    seen = collections.Counter()
    for table in lake.tables():
        if table.startswith("bronze_"):
            found = lake.sql("select lsn from %s where op <> 'r'" % lake.scan(table)).fetchall()
            seen.update((table.removeprefix("bronze_"), row[0]) for row in found)
    invented = {change: count for change, count in (seen - expected).items() if change[1] >= first}
    assert not expected - seen, "not in bronze: %s" % sorted((expected - seen).items())[:5]
    assert not invented, "in bronze more often than in the source: %s" % sorted(invented.items())[:5]
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


def stale(t, worker):
    """The tables that cdc_checkpoints calls stale."""
    return {row["table_name"] for row in t.lake(worker).checkpoint() if row["status"] == "stale"}


def wait_read(t, db, worker):
    """What was written is stored, and no table waits to be read for it."""
    def unread():
        return json.dumps(t.lake(worker).metadata("cdc_checkpoints")["properties"]).partition(" unread=")[2].split(" ")[0]

    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 300)
    wait_for(lambda: not stale(t, worker) and not unread(), 120,
             lambda: "the tables to be read, stale: %s, unread: %s\n%s" % (
                 {table: t.lake(worker).metadata(table)["properties"]["cdc.stale"] for table in stale(t, worker)},
                 unread(), worker.log_tail()))


def finish(db, worker):
    """Everything written is durable, and the worker stopped: returns the LSN up to which."""
    until = db.lsn()
    db.wait_confirmed(worker.config["slot.name"], until, 300)
    assert worker.stop() == 0, worker.log_tail()
    return until
