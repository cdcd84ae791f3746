"""kill -9 around every call that makes something durable, and at random moments: nothing lost, nothing twice.

A run under regress/faults/shim.c counts the passes of each point ("link metadata", "kafka commit" ...).  Then the
worker is killed before or after a pass of each, in turn, and every third time at a moment of its own, while a workload
over tables of every shape runs, with DDL.  Started again, it must come to the source's end, and what was added to Kafka
and bronze is compared with what the plugin says of the same WAL, and silver with the source: rows, logical messages
and the topic that tells where transactions begin and end.

    KILLS=200 SEED=1 make check-faults
"""

import collections
import os
import pathlib
import random
import threading

from lib.support import BUILD, wait_for
from lib.truth import TABLES, WORKLOAD, Judge, check_files, stale

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", "1"))
CHANGES = 250

SHIM = BUILD / "faults" / "shim.so"

# what must be among the points, whatever else there is
REQUIRED = {"slot", "start", "copy", "feedback", "kafka init", "kafka begin", "kafka produce", "kafka commit",
            "kafka topic", "create data", "write data", "fsync data", "create temporary", "write temporary",
            "fsync temporary", "syncfs directory", "create manifest", "write manifest", "link metadata", "rename hint",
            "link checkpoint", "fsync directory"}

# what changes a table followed by a change of it: only that brings the new columns
DDL = ["alter table w_plain add column added_%d text; update w_plain set ok = ok",
       "alter table w_full add column if not exists extra int; update w_full set n = n",
       "create table w_new_%d (id int primary key, v text); insert into w_new_%d values (1, 'x')",
       "create table w_part_n%d partition of w_part for values in ('n%d'); insert into w_part values ('n%d', 1, 'new')",
       "alter table w_full drop column if exists extra; update w_full set n = n",
       "alter table w_uuid add column added_%d date default '2020-01-01'; update w_uuid set small = small",
       "alter type w_mood add value 'mood %d'; update w_composite set mood = 'mood %d'",
       "begin; update w_index set n = n + 1; alter table w_index add column added_%d int; update w_index set added_%d = n;"
       " savepoint s; alter table w_wide drop column c2; update w_wide set c3 = 1; rollback to s;"
       " update w_wide set c3 = 2; commit",
       "alter table w_numeric rename column address to address_%d; alter table w_numeric rename column address_%d to address;"
       " update w_numeric set bits = ~bits",
       "alter table w_index rename column v to v_%d; update w_index set n = 0; alter table w_index rename column v_%d to v;"
       " update w_index set n = 1",
       "truncate w_part_r1_low; insert into w_part values ('r1', 5, 'after one partition was truncated')",
       "alter table w_index alter column v type text using v || '.'; update w_index set n = 2"]

# one transaction beyond what the server decodes in memory and the worker holds
BULK = "call workload_bulk(10000, %d)"


def under(**variables):
    return ["env", "LD_PRELOAD=%s" % SHIM] + ["%s=%s" % item for item in variables.items()]


def trace_points(t, shapes):
    """{point: passes}, of a first start with its snapshot, and of another with some streaming; both end with a stop."""
    db = t.database(name="trace", template=shapes)
    worker = sink(t, db)
    counts = []
    for run in ("start", "stream"):
        trace = pathlib.Path(t.dir) / run
        since = len(worker.log_text())
        worker.start(under=under(FAULT_TRACE=trace))
        worker.wait_log("streaming from slot", 120, since=since)
        if run == "stream":
            db.psql("call workload_run(%d, 8, true)" % CHANGES)
        db.wait_confirmed(worker.config["slot.name"], db.lsn(), 60)
        assert worker.stop() == 0, worker.log_tail()
        counts.append(collections.Counter(trace.read_text().splitlines()))
    return counts


def sink(t, db):
    return t.worker(db, outputs="kafka,bronze,silver", **{
        "lake.flush.interval.ms": 150, "status.update.interval.ms": 100, "provide.transaction.metadata": "true",
        "kafka.transaction.timeout.ms": 10000, "max.memory": "32MB"})


def shapes_database(t):
    """A database with the tables of every shape, and one that snapshots read in parts, to be copied."""
    db = t.database(name="shapes")
    db.psql_file(WORKLOAD)
    db.psql("call workload_run(1200, 7)")
    db.psql("create table w_large (id int primary key, n int, filler text, toasted text);"
            "alter table w_large alter filler set storage plain, alter toasted set storage external;"
            "insert into w_large select i, 0, repeat('x', 2600), repeat(md5(i::text), 80) from generate_series(1, 9000) i")
    db.psql("vacuum analyze w_large")
    return db.name


