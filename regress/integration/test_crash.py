"""kill -9 at random moments: nothing lost, nothing twice.

The truth is a second slot, made when the worker's snapshot was complete, whose changes the plugin prints
as records (format=record).  What a read_committed consumer saw of each topic must be that list, in that
order, once; silver must equal the source; bronze must hold each streamed row change once.

    CHANGES=500000 KILLS=10 SEED=1 make check-integration TESTS=crash
"""

import os
import random
import threading

from lib.truth import TABLES, WORKLOAD, check_bronze, check_kafka

CHANGES = int(os.environ.get("CHANGES", "60000"))
KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", "42"))


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
            worker.wait_log("streaming from slot", 120, since=worker.begun)
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
test_killed_ten_times.slow = True
test_killed_ten_times.timeout = 3600
