"""snapshot.mode and what else decides when and what a snapshot reads, through the worker into Kafka and silver."""

from lib.consumer import read_all


def rows(t, worker):
    """(topic without prefix, op, marker, first value of the row) of every record with a value."""
    prefix = worker.config["topic.prefix"] + "."
    found = []
    for record in read_all(t.broker, *[topic for topic in t.broker.topics() if topic.startswith(prefix)]):
        if record.json is None:
            continue
        event = record.json
        row = event["after"] or event["before"]
        found.append((record.topic[len(prefix):], event["op"], event["source"]["snapshot"], next(iter(row.values()))))
    return found


def reads(t, worker):
    return [row for row in rows(t, worker) if row[1] == "r"]


def shop(t):
    db = t.database()
    db.psql("create table a (id int primary key); insert into a values (1), (2);"
            "create table b (id int primary key); insert into b values (5)")
    return db


def test_snapshot_mode_initial_only(t):
    """The rows come, nothing is streamed, no slot is left; a second start has nothing to do."""
    db = shop(t)
    worker = t.worker(db, outputs="kafka", snapshot__mode="initial_only")
    slot = worker.config["slot.name"]
    for _ in range(2):
        assert worker.start().wait(60) == 0, worker.log_tail()
        assert not db.slot_exists(slot)
        db.psql("insert into a select max(id) + 1 from a")
    assert sorted(reads(t, worker)) == [("public.a", "r", "first", 1), ("public.a", "r", "last_in_data_collection", 2),
                                        ("public.b", "r", "last", 5)]
    assert len(rows(t, worker)) == 3


def test_snapshot_mode_always(t):
    """Every start reads all rows; silver holds what the tables hold, deletes in between included."""
    db = shop(t)
    worker = t.worker(db, outputs="kafka,silver", snapshot__mode="always")
    worker.run_until(db.lsn())
    db.psql("insert into a values (3); delete from a where id = 1")
    worker.run_until(db.lsn())
    db.psql("insert into a values (4)")
    worker.run_until(db.lsn())
    assert len(reads(t, worker)) == 3 + 3 + 4
    assert [row for row in rows(t, worker) if row[1] != "r"] == []
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors


def test_snapshot_mode_when_needed(t):
    """Streams on where it can, and reads the tables again where the slot is gone; initial refuses."""
    db = shop(t)
    worker = t.worker(db, outputs="kafka,silver", snapshot__mode="when_needed")
    worker.run_until(db.lsn())
    db.psql("insert into a values (3)")
    worker.run_until(db.lsn())
    assert rows(t, worker)[-1][1:3] != ("r", "false") and len(reads(t, worker)) == 3
    db.drop_slots()
    db.psql("insert into a values (4); delete from a where id = 1")
    worker.config["snapshot.mode"] = "initial"
    worker.run_until(db.lsn(), expect=2)
    worker.config["snapshot.mode"] = "when_needed"
    worker.run_until(db.lsn())
    assert "does not exist: all tables are read again" in worker.log_text()
    assert len(reads(t, worker)) == 3 + 4
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors


def test_snapshot_mode_when_needed_lost_slot(t):
    """A slot whose WAL the server removed is made anew."""
    cluster = t.new_cluster(max_slot_wal_keep_size="1MB", max_wal_size="64MB", min_wal_size="32MB").start()
    db = t.database(cluster, name="lost")
    db.psql("create table a (id int primary key, v text); insert into a values (1)")
    worker = t.worker(db, outputs="kafka", snapshot__mode="when_needed")
    slot = worker.config["slot.name"]
    worker.run_until(db.lsn())
    while db.psql("select wal_status from pg_replication_slots where slot_name = '%s'" % slot) != "lost":
        db.psql("insert into a select g, 'x' from generate_series((select max(id) + 1 from a), 10000) g;"
                "select pg_switch_wal(); checkpoint; delete from a where id > 1")
    worker.run_until(db.lsn())
    assert "has lost WAL that it needs (max_slot_wal_keep_size): all tables are read again" in worker.log_text()
    assert [row[3] for row in reads(t, worker)] == [1, 1]