def change_large(db, generator):
    """Rows go, and others move to where they were."""
    first = generator.randrange(1, 4000)
    db.psql("delete from w_large where id between %d and %d" % (first, first + 200))
    db.psql("vacuum (index_cleanup on) w_large")
    db.psql("update w_large set n = n + 1 where id %% 40 = %d; update w_large set id = id + 100000 where id %% 600 = %d"
            % (generator.randrange(40), generator.randrange(600)))


class Turns:
    """Faults to come: each point before and after, in an order of chance, at a pass of chance."""

    def __init__(self, points, generator):
        self.points = points
        self.generator = generator
        self.left = []

    def next(self):
        if not self.left:
            self.left = [(when, point) for when in ("before", "after") for point in sorted(self.points)]
            self.generator.shuffle(self.left)
        when, point = self.left.pop()
        return when, point, self.generator.randint(1, max(1, min(self.points[point] // 2, 40)))


def killed_there(worker, fault, done, what):
    """Starts it with the fault, which must end it, at the latest when done() and then while it stops; at once, or not
    at all: True when it did."""
    worker.start(under=under(FAULT_AT="%s:%s:%d" % fault))
    if what is not None:
        what()
    wait_for(lambda: not worker.running or done(), 120, "the kill, or the end")
    code = worker.stop() if worker.running else worker.wait()
    assert code in (-9, 0), "exit code %s at %s:\n%s" % (code, fault, worker.log_tail())
    return code == -9


def nearer(fault):
    """The same point, earlier: how often it is passed is a matter of time."""
    when, point, number = fault
    return (when, point, number // 2) if number > 1 else None


def write_some(db, number, generator):
    """Changes while it runs; DDL and a large transaction now and then."""
    db.psql("call workload_run(%d, %d, true)" % (CHANGES, generator.randrange(1000)))
    if number % 2 == 0:
        name = "%d_%d" % (number, generator.randrange(1000000))  # it may come here again
        db.psql(DDL[number // 2 % len(DDL)].replace("%d", name))
        db.psql("call workload_run(%d, %d, true)" % (CHANGES // 5, generator.randrange(1000)))
    if number % 10 == 7:
        db.psql(BULK % number)


def kill_in_stream(worker, db, fault, number, generator):
    """At the point; a pass that is not reached is tried earlier."""
    confirmed = "select confirmed_flush_lsn >= '%%s' from pg_replication_slots where slot_name = '%s'" \
        % worker.config["slot.name"]

    def caught_up():
        return db.psql(confirmed % until) == "t"

    def write():
        nonlocal until
        write_some(db, number, generator)
        until = db.lsn()

    until = None
    while not killed_there(worker, fault, caught_up, write):
        fault = nearer(fault)
        if fault is None:
            return False
    return True


def kill_at_random(worker, db, number, generator):
    """At a moment of its own, not waiting for anything; what it was doing is not known."""
    source = threading.Thread(target=lambda: write_some(db, number, generator))
    worker.start()
    source.start()
    running = worker.run_for(generator.uniform(0.02, 1.5))
    worker.kill()
    source.join()
    assert running, worker.log_tail()
    assert worker.exit_code == -9, worker.exit_code


def kill_at_start(t, shapes, number, fault, generator):
    """In the snapshot, or before it; fault None: at a moment of its own.  Started again, silver equals the source, and
    bronze has no row and no change twice."""
    db = t.database(name="start_%d" % number, template=shapes)
    worker = sink(t, db)

    def streams():
        return "streaming from slot" in worker.log_text()

    if fault is not None:
        reached = killed_there(worker, fault, streams, None)
    else:
        worker.start()
        reached = worker.run_for(generator.uniform(0.02, 1.5))
        worker.kill()
    db.psql("call workload_run(%d, %d, true)" % (CHANGES // 5, generator.randrange(1000)))
    change_large(db, generator)
    if number % 2:  # killed once more, where it goes on
        worker.start()
        worker.run_for(generator.uniform(0.2, 1.0))
        worker.kill()
        change_large(db, generator)
    worker.run_until(db.lsn())
    lake = t.lake(worker)
    for table in (*TABLES, "w_large"):
        for reader in ("pyiceberg", "duckdb") if table == TABLES[number % len(TABLES)] else ("duckdb",):
            differences = lake.compare(db, "public." + table, reader=reader)
            assert not differences, "%s: %s" % (fault, "\n".join(differences))
        twice = lake.sql("select op, key, lsn, ordinal, count(*) from %s where op <> 'r' or key is not null"
                         " group by all having count(*) > 1" % lake.scan("bronze_" + table)).fetchall()
        assert not twice, "%s: in bronze more than once: %s" % (fault, twice[:5])
    assert "bronze_w_unlogged" not in lake.tables()
    check_files(db, worker, lake)
    db.drop_slots()
    return reached


def kill(t, worker, db, judge, shapes, number, stream_turns, start_turns, generator):
    """One kill and what must be true after it: where it was."""
    at_random = number % 3 == 2
    if number % 5 == 4:
        while not kill_at_start(t, shapes, number, None if at_random else start_turns.next(), generator):
            pass
        return "a start at random" if at_random else "a start at a point"
    fault = ("at random", "", 0)
    if at_random:
        kill_at_random(worker, db, number, generator)
    else:
        fault = stream_turns.next()
        while not kill_in_stream(worker, db, fault, number, generator):
            fault = stream_turns.next()
    until = db.lsn()
    worker.run_until(until, timeout=90)
    if stale(t, worker):  # what the end of the stream said is read by the next run
        worker.run_until(until, timeout=90)
    try:
        judge.look(until, number % 10 == 0)
    except AssertionError as error:
        raise AssertionError("after a kill %s \"%s\", pass %d: %s" % (*fault, error)) from None
    return "the stream at random" if at_random else "the stream at a point"


def test_killed_at_each_point(t):
    generator = random.Random(SEED)
    shapes = shapes_database(t)
    started, streamed = trace_points(t, shapes)
    points = set(started) | set(streamed)
    assert REQUIRED <= points, "not passed: %s" % sorted(REQUIRED - points)
    db = t.database(name="stream", template=shapes)
    db.psql("alter database stream set logical_decoding_work_mem = '64kB'")
    worker = sink(t, db)
    worker.start()
    worker.wait_log("streaming from slot", 120)
    assert worker.stop() == 0, worker.log_tail()
    judge = Judge(t, db, worker)
    judge.look(worker_caught_up(worker, db), False)
    stream_turns = Turns(streamed, generator)
    start_turns = Turns({name: 1 for name in started}, generator)
    kills = collections.Counter(kill(t, worker, db, judge, shapes, number, stream_turns, start_turns, generator)
                                for number in range(KILLS))
    judge.check_files()
    worker.config["max.memory"] = "256MB"
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors
    assert sum(kills.values()) == KILLS and all(kills.values()), kills
    print("%d points, %d kills: %s" % (len(points), KILLS, ", ".join("%d of %s" % (n, what) for what, n in kills.items())))


test_killed_at_each_point.seconds = 21


def test_killed_before_the_cut_is_published(t):
    """The tables have the changes, cdc_checkpoints has not; started again, and nothing more is written."""
    db = t.database()
    db.psql("create table a (id int primary key); create table b (id int primary key)")
    worker = t.worker(db, outputs="bronze,silver", **{"lake.flush.interval.ms": 100})
    worker.start()
    worker.wait_log("streaming from slot", 60)
    db.psql("insert into a values (1); insert into b values (1)")
    db.wait_confirmed(worker.config["slot.name"], db.lsn())
    assert worker.stop() == 0, worker.log_tail()

    def write():
        worker.wait_log("streaming from slot", 60, since=worker.begun)
        db.psql("begin; insert into a values (2); insert into b values (2); commit")

    assert killed_there(worker, ("before", "link checkpoint", 1), lambda: False, write)
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    db.wait_confirmed(worker.config["slot.name"], db.lsn())
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors
    lake = t.lake(worker)
    cut = {row["table_name"]: row["snapshot_id"] for row in lake.checkpoint()}
    current = {name: lake.metadata(name)["current-snapshot-id"] for name in ("bronze_a", "bronze_b", "silver_a", "silver_b")}
    assert cut == current, (cut, current)


def worker_caught_up(worker, db):
    until = db.lsn()
    worker.run_until(until, timeout=90)
    return until


test_killed_at_each_point.timeout = 7200
test_killed_at_each_point.fault = True
