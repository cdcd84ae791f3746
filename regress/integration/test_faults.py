"""Outages: the broker, the server, the disk.  Nothing is lost, nothing comes twice, memory stays bounded."""

import os
import pathlib
import subprocess
import threading

from lib.broker import Broker
from lib.cluster import Cluster
from lib.consumer import read_all
from lib.lake import Lake
from lib.support import at_end, scratch, undo_now
from lib.worker import Worker

TABLE = "create table t (id int primary key, v text)"


def start_cluster(name):
    cluster = Cluster().start()
    db = cluster.create_database(name)
    db.psql(TABLE)
    return cluster, db


def ids_in_kafka(broker, topic="cdc.public.t"):
    """The ids of all create events, in order."""
    return [record.json["after"]["id"] for record in read_all(broker, topic) if record.value]


def test_broker_down_at_start_and_in_mid_run():
    cluster, db = start_cluster("outage")
    broker = Broker().start()
    broker.stop()
    worker = Worker(db, **{"outputs": "kafka", "kafka.bootstrap.servers": broker.bootstrap, "topic.prefix": "cdc"})
    worker.start()
    worker.wait_log("trying again", 60)
    broker.start()
    worker.wait_log("streaming from slot", 90)
    db.psql("insert into t select n, 'before' from generate_series(1, 1000) as n")
    db.wait_confirmed("cdc_sink", db.lsn())
    broker.kill()
    # 60 MB that nobody takes: reading stops, memory stays bounded, the server keeps its walsender
    for start in range(0, 60):
        db.psql("insert into t select %d + n, repeat('x', 1000) from generate_series(1, 1000) as n" % (1000 + start * 1000))
    until = db.lsn()
    broker.start()
    db.wait_confirmed("cdc_sink", until, 180)
    assert worker.stop() == 0, worker.log_tail()
    assert ids_in_kafka(broker) == list(range(1, 61001))
    assert worker.rss_peak < 200e6, worker.rss_peak
    broker.destroy()
    cluster.destroy()


def test_server_restarts_and_crashes():
    cluster, db = start_cluster("restarts")
    warehouse = scratch("lake")
    broker = Broker().start()
    worker = Worker(db, **{"outputs": "kafka,bronze,silver", "kafka.bootstrap.servers": broker.bootstrap,
                           "topic.prefix": "cdc", "lake.warehouse": "file://%s" % warehouse,
                           "lake.flush.interval.ms": 300})
    worker.start()
    worker.wait_log("streaming from slot", 60)
    for turn, mode in enumerate(("fast", "immediate", "fast")):
        db.psql("insert into t select %d + n, 'x' from generate_series(1, 500) as n" % (turn * 500))
        cluster.restart(mode)
    db.psql("update t set v = 'y' where id % 3 = 0")
    db.wait_confirmed("cdc_sink", db.lsn(), 90)
    assert worker.running
    assert worker.stop() == 0, worker.log_tail()
    created = [r.json["after"]["id"] for r in read_all(broker) if r.value and r.json["op"] == "c"]
    assert created == list(range(1, 1501))
    assert Lake(warehouse).compare(db, "public.t") == []
    broker.destroy()
    cluster.destroy()


class SmallDisk:
    """A file system of some megabytes; mounting it takes root."""

    def __init__(self, megabytes):
        self.dir = scratch("disk")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % megabytes, "tmpfs", str(self.dir)], check=True)
        self.unmount = at_end(lambda: subprocess.run(["umount", "-l", str(self.dir)], check=True))

    def grow(self, megabytes):
        subprocess.run(["mount", "-o", "remount,size=%dm" % megabytes, str(self.dir)], check=True)


def test_disk_full_on_the_warehouse():
    if os.geteuid() != 0:
        print("a file system of its own takes root; this part runs in CI")
        return
    cluster, db = start_cluster("full")
    disk = SmallDisk(4)
    worker = Worker(db, **{"outputs": "bronze,silver", "lake.warehouse": "file://%s" % disk.dir,
                           "lake.flush.interval.ms": 200, "errors.max.retries": 1})
    worker.start()
    worker.wait_log("streaming from slot", 60)
    db.psql("insert into t select n, md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text) from generate_series(1, 200000) as n")
    until = db.lsn()
    code = worker.wait(120)
    assert code == 1, (code, worker.log_tail())
    assert "No space left on device" in worker.log_text(), worker.log_tail()
    left = [path for path in pathlib.Path(disk.dir).rglob("*.tmp*")]
    assert not left, left
    disk.grow(400)
    worker.run_until(until)
    assert Lake(disk.dir).compare(db, "public.t") == []
    assert Lake(disk.dir).count("bronze_t", "duckdb") == 200000
    undo_now(disk.unmount)
    cluster.destroy()


def test_one_million_rows_in_one_transaction():
    cluster, db = start_cluster("million")
    warehouse = scratch("lake")
    broker = Broker().start()
    worker = Worker(db, **{"outputs": "kafka,bronze,silver", "kafka.bootstrap.servers": broker.bootstrap,
                           "topic.prefix": "cdc", "lake.warehouse": "file://%s" % warehouse})
    worker.start()
    worker.wait_log("streaming from slot", 60)
    db.psql("insert into t select n, 'row ' || n from generate_series(1, 1000000) as n")
    until = db.lsn()
    db.wait_confirmed("cdc_sink", until, 240)
    assert worker.stop() == 0, worker.log_tail()
    assert ids_in_kafka(broker) == list(range(1, 1000001))
    lake = Lake(warehouse)
    assert lake.sql("select count(*), count(distinct id), sum(id) from " + lake.scan("silver_t")).fetchone() == (
        1000000, 1000000, 500000500000)
    assert lake.count("bronze_t", "duckdb") == 1000000
    print("peak memory %.0f MB" % (worker.rss_peak / 1e6))
    assert worker.rss_peak < 512e6, worker.rss_peak
    broker.destroy()
    cluster.destroy()


def test_worker_stops_in_mid_transaction_and_goes_on():
    """SIGTERM while much is under way: it ends soon with 0, and nothing is lost or repeated."""
    cluster, db = start_cluster("drain")
    broker = Broker().start()
    worker = Worker(db, **{"outputs": "kafka", "kafka.bootstrap.servers": broker.bootstrap, "topic.prefix": "cdc"})
    worker.start()
    worker.wait_log("streaming from slot", 60)
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
    db.wait_confirmed("cdc_sink", db.lsn(), 120)
    assert worker.stop() == 0, worker.log_tail()
    assert ids_in_kafka(broker) == list(range(1, 200001))
    print("stopped %d times" % stops)
    broker.destroy()
    cluster.destroy()
