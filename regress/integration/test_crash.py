"""kill -9 at random moments: nothing lost, nothing twice.

The truth is a second slot, made when the worker's snapshot was complete, whose changes the plugin prints
as records (format=record).  What a read_committed consumer saw of each topic must be that list, in that
order, once; silver must equal the source; bronze must hold each streamed row change once.

    CHANGES=500000 KILLS=10 SEED=1 make check-integration TESTS=crash
"""

import collections
import json
import os
import random
import threading

from lib.consumer import read_all
from lib.truth import TABLES, WORKLOAD, first_difference, identity

CHANGES = int(os.environ.get("CHANGES", "60000"))
KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", "42"))

def expected_records(db, slot, prefix, until):
    """{topic: [record ...]} by the plugin alone."""
    topics = collections.defaultdict(list)
    with db.connect() as connection:
        rows = connection.execute(
            "select data from pg_logical_slot_peek_changes(%s, %s, null, 'format', 'record', 'topic_prefix', %s,"
            " 'message_prefix_exclude_list', 'test')",
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
                " 'skipped_operations', 'none', 'message_prefix_exclude_list', 'test')", (until,)):
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


def test_killed_ten_times(t):
    random.seed(SEED)
    db = t.database()
    db.psql_file(WORKLOAD)
    db.psql("call workload_run(%d, %d)" % (max(CHANGES // 20, 2000), SEED + 1))
    worker = t.worker(db, outputs="kafka,bronze,silver", **{"lake.flush.interval.ms": 700})
    slot = worker.config["slot.name"]
    worker.start()
    worker.wait_log("streaming from slot", 120)
    db.psql("select pg_create_logical_replication_slot('reference', 'cdc_decoder')")

    source = threading.Thread(target=lambda: db.psql("call workload_run(%d, %d)" % (CHANGES, SEED)))
    source.start()
    for kill in range(KILLS):
        worker.run_for(random.uniform(0.2, 4.0))
        worker.kill()
        worker.start()
        if kill % 2:
            worker.wait_log("streaming from slot", 120, since=len(worker.log_text()))
    source.join()
    until = db.lsn()
    db.wait_confirmed(slot, until, 900)
    assert worker.stop() == 0, worker.log_tail()

    records = check_kafka(db, t.broker, worker.config["topic.prefix"], until)
    lake = t.lake(worker)
    changes = check_bronze(db, lake, until)
    for table in TABLES:
        for reader in ("pyiceberg", "duckdb"):
            differences = lake.compare(db, "public.%s" % table, reader=reader)
            assert not differences, "\n".join(differences)
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors
    print("%d kills, %d records in Kafka, %d row changes in bronze" % (KILLS, records, changes))


test_killed_ten_times.seconds = 27
test_killed_ten_times.timeout = 3600
