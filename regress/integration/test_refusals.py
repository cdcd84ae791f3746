"""What somebody must change first: exit code 2, a sentence that names the thing, and nothing touched."""

from lib.cluster import Cluster, Database
from lib.support import scratch
from lib.worker import Worker

_shared = {}


def server():
    if "cluster" not in _shared:
        _shared["cluster"] = Cluster().start()
        _shared["cluster"].create_database("refusals").psql("create table t (id int primary key)")
    return _shared["cluster"]


def database():
    return Database(server(), "refusals")


def lake_worker(db, **config):
    settings = {"outputs": "silver", "lake.warehouse": "file://%s" % scratch("lake"), "errors.max.retries": 2}
    settings.update(config)
    return Worker(db, **settings)


def refused(worker, *parts, code=2, arguments=()):
    """Runs it and checks the exit code and that the messages contain all parts."""
    ended, output, errors = worker.command("run", *arguments, timeout=60)
    assert ended == code, "exit code %s, not %s:\n%s%s" % (ended, code, output, errors)
    for part in parts:
        assert part in errors, "no \"%s\" in:\n%s" % (part, errors)


def test_unrecognized_setting_names_the_nearest():
    refused(lake_worker(database(), **{"lake.flush.intervl.ms": 5}), "lake.flush.intervl.ms", "lake.flush.interval.ms")


def test_bad_value():
    refused(lake_worker(database(), **{"decimal.handling.mode": "exact"}), "decimal.handling.mode", "exact", "precise")


def test_wrong_password():
    cluster = server()
    cluster.postgres.psql("create role secretive login replication superuser password 'right'")
    cluster.set_hba("host all secretive 127.0.0.1/32 scram-sha-256", "local all all trust",
                    "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust")
    cluster.reload()
    worker = lake_worker(database(), **{"database.user": "secretive", "database.password": "wrong"})
    refused(worker, "password authentication failed")
    assert "wrong" not in worker.log_text()


def test_absent_database():
    refused(lake_worker(database(), **{"database.dbname": "nowhere"}), "\"nowhere\" does not exist")


def test_slot_of_another_plugin():
    db = database()
    db.psql("select pg_create_logical_replication_slot('foreign_slot', 'test_decoding')")
    refused(lake_worker(db, **{"slot.name": "foreign_slot"}), "foreign_slot", "test_decoding")
    assert db.slot_exists("foreign_slot")


def test_slot_without_a_position():
    db = database()
    db.psql("select pg_create_logical_replication_slot('strangers', 'cdc_decoder')")
    refused(lake_worker(db, **{"slot.name": "strangers"}), "no output holds a position", "pg_drop_replication_slot")
    assert db.slot_exists("strangers")


def test_slot_in_use():
    db = database()
    first = lake_worker(db, **{"slot.name": "busy"})
    first.start()
    first.wait_log("streaming from slot")
    second = lake_worker(db, **{"slot.name": "busy", "lake.warehouse": first.config["lake.warehouse"]})
    refused(second, "busy", "is active for PID", code=1)
    assert first.running
    assert first.stop() == 0, first.log_tail()


def test_wal_level_replica():
    cluster = Cluster(wal_level="replica").start()
    cluster.postgres.psql("create table t (id int primary key)")
    refused(lake_worker(cluster.postgres), "wal_level")
    cluster.destroy()


def test_plugin_not_allowed():
    cluster = Cluster(allow_plugin=False)
    if not cluster.knows("output_plugin_libraries"):
        print("this server has no output_plugin_libraries: every plugin is allowed")
        return
    cluster.start()
    cluster.postgres.psql("create table t (id int primary key)")
    refused(lake_worker(cluster.postgres), "output_plugin_libraries", "pg_reload_conf",
            "pgoutput, test_decoding, cdc_decoder")
    worker = lake_worker(cluster.postgres)
    code, output, errors = worker.command("check")
    assert code == 1 and "output_plugin_libraries" in output + errors, output + errors
    cluster.destroy()


def test_warehouse_that_cannot_be_written():
    worker = lake_worker(database(), **{"slot.name": "nowarehouse", "lake.warehouse": "file:///proc/nowhere"})
    refused(worker, "/proc/nowhere")
    code, output, errors = worker.command("check")
    assert code == 1 and "/proc/nowhere" in output + errors, output + errors
