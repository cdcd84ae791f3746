"""Changed lists of tables on a running slot: what is new is read in mid-stream, what goes stays as it was."""

import json

from lib.consumer import read_all
from lib.support import wait_for
from lib.truth import check_silver, finish

TABLES = """
    create table a (id int primary key, v text);
    create table b (id int primary key, v text, large text);
    create table c (id int primary key);
    create table parts (id int primary key) partition by range (id);
    create table parts_low partition of parts for values from (0) to (100);
    create table parts_high partition of parts for values from (100) to (200);
    insert into a select n, 'a' from generate_series(1, 100) n;
    insert into b select n, 'b', repeat(md5(n::text), case when n <= 100 then 500 else 1 end) from generate_series(1, 3000) n;
    insert into parts select generate_series(1, 150);
    alter table b alter large set storage external"""


def start(t, db, tables, **config):
    worker = t.worker(db, **dict({"table.include.list": tables, "lake.flush.interval.ms": 100}, **config))
    worker.start()
    worker.wait_log("streaming from slot", 60)
    return worker


def restart(db, worker, tables, change=None):
    """Stopped, with other lists, started, with changes between: returns where the log goes on."""
    if worker.running:
        assert worker.stop() == 0, worker.log_tail()
    if change:
        db.psql(change)
    worker.config["table.include.list"] = tables
    since = len(worker.log_text())
    worker.start()
    return since


def last_states(t, worker, table):
    """What a consumer of the topic has in the end, {id: v}; and how many r there were."""
    states = {}
    reads = 0
    for record in read_all(t.broker, "%s.public.%s" % (worker.config["topic.prefix"], table)):
        key = json.loads(record.key)["id"]
        if record.value is None or record.json["op"] == "d":
            states.pop(key, None)
        else:
            states[key] = record.json["after"].get("v")
            reads += record.json["op"] == "r"
    return states, reads


def check_topic(t, db, worker, table):
    states, reads = last_states(t, worker, table)
    with db.connect() as connection:
        assert sorted(states.items()) == sorted(connection.execute("select id, v from %s" % table).fetchall())
    return reads


def statuses(t, worker):
    return {row["table_name"]: row["status"] for row in t.lake(worker).checkpoint()}


def test_tables_come_go_and_come_back(t):
    db = t.database()
    db.psql(TABLES)
    worker = start(t, db, "public.a,public.parts_low", outputs="kafka,bronze,silver")
    db.psql("update b set v = 'unseen' where id = 1; insert into a values (101, 'a')")
    # killed when it holds the stream for the new tables, whose changes since the stored position come before them
    worker.kill()
    since = restart(db, worker, "public.[ab],public.parts_.*", """
        update b set v = 'before' where id between 10 and 20; delete from b where id = 2;
        insert into b values (4000, 'new', 'x'); insert into parts values (151);
        update a set v = 'moved' where id = 1; update b set id = 5000 where id = 3""")
    wait_for(lambda: "is held at" in worker.log_text()[since:] or not worker.running, 60, "the hold")
    worker.kill()
    db.psql("update b set v = 'between' where id between 15 and 25; delete from b where id = 4")
    worker.start()
    wait_for(lambda: "unread=" not in json.dumps(t.lake(worker).metadata("cdc_checkpoints")["properties"]), 60,
             lambda: "all tables to be read: " + worker.log_tail())
    db.psql("update b set v = 'after' where id between 20 and 30")
    db.psql("create table ab (id int primary key); insert into ab values (1)")  # not matched, later neither
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["a", "b", "parts"])
    assert check_topic(t, db, worker, "b") >= 2999
    assert check_topic(t, db, worker, "a") == 100, "a was read again"

    since = restart(db, worker, "public.a,public.parts_.*")
    worker.wait_log("table \"public.b\" is not captured any more", 60, since=since)
    db.psql("delete from b where id > 100; update b set v = 'unseen' where id = 5; insert into a values (102, 'a')")
    finish(db, worker)
    lake = t.lake(worker)
    assert statuses(t, worker)["silver_b"] == "stale" and statuses(t, worker)["silver_a"] == "live", statuses(t, worker)
    assert lake.arrow("silver_b").num_rows > 2900
    code, output, errors = worker.command("verify")
    assert code == 0 and "ok public.b" not in output and "-- silver_b: nothing to compare it with" in output, output + errors
    code, output, errors = worker.command("verify", "--set", "table.include.list=public.[ab],public.parts_.*")
    assert code == 2 and "other lists of tables" in errors, output + errors

    since = restart(db, worker, "public.[abc],public.parts_.*", "insert into b values (50, 'again', '') on conflict do nothing;"
                    "delete from b where id = 51; create table d (id int)")
    worker.wait_log("the stream goes on", 60, since=since)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["a", "b", "parts"])
    assert check_topic(t, db, worker, "a") == 100, "a was read again"


