"""What somebody must change first: exit code 2, a sentence that names the thing, and nothing touched."""

from lib.consumer import Reader

TABLE = "create table t (id int primary key)"


def lake_worker(t, db, **config):
    return t.worker(db, outputs="silver", **dict({"errors.max.retries": 2}, **config))


def refused(worker, *parts, code=2, arguments=()):
    """Runs it and checks the exit code and that the messages contain all parts."""
    ended, output, errors = worker.command("run", *arguments, timeout=60)
    assert ended == code, "exit code %s, not %s:\n%s%s" % (ended, code, output, errors)
    for part in parts:
        assert part in errors, "no \"%s\" in:\n%s" % (part, errors)


def test_unrecognized_setting_names_the_nearest(t):
    refused(lake_worker(t, t.database(), **{"lake.flush.intervl.ms": 5}), "lake.flush.intervl.ms", "lake.flush.interval.ms")


def test_bad_value(t):
    refused(lake_worker(t, t.database(), **{"decimal.handling.mode": "exact"}), "decimal.handling.mode", "exact", "precise")


def test_wrong_password(t):
    cluster = t.new_cluster().start()
    cluster.postgres.psql("create role secretive login replication superuser password 'right'")
    cluster.set_hba("host all secretive 127.0.0.1/32 scram-sha-256", "local all all trust",
                    "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust")
    cluster.reload()
    worker = lake_worker(t, cluster.postgres, **{"database.user": "secretive", "database.password": "wrong"})
    refused(worker, "password authentication failed")
    assert "wrong" not in worker.log_text()


def test_absent_database(t):
    refused(lake_worker(t, t.database(), **{"database.dbname": "nowhere"}), "\"nowhere\" does not exist")


def test_slot_of_another_plugin(t):
    db = t.database()
    db.psql("select pg_create_logical_replication_slot('foreign_slot', 'test_decoding')")
    refused(lake_worker(t, db, **{"slot.name": "foreign_slot"}), "foreign_slot", "test_decoding")
    assert db.slot_exists("foreign_slot")


def test_slot_without_a_position(t):
    db = t.database()
    db.psql("select pg_create_logical_replication_slot('strangers', 'cdc_decoder')")
    refused(lake_worker(t, db, **{"slot.name": "strangers"}), "no output holds a position", "pg_drop_replication_slot")
    assert db.slot_exists("strangers")


def test_slot_in_use(t):
    db = t.database()
    first = lake_worker(t, db, **{"slot.name": "busy"})
    first.start()
    first.wait_log("streaming from slot")
    second = lake_worker(t, db, **{"slot.name": "busy", "lake.warehouse": first.config["lake.warehouse"]})
    refused(second, "busy", "is in use by PID", "(cdc-sink from 127.0.0.1)", "is not disturbed", code=1)
    assert first.running
    assert first.stop() == 0, first.log_tail()


def test_wal_level_replica(t):
    cluster = t.new_cluster(wal_level="replica").start()
    cluster.postgres.psql(TABLE)
    refused(lake_worker(t, cluster.postgres), "wal_level")


def test_plugin_not_allowed(t):
    cluster = t.new_cluster(allow_plugin=False)
    if not cluster.knows("output_plugin_libraries"):
        print("this server has no output_plugin_libraries: every plugin is allowed")
        return
    cluster.start()
    cluster.postgres.psql(TABLE)
    refused(lake_worker(t, cluster.postgres), "output_plugin_libraries", "pg_reload_conf",
            "pgoutput, test_decoding, cdc_decoder")
    worker = lake_worker(t, cluster.postgres)
    code, output, errors = worker.command("check")
    assert code == 1 and "output_plugin_libraries" in output + errors, output + errors


def test_warehouse_that_cannot_be_written(t):
    worker = lake_worker(t, t.database(), **{"slot.name": "nowarehouse", "lake.warehouse": "file:///proc/nowhere"})
    refused(worker, "/proc/nowhere")
    code, output, errors = worker.command("check")
    assert code == 1 and "/proc/nowhere" in output + errors, output + errors


def test_value_that_its_schema_cannot_hold(t):
    db = t.database()
    db.psql("create table t (id int primary key, n numeric(5, 2)); insert into t values (1, 1.5), (2, 'NaN')")
    worker = t.worker(db, outputs="kafka", **{"event.converting.failure.handling.mode": "fail"})
    refused(worker, 'table "public.t"', 'the schema of column "n" cannot hold its value')
    worker.config["event.processing.failure.handling.mode"] = "warn"
    worker.run_until(db.lsn())
    assert 'event skipped: ' in worker.log_text() and " 1 refused" in worker.log_text(), worker.log_tail()
    reader = Reader(t.broker, worker.config["topic.prefix"] + ".public.t")
    assert [record.json["after"]["id"] for record in reader.to_end()] == [1]
    reader.close()
