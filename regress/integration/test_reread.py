"""Tables read in the middle of the stream: asked for, killed, beside a workload.

Whatever is read and whenever it is killed: each streamed event is in Kafka and bronze once and in order, no r comes
behind a later change of its row, and silver equals the source by two readers.
"""

import collections
import json
import random
import re
import threading

from lib.consumer import read_all
from lib.support import wait_for
from lib.truth import TABLES, WORKLOAD, check_bronze, check_kafka, check_silver, finish

CHANGES = 5000
UNAVAILABLE = "__debezium_unavailable_value"


class Load:
    """The seeded workload in a thread, until it is over."""

    def __init__(self, db, changes, seed):
        self._thread = threading.Thread(target=lambda: db.psql("call workload_run(%d, %d)" % (changes, seed)))
        self._thread.start()

    def wait(self):
        self._thread.join()


def stream(t, outputs="kafka,bronze,silver", rows=4000, **config):
    """A worker that streams, with the reference slot made."""
    db = t.database()
    db.psql_file(WORKLOAD)
    db.psql("call workload_run(%d, 3)" % rows)
    worker = t.worker(db, outputs=outputs, **dict({"lake.flush.interval.ms": 300}, **config))
    worker.start()
    worker.wait_log("streaming from slot", 120)
    db.psql("select pg_create_logical_replication_slot('reference', 'cdc_decoder')")
    return db, worker


def ask(worker, *tables):
    code, output, errors = worker.command("snapshot", "--tables", ",".join(tables))
    assert code == 0, output + errors
    return output


def check_last_states(broker, prefix):
    """An r that comes behind streamed events of its row must say what the last of them said."""
    before = {}
    repeated = collections.Counter()
    for record in read_all(broker, *[topic for topic in broker.topics() if topic.startswith(prefix + ".")]):
        if record.key is None:
            continue
        place = (record.topic, record.key)
        if record.value is not None and record.json["op"] == "r":
            repeated[record.topic.split(".", 2)[2]] += 1
            if record.topic.endswith(".w_part"):
                continue  # changes come by the names of its partitions
            assert place not in before or before[place] is not None, "%s: r of a deleted row" % (place,)
            known = {name: value for name, value in (before.get(place) or {}).items() if value != UNAVAILABLE
                     and not (isinstance(value, str) and UNAVAILABLE in value)}
            after = record.json["after"]
            if record.topic.endswith(".w_full"):
                known.pop("v", None)  # was rewritten without events
            different = [name for name, value in known.items() if after[name] != value]
            assert not different, "%s: r says otherwise of %s: %.60s, before %.60s" % (
                place, different, [after[name] for name in different], [known[name] for name in different])
            before[place] = after
        elif record.value is None or record.json["op"] == "d":
            before[place] = None
        else:
            before[place] = record.json["after"]
    return repeated


def check_all(t, db, worker, until):
    check_kafka(db, t.broker, worker.config["topic.prefix"], until)
    lake = t.lake(worker)
    check_bronze(db, lake, until)
    check_silver(db, worker, lake)
    return check_last_states(t.broker, worker.config["topic.prefix"])


def test_asked_for_beside_a_workload(t):
    db, worker = stream(t)
    # rows rewritten without events: silver cannot know before it reads them again
    db.psql("update w_full set v = 'lower' where n % 2 = 0; alter table w_full alter v type text using upper(v)")
    load = Load(db, CHANGES, 11)
    for round_ in range(3):
        since = len(worker.log_text())
        ask(worker, "public.w_full", "public.w_toast", "public.w_nokey_full")
        worker.wait_log("the stream goes on", 120, since=since)
    ask(worker, *("public.%s" % table for table in TABLES))
    load.wait()
    wait_for(lambda: worker.log_text().count("the stream goes on") >= 4, 120, "the fourth read")
    repeated = check_all(t, db, worker, finish(db, worker))
    assert repeated["w_full"] > 0, repeated


def test_killed_while_reading(t):
    generator = random.Random(5)
    db, worker = stream(t, rows=15000)
    load = Load(db, CHANGES * 2, 12)
    ask(worker, "public.w_full", "public.w_composite", "public.w_plain")
    db.psql("alter table w_full alter v type text using upper(v)")
    ask(worker, "public.w_full")
    for kill in range(6):
        if kill % 2 == 0:
            since = len(worker.log_text())
            wait_for(lambda: "is held at" in worker.log_text()[since:] or not worker.running, 60, "the hold")
        worker.run_for(generator.uniform(0.0, 0.3))
        worker.kill()
        worker.start()
        ask(worker, generator.choice(["public.w_plain", "public.w_toast,public.w_full"]))
    load.wait()
    wait_for(lambda: "unread=" not in positions(t, worker), 120, lambda: "all tables to be read: " + worker.log_tail())
    check_all(t, db, worker, finish(db, worker))


