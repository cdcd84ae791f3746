"""Outages: the broker, the server, the disk.  Nothing is lost, nothing comes twice, memory stays bounded."""

import os
import pathlib
import subprocess
import threading
import time

from lib.consumer import read_all
from lib.support import at_end, scratch, undo_now

TABLE = "create table t (id int primary key, v text)"


def database(t, cluster=None):
    db = t.database(cluster)
    db.psql(TABLE)
    return db


def ids_in_kafka(worker, broker):
    """The ids of all create events, in order."""
    return [record.json["after"]["id"] for record in read_all(broker, worker.config["topic.prefix"] + ".public.t", timeout=240)
            if record.value and record.json["op"] == "c"]


def streaming(worker, timeout=60):
    worker.start()
    worker.wait_log("streaming from slot", timeout)
    return worker


def wait_durable(worker, db, timeout=180):
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), timeout)


def test_broker_down_at_start_and_in_mid_run(t):
    db = database(t)
    broker = t.new_broker().start()
    broker.stop()
    worker = t.worker(db, outputs="kafka", broker=broker)
    worker.start()
    worker.wait_log("trying again", 60)
    broker.start()
    worker.wait_log("streaming from slot", 90)
    db.psql("insert into t select n, 'before' from generate_series(1, 1000) as n")
    wait_durable(worker, db)
    broker.kill()
    # 100 MB that nobody takes: reading stops and memory stays bounded
    db.psql("".join("insert into t select %d + n, repeat('x', 2000) from generate_series(1, 1000) as n;" % start
                    for start in range(1000, 51000, 1000)))
    broker.start()
    wait_durable(worker, db)
    assert worker.stop() == 0, worker.log_tail()
    assert ids_in_kafka(worker, broker) == list(range(1, 51001))
    worker.used_at_most(200e6)


test_broker_down_at_start_and_in_mid_run.seconds = 50


def test_server_restarts_and_crashes(t):
    cluster = t.new_cluster(fsync="on").start()
    db = database(t, cluster)
    worker = streaming(t.worker(db, outputs="kafka,bronze,silver"))
    for turn, mode in enumerate(("fast", "immediate", "fast")):
        db.psql("insert into t select %d + n, 'x' from generate_series(1, 500) as n" % (turn * 500))
        cluster.restart(mode)
    db.psql("update t set v = 'y' where id % 3 = 0")
    wait_durable(worker, db)
    assert worker.running
    assert worker.stop() == 0, worker.log_tail()
    assert ids_in_kafka(worker, t.broker) == list(range(1, 1501))
    assert t.lake(worker).compare(db, "public.t") == []


def test_server_stops_soon_while_a_worker_streams(t):
    """A fast shutdown waits until what was sent is confirmed, DDL and others' WAL too."""
    cluster = t.new_cluster().start()
    db = database(t, cluster)
    worker = streaming(t.worker(db, outputs="bronze,silver", **{"lake.flush.interval.ms": 60000}))
    db.psql("insert into t values (1, 'waits for the flush interval'); create table quiet (id int); drop table quiet")
    begun = time.monotonic()
    cluster.stop()
    assert time.monotonic() - begun < 15, time.monotonic() - begun
    since = len(worker.log_text())
    cluster.start()
    worker.wait_log("streaming from slot", 60, since=since)
    assert worker.stop() == 0, worker.log_tail()
    assert t.lake(worker).count("silver_t") == 1


class SmallDisk:
    """A file system of some megabytes; mounting it takes root."""

    def __init__(self, megabytes):
        self.dir = scratch("disk")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % megabytes, "tmpfs", str(self.dir)], check=True)
        self.unmount = at_end(lambda: subprocess.run(["umount", "-l", str(self.dir)], check=True))

    def grow(self, megabytes):
        subprocess.run(["mount", "-o", "remount,size=%dm" % megabytes, str(self.dir)], check=True)


def test_disk_full_on_the_warehouse(t):
    if os.geteuid() != 0:
        print("a file system of its own takes root; this part runs in CI")
        return
    db = database(t)
    disk = SmallDisk(4)
    worker = streaming(t.worker(db, outputs="bronze,silver", **{"lake.warehouse": "file://%s" % disk.dir,
                                                                "errors.max.retries": 1}))
    db.psql("insert into t select n, md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text) from generate_series(1, 200000) as n")
    until = db.lsn()
    code = worker.wait(120)
    assert code == 1, (code, worker.log_tail())
    assert "No space left on device" in worker.log_text(), worker.log_tail()
    left = [path for path in pathlib.Path(disk.dir).rglob("*.tmp*")]
    assert not left, left
    disk.grow(400)
    worker.run_until(until)
    assert t.lake(worker).compare(db, "public.t") == []
    assert t.lake(worker).count("bronze_t", "duckdb") == 200000
    undo_now(disk.unmount)


def test_one_million_rows_in_one_transaction(t):
    db = database(t)
    worker = streaming(t.worker(db, outputs="kafka,bronze,silver"))
    db.psql("insert into t select n, 'row ' || n from generate_series(1, 1000000) as n")
    wait_durable(worker, db, 240)
    assert worker.stop() == 0, worker.log_tail()
    assert ids_in_kafka(worker, t.broker) == list(range(1, 1000001))
    lake = t.lake(worker)
    assert lake.sql("select count(*), count(distinct id), sum(id) from " + lake.scan("silver_t")).fetchone() == (
        1000000, 1000000, 500000500000)
    assert lake.count("bronze_t", "duckdb") == 1000000
    print("peak memory %.0f MB" % (worker.rss_peak / 1e6))
    worker.used_at_most(512e6)


test_one_million_rows_in_one_transaction.seconds = 60
test_one_million_rows_in_one_transaction.slow = True


def test_worker_stops_in_mid_transaction_and_goes_on(t):
    """SIGTERM while much is under way: it ends soon with 0, and nothing is lost or repeated."""
    db = database(t)
    worker = streaming(t.worker(db, outputs="kafka"))
    source = threading.Thread(target=lambda: [
        db.psql("insert into t select %d + n, repeat('z', 200) from generate_series(1, 5000) as n" % (turn * 5000))
        for turn in range(40)])
    source.start()
    stops = 0
    while source.is_alive():
        worker.run_for(0.7)
        assert worker.stop(15) == 0, worker.log_tail()
        stops += 1
        worker.start()
    source.join()
    wait_durable(worker, db)
    assert worker.stop() == 0, worker.log_tail()
    assert ids_in_kafka(worker, t.broker) == list(range(1, 200001))
    print("stopped %d times" % stops)