def test_tables_that_snapshots_leave_out(t):
    """They come with their changes, and silver says that their rows were not read, or not again."""
    db = t.database()
    db.psql(TABLES)
    worker = start(t, db, "public.[ab]", outputs="silver")
    restart(db, worker, "public.a", "insert into a values (101, 'a')")
    worker.wait_log("is not captured any more", 60)
    db.psql("delete from b where id = 1")
    finish(db, worker)
    worker.config["snapshot.mode"] = "no_data"
    restart(db, worker, "public.[abc]", "insert into c values (1)")
    db.psql("insert into b values (1, 'back', '')")
    finish(db, worker)
    assert statuses(t, worker) == {"silver_a": "live", "silver_b": "stale", "silver_c": "stale"}
    code, output, errors = worker.command("verify")
    assert code == 1 and "snapshots leave it out" in output, output + errors
    worker.config["snapshot.mode"] = "initial"
    worker.start()
    code, output, errors = worker.command("snapshot", "--tables", "public.b,public.c")
    assert code == 0, errors
    worker.wait_log("the stream goes on", 60)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["a", "b", "c"])


def test_other_filters_are_still_refused(t):
    db = t.database()
    db.psql(TABLES)
    worker = start(t, db, "public.a", outputs="silver")
    worker.config["column.exclude.list"] = "public.a.v"
    restart(db, worker, "public.[ab]")
    worker.ends(2, "was stored under other table, column or row filters")


def killed_unconfirmed(t, db, worker, topic):
    """Killed when Kafka has a row of b that was not confirmed: the slot will bring what is before it again."""
    seen = sum(1 for _ in read_all(t.broker, topic))
    db.psql("insert into b values (7777, 'x')")
    wait_for(lambda: sum(1 for _ in read_all(t.broker, topic)) > seen, 60, "the row in Kafka")
    worker.kill()


def test_last_transaction_of_a_table_that_has_gone(t):
    """It does not come again, and that is no sign of another history."""
    db = t.database()
    db.psql(TABLES + "; create publication pub for table a, b")
    worker = start(t, db, "public.a,public.b", outputs="kafka,bronze,silver",
                   **{"lake.flush.interval.ms": 30000, "status.update.interval.ms": 10000})
    killed_unconfirmed(t, db, worker, worker.config["topic.prefix"] + ".public.b")
    worker.config["lake.flush.interval.ms"] = 100
    restart(db, worker, "public.a", "insert into a values (8888, 'y')")
    finish(db, worker)
    check_topic(t, db, worker, "a")

    other = start(t, db, "public.a,public.b", outputs="kafka",
                  **{"publication.autocreate.mode": "disabled", "publication.name": "pub", "status.update.interval.ms": 10000})
    db.psql("delete from b where id = 7777")
    killed_unconfirmed(t, db, other, other.config["topic.prefix"] + ".public.b")
    db.psql("alter publication pub drop table b; insert into a values (8889, 'z')")
    other.run_until(db.lsn())
    check_topic(t, db, other, "a")