def positions(t, worker):
    return json.dumps(t.lake(worker).metadata("cdc_checkpoints")["properties"])


def test_asked_while_no_worker_runs(t):
    db, worker = stream(t, outputs="silver", rows=500)
    assert worker.stop() == 0, worker.log_tail()
    db.psql("alter table w_full alter v type text using upper(v)")
    ask(worker, "public.w_full")
    worker.start()
    worker.wait_log("the stream goes on", 60)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker))


def test_names_with_quotes(t):
    """A comma or a dot in a name wants quotes as in SQL, other names are as the catalog has them, with or without."""
    names = {"schema.Plain": ('public.schema.Plain', 'public."schema.Plain"', '"public"."schema.Plain"'),
             "we,ird": ('public."we,ird"', '"public"."we,ird" '),
             'qu"ote': ('public.qu"ote', '"public"."qu""ote"'),
             "Odd Name": ("public.Odd Name", '"public".Odd Name')}
    db = t.database()
    for name in names:
        db.psql('create table "%s" (id int primary key); insert into "%s" values (1)' % ((name.replace('"', '""'),) * 2))
    db.psql('create schema "s,.x"; create table "s,.x".t (id int primary key)')
    worker = t.worker(db, outputs="silver", **{"lake.flush.interval.ms": 300})
    worker.start()
    worker.wait_log("streaming from slot", 60)
    db.psql("create schema public2")
    for spelling in [spelling for spellings in names.values() for spelling in spellings] + ['"s,.x".t', '"s,.x"."t"']:
        assert "asked the worker" in ask(worker, spelling)
    said = ask(worker, '"public"."we,ird"', "public.Odd Name", ' "s,.x".t')
    assert said.rstrip().endswith("to read: public.we%2Cird,public.Odd%20Name,s%2C.x.t"), said
    worker.wait_log("table \"public.we,ird\" will be read", 60)
    worker.wait_log("table \"s,.x.t\" will be read", 60)
    for tables, expected in (('"public', "invalid name"), ('"public"', "invalid name"), ('public."we,ird', "invalid name"),
                             ('public."we,ird"x', "invalid name"), ("public.we,ird", 'table "public.we" does not exist'),
                             ('"public2"."we,ird"', "does not exist"), ('"public.we,ird"', "invalid name")):
        code, output, errors = worker.command("snapshot", "--tables", tables)
        assert code == 2 and expected in errors and 'hint: Write schema.table' in errors, (tables, code, output, errors)
    finish(db, worker)
    for name in names:
        check_silver(db, worker, t.lake(worker), [name])


def test_what_cannot_be_asked_for(t):
    db, worker = stream(t, outputs="silver", rows=100, **{"table.exclude.list": "public.w_uuid"})
    for tables, expected in (("public.nowhere", "does not exist"), ("public.w_uuid", "is not captured"), (",", "names no table")):
        code, output, errors = worker.command("snapshot", "--tables", tables)
        assert code == 2 and expected in errors, (tables, code, output, errors)
    code, output, errors = worker.command("snapshot")
    assert code == 2 and "--tables" in errors, errors
    code, output, errors = worker.command("snapshot", "--tables", "public.w_full", "--set", "slot.name=absent")
    assert code == 2 and "does not exist" in errors, errors
    assert worker.stop() == 0, worker.log_tail()


def test_a_table_that_the_role_may_not_read(t):
    """It stays unread, and the worker stopped, until the role may: nothing is taken for complete."""
    db = t.database()
    role = db.name + "_role"
    db.psql("create table t (id int primary key); insert into t select generate_series(1, 100);"
            "create role %s login replication; grant connect on database %s to %s" % (role, db.name, role))
    worker = t.worker(db, **{"database.user": role, "snapshot.mode": "no_data"})
    worker.run_until(db.lsn())
    ask(worker, "public.t")
    worker.start()
    assert worker.wait(60) == 2 and "public.t" in worker.log_tail(), worker.log_tail()
    worker.start()
    assert worker.wait(60) == 2, worker.log_tail()
    db.psql("grant select on t to %s" % role)
    worker.start()
    worker.wait_log("the stream goes on", 60)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["t"])
    db.psql("drop owned by %s; drop role %s" % (role, role))


