"""Tables whose rows are rewritten without events: silver reads them again by itself, Kafka and bronze notice nothing.

ALTER TABLE with a new type (which may be the old one), a volatile default and the like; a table that was UNLOGGED.
"""

import json

from lib.consumer import read_all
from lib.support import wait_for
from lib.truth import check_silver, finish


def stream(t, sql, outputs="kafka,bronze,silver", **config):
    """A worker that streams what sql makes."""
    db = t.database()
    db.psql(sql)
    worker = t.worker(db, outputs=outputs, **dict({"lake.flush.interval.ms": 100}, **config))
    worker.start()
    worker.wait_log("streaming from slot", 60)
    return db, worker


def printed(db, worker, until):
    """The records that the plugin makes, whose formats for people hear nothing of rewrites: of source.sequence, too."""
    with db.connect() as connection:
        return [json.loads(data) for (data,) in connection.execute(
            "select data from pg_logical_slot_peek_changes('reference', %s, null, 'format', 'record', 'topic_prefix', %s,"
            " 'provide_transaction_metadata', 'true', 'message_prefix_exclude_list', 'test')",
            (until, worker.config["topic.prefix"]))]


def place(value):
    return (value["source"]["lsn"], value["source"]["sequence"], value["op"], json.dumps(value["after"]),
            json.dumps(value["transaction"]))


def transactions(values):
    return [(value["status"], value["id"], value["event_count"]) for value in values]


def check_events(t, db, worker, until, rows):
    """Kafka has the records of the plugin after the initial snapshot's rows, and no other r; so has bronze."""
    expected = printed(db, worker, until)
    topics = [topic for topic in t.broker.topics() if topic.startswith(worker.config["topic.prefix"] + ".")]
    assert not {record["topic"] for record in expected} - set(topics), topics
    seen = list(read_all(t.broker, *topics))
    assert sum(record.value is not None and record.topic.count(".public.") and record.json["op"] == "r"
               for record in seen) == rows
    for topic in topics:
        values = [json.loads(record["value"]) for record in expected if record["topic"] == topic and record["value"]]
        found = [record.json for record in seen if record.topic == topic and record.value is not None]
        if ".public." in topic:
            values = [place(value) for value in values]
            found = [place(value) for value in found if value["op"] != "r"]
            # the reference slot knows nothing of what was before it
            assert [value[:1] + value[2:] for value in values] == [value[:1] + value[2:] for value in found], topic
            assert [value[1] for value in values[1:]] == [value[1] for value in found[1:]], topic
        else:
            assert transactions(values) == transactions(found), (topic, transactions(values), transactions(found))


def stale(t, worker):
    return {row["table_name"] for row in t.lake(worker).checkpoint() if row["status"] == "stale"}


def wait_read(t, db, worker):
    """What was written is stored, and no table waits to be read for it."""
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 300)
    wait_for(lambda: not stale(t, worker) and "unread=" not in json.dumps(
        t.lake(worker).metadata("cdc_checkpoints")["properties"]), 120, lambda: "the tables to be read: " + worker.log_tail())


def test_whatever_rewrites(t):
    db, worker = stream(t, """
        create table kept (id int primary key, v text);
        create table typed (id int primary key, n int, v text);
        create table defaulted (id int primary key);
        create table unlogged (id int primary key, v text);
        create table parts (id int primary key, v text) partition by range (id);
        create table parts_low partition of parts for values from (0) to (500);
        create table parts_high partition of parts for values from (500) to (2000);
        create table empty (id int primary key, n int);
        insert into kept select n, 'a' || n from generate_series(1, 1000) n;
        insert into typed select n, n, repeat('toast', 2000) || n from generate_series(1, 100) n;
        insert into defaulted select generate_series(1, 1000);
        insert into unlogged select n, 'u' from generate_series(1, 1000) n;
        insert into parts select n, 'p' from generate_series(1, 1000) n""",
                        **{"provide.transaction.metadata": "true", "publish.via.partition.root": "true",
                           "lake.on.incompatible": "new_column"})
    db.psql("select pg_create_logical_replication_slot('reference', 'cdc_decoder')")
    db.psql("insert into kept values (2000, 'before')")
    db.psql("""
        begin;
        update kept set v = 'first' where id = 1;
        alter table kept alter v type text using upper(v);
        update kept set v = 'second' where id = 2;
        delete from kept where id = 3;
        alter table typed alter n type text using 'n' || n, alter v type text using v || v;
        savepoint s;
        alter table typed alter id type int using id + 100000;
        rollback to s;
        commit""")
    db.psql("alter table unlogged set unlogged; update unlogged set v = 'x' where id < 10;"
            "delete from unlogged where id > 990; alter table unlogged set logged")
    db.psql("alter table defaulted add at timestamptz default clock_timestamp(), add n int generated by default as identity")
    db.psql("alter table parts alter v type varchar(9) using upper(v) || length(v); alter table empty alter n type bigint")
    db.psql("begin; alter table kept alter v type text using 'never'; rollback; vacuum full kept; cluster kept using kept_pkey")
    db.psql("insert into kept values (3000, 'after')")
    wait_read(t, db, worker)
    until = finish(db, worker)
    assert worker.log_text().count("will be read") == 5, worker.log_text()
    check_silver(db, worker, t.lake(worker), ["kept", "typed", "defaulted", "unlogged", "parts"])
    check_events(t, db, worker, until, 4100)