def test_snapshot_include_and_order(t):
    """Tables are read in the order of table.include.list; snapshot.include.collection.list leaves some out."""
    db = shop(t)
    db.psql("create table c (id int primary key); insert into c values (7); create schema a;"
            "create table a.z (id int primary key); insert into a.z values (8)")
    first = t.worker(db, outputs="kafka", table__include__list="public\\\\.c,public\\\\..*")
    first.run_until(db.lsn())
    markers = {row[0]: row[2] for row in reads(t, first)}
    assert markers == {"public.c": "first", "public.a": "last_in_data_collection", "public.b": "last"}
    second = t.worker(db, outputs="kafka", snapshot__include__collection__list="public\\\\.[bc],a\\\\.z")
    second.run_until(db.lsn())
    assert {row[0] for row in reads(t, second)} == {"a.z", "public.b", "public.c"}
    db.psql("insert into a values (3)")
    second.run_until(db.lsn())
    assert rows(t, second)[-1] == ("public.a", "c", "false", 3) or ("public.a", "c", "false", 3) in rows(t, second)
    third = t.worker(db, outputs="kafka", snapshot__tables__order__by__row__count="descending")
    db.psql("analyze")
    third.run_until(db.lsn())
    assert reads(t, third)[0][0] == "public.a" or ("public.a", "r", "first", 1) in reads(t, third)


def test_snapshot_select(t):
    """A SELECT of the user's: its rows, its order, names found as in his session; errors name the setting."""
    db = shop(t)
    overrides = "snapshot.select.statement.overrides"
    worker = t.worker(db, outputs="kafka,silver", **{
        overrides: "public.a", overrides + ".public.a": "select id + 10 as id from a order by id desc;"})
    worker.run_until(db.lsn())
    assert [row[2:] for row in reads(t, worker) if row[0] == "public.a"] == [("first", 12),
                                                                           ("last_in_data_collection", 11)]
    assert "is stale until it is read again: the table was not read whole" in worker.log_text()
    for wrong, message in (("select 1 as other", "column \"id\" does not exist"),
                           ("select from", "syntax error"), ("select 1/0 as id from a", "division by zero")):
        worker = t.worker(db, outputs="kafka", **{
            overrides: "public.a", overrides + ".public.a": wrong})
        worker.run_until(db.lsn(), expect=2)
        assert message in worker.log_text() and overrides in worker.log_text(), worker.log_tail()


def test_snapshot_delays(t):
    """Asked to stop while it waits, the worker stops."""
    db = shop(t)
    worker = t.worker(db, outputs="kafka", snapshot__delay__ms="1h")
    worker.start()
    worker.wait_log("waiting 3600000 ms before snapshot")
    assert worker.stop() == 0
    worker.config["snapshot.delay.ms"] = 0
    worker.config["streaming.delay.ms"] = "1h"
    worker.start()
    worker.wait_log("waiting 3600000 ms before streaming")
    assert worker.stop() == 0
    worker.config["streaming.delay.ms"] = 10
    worker.run_until(db.lsn())
    assert len(reads(t, worker)) == 3


def test_snapshot_of_partitions(t):
    """Kafka gets a partitioned table by its own name, too, as from Debezium; silver has each row once."""
    db = t.database()
    db.psql("create table p (id int primary key) partition by range (id);"
            "create table p1 partition of p for values from (0) to (10); insert into p values (1), (2)")
    worker = t.worker(db, outputs="kafka,silver")
    worker.run_until(db.lsn())
    assert sorted(row[0] + str(row[3]) for row in reads(t, worker)) == [
        "public.p1", "public.p11", "public.p12", "public.p2"]
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors
    worker = t.worker(db, outputs="kafka", publish__via__partition__root="true")
    worker.run_until(db.lsn())
    assert sorted(row[0] + str(row[3]) for row in reads(t, worker)) == ["public.p1", "public.p2"]