def test_killed_in_the_initial_snapshot(t):
    """What was read before the kill is not read again; the rest is, and what changed meanwhile comes by the stream."""
    db = t.database()
    db.psql("create table a (id int primary key, v text); create table b (id int primary key, v text);"
            "create table c (id int primary key, v text);"
            "insert into a select n, 'a' from generate_series(1, 2000) n;"
            "insert into b select n, repeat('b', 100) from generate_series(1, 300000) n;"
            "insert into c select n, 'c' from generate_series(1, 2000) n")
    worker = t.worker(db, outputs="kafka,bronze,silver", **{"max.memory": "64mb"})
    worker.start()
    prefix = worker.config["topic.prefix"]

    def a_is_stored():
        lake = t.lake(worker)
        return "bronze_b" in lake.tables() and "unread=" in positions(t, worker) \
            and "public.a" not in positions(t, worker).split("unread=")[1].split()[0]
    wait_for(a_is_stored, 60, "the first table to be stored")
    worker.kill()
    db.psql("update a set v = 'later' where id <= 10; delete from a where id > 1990;"
            "update b set v = 'later' where id <= 10; insert into c values (9999, 'new')")
    slots = db.psql("select restart_lsn from pg_replication_slots")
    worker.start()
    worker.wait_log("goes on with a snapshot", 30)
    worker.wait_log("the stream goes on", 60)
    assert slots, "the slot is the one of the snapshot"
    finish(db, worker)
    lake = t.lake(worker)
    check_silver(db, worker, lake, ["a", "b", "c"])
    reads = collections.Counter((record.topic, record.key) for record in
                                read_all(t.broker, *["%s.public.%s" % (prefix, name) for name in "abc"])
                                if record.value is not None and record.json["op"] == "r")
    assert max(count for (topic, _), count in reads.items() if topic.endswith(".a")) == 1, "a was read again"
    assert sum(topic.endswith(".c") for topic, _ in reads) == 2001, "c was not read"
    for name in "abc":
        found = lake.sql("select count(*), count(distinct key) from %s where op = 'r'"
                         % lake.scan("bronze_" + name)).fetchall()
        assert found[0][0] == found[0][1], (name, found)


def test_new_outputs_join(t):
    """silver beside bronze, the lake beside Kafka, Kafka beside the lake, each on a running slot."""
    db, worker = stream(t, outputs="kafka", rows=2000)
    load = Load(db, 1500, 21)
    for outputs in ("kafka,bronze", "kafka,bronze,silver"):
        assert worker.stop() == 0, worker.log_tail()
        since = len(worker.log_text())
        worker.config.update({"outputs": outputs, "lake.warehouse": "file://%s" % (t.dir / "joined")})
        worker.start()
        worker.wait_log("the stream goes on", 60, since=since)
        load.wait()
        load = Load(db, 1500, 22)
    load.wait()
    until = finish(db, worker)
    check_kafka(db, t.broker, worker.config["topic.prefix"], until)
    check_silver(db, worker, t.lake(worker))


def test_kafka_joins_the_lake(t):
    db, worker = stream(t, outputs="silver", rows=2000)
    load = Load(db, 1500, 23)
    assert worker.stop() == 0, worker.log_tail()
    worker.config.update({"outputs": "kafka,silver", "kafka.bootstrap.servers": t.broker.bootstrap})
    since = len(worker.log_text())
    worker.start()
    worker.wait_log("is held at", 60, since=since)
    worker.kill()
    since = len(worker.log_text())
    worker.start()
    worker.wait_log("the stream goes on", 60, since=since)
    load.wait()
    finish(db, worker)
    check_silver(db, worker, t.lake(worker))
    prefix = worker.config["topic.prefix"]
    check_last_states(t.broker, prefix)
    state = {}
    for record in read_all(t.broker, prefix + ".public.w_full"):
        state[record.key] = None if record.value is None or record.json["op"] == "d" else record.json["after"]["n"]
    seen = sorted((json.loads(key)["id"], n) for key, n in state.items() if n is not None)
    with db.connect() as connection:
        assert seen == sorted(connection.execute("select id, n from w_full").fetchall())


def test_output_fails_while_a_table_is_read(t):
    """The error is about the output, not about the reading."""
    db = t.database()
    db.psql("create table slow (id int primary key); create table t (id int primary key); insert into slow values (1)")
    worker = t.worker(db, outputs="silver", **{
        "lake.flush.interval.ms": 400, "snapshot.select.statement.overrides": "public.slow",
        "snapshot.select.statement.overrides.public.slow": "select slow.* from slow, pg_sleep(3)"})
    worker.start()
    worker.wait_log("streaming from slot", 60)
    lake = t.lake(worker)
    ask(worker, "public.slow")
    worker.wait_log("table \"public.slow\" will be read", 60)
    db.psql("insert into t values (1)")
    lake.dir.rename(lake.dir.with_name("elsewhere"))
    said = worker.wait_log("WARNING pipeline: .*; trying again", 60)
    assert worker.wait() == 2, worker.log_tail()  # it has found no lake
    assert re.match("WARNING pipeline: could not (commit to|write a file of) table", said.group()), said.group()