def test_killed_while_it_waits(t):
    """Silver says that it is stale, and that this will end by itself, through kills, and is right in the end."""
    db, worker = stream(t, "create table kept (id int primary key, v text); create table other (id int primary key);"
                           "insert into kept select n, 'a' || n from generate_series(1, 50000) n", outputs="silver")
    with db.connect(autocommit=False) as connection:
        connection.execute("insert into other values (1)")  # the place for reading is beyond what runs now
        db.psql("alter table kept alter v type text using upper(v)")
        wait_for(lambda: stale(t, worker) == {"silver_kept"}, 60, "silver to be stale")
        assert "will be read again by itself" in t.lake(worker).metadata("silver_kept")["properties"]["cdc.stale"]
        worker.kill()
        # a message of that prefix that somebody else emits is a message as any other
        db.psql("select pg_logical_emit_message(true, 'cdc_sink.rewritten', 'public.other'),"
                " pg_logical_emit_message(true, 'cdc_sink.rewritten', '1234')")
        since = len(worker.log_text())
        worker.start()
        worker.wait_log("\"public.kept\" will be read", 60, since=since)
        connection.commit()
    wait_for(lambda: "is held at" in worker.log_text()[since:], 60, "the hold")
    worker.kill()
    db.psql("update kept set v = 'later' where id = 1; delete from kept where id = 2")
    worker.start()
    wait_read(t, db, worker)
    finish(db, worker)
    assert "\"public.other\" will be read" not in worker.log_text()
    check_silver(db, worker, t.lake(worker), ["kept", "other"])


def test_what_reads_nothing(t):
    """Kafka alone, and a lake whose snapshots leave the table out: that one says that it is stale."""
    sql = "create table kept (id int primary key, v text); insert into kept select n, 'a' from generate_series(1, 10) n"
    db, worker = stream(t, sql, outputs="kafka", **{"lake.flush.interval.ms": None})
    db.psql("alter table kept alter v type text using upper(v); insert into kept values (11, 'new')")
    finish(db, worker)
    assert "reread" not in worker.log_text(), worker.log_tail()
    assert [record.json["op"] for record in read_all(t.broker, worker.config["topic.prefix"] + ".public.kept")] \
        == ["r"] * 10 + ["c"]
    db, worker = stream(t, sql, outputs="silver", **{"snapshot.include.collection.list": "public.none"})
    db.psql("insert into kept values (11, 'new')")
    db.psql("alter table kept alter v type text using upper(v)")
    finish(db, worker)
    assert stale(t, worker) == {"silver_kept"} and "reread" not in worker.log_text(), worker.log_tail()


def test_types_that_silver_cannot_follow(t):
    """They stop the worker at the rewrite, or continue in a new column that has all values."""
    db, worker = stream(t, "create table typed (id int primary key, v text);"
                           "insert into typed select n, n from generate_series(1, 100) n", outputs="silver")
    db.psql("alter table typed alter v type int using v::int + 1")
    worker.ends(2, "became integer", "lake.on.incompatible=new_column")
    worker.config["lake.on.incompatible"] = "new_column"
    worker.start()
    worker.wait_log("the stream goes on", 60)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["typed"])


def test_promise_is_taken_back_after_a_rename(t):
    """It is read by the name that it had at the rewrite."""
    db, worker = stream(t, "create table b (id int primary key, v text); insert into b select n, 'b' from generate_series(1, 100) n")
    db.psql("""
        begin; alter table b rename to b_tmp; alter table b_tmp alter v type text using upper(v);
        alter table b_tmp rename to b; commit; insert into b values (101, 'seen')""")
    lake = t.lake(worker)
    wait_for(lambda: "renamed or dropped before" in lake.metadata("silver_b")["properties"].get("cdc.stale", ""), 60,
             "the reason to be right")
    wait_for(lambda: stale(t, worker), 60, "the cut that says so")
    code, output, errors = worker.command("snapshot", "--tables", "public.b")
    assert code == 0, output + errors
    wait_for(lambda: not stale(t, worker), 60, "the table to be read")
    finish(db, worker)
    check_silver(db, worker, lake, ["b"])
