"""kill -9 around every call that makes something durable: nothing lost, nothing twice.

A run under regress/faults/shim.c lists the points that the worker passes ("link metadata", "kafka commit" ...).
Then it is killed before or after a pass of each, in turn, while a workload with DDL runs; started again, it must
come to the source's end, and after each kill what was added to Kafka and bronze is compared with what the plugin
says of the same WAL, and silver with the source.

    KILLS=200 SEED=1 make check-faults
"""

import collections
import os
import pathlib
import random

from lib.support import BUILD, wait_for
from lib.truth import WORKLOAD, Judge

KILLS = int(os.environ.get("KILLS", "10"))
SEED = int(os.environ.get("SEED", "1"))
CHANGES = 250

SHIM = BUILD / "faults" / "shim.so"

# what must be among the points, whatever else there is
REQUIRED = {"slot", "start", "copy", "feedback", "kafka init", "kafka begin", "kafka produce", "kafka commit",
            "kafka topic", "create data", "write data", "fsync data", "create temporary", "write temporary",
            "fsync temporary", "rename manifest", "link metadata", "rename hint", "link checkpoint", "fsync directory"}

# only a snapshot, or the first start, passes these
AT_START = {"slot", "drop slot", "copy", "kafka topic"}

# each followed by a change of its table: only that brings the new columns
DDL = ["alter table w_plain add column added_%d text; update w_plain set ok = ok",
       "alter table w_full add column if not exists extra int; update w_full set n = n",
       "create table w_new_%d (id int primary key, v text); insert into w_new_%d values (1, 'x')",
       "alter table w_full drop column if exists extra; update w_full set n = n",
       "alter table w_uuid add column added_%d date default '2020-01-01'; update w_uuid set small = small"]


def under(**variables):
    return ["env", "LD_PRELOAD=%s" % SHIM] + ["%s=%s" % item for item in variables.items()]


def trace_points(t):
    """{point: passes} of a first start with a snapshot, some streaming, and a stop."""
    db = t.database(name="trace")
    db.psql_file(WORKLOAD)
    db.psql("call workload_run(1500, 7)")
    worker = sink(t, db)
    trace = pathlib.Path(t.dir) / "trace"
    worker.start(under=under(FAULT_TRACE=trace))
    worker.wait_log("streaming from slot", 120)
    db.psql("call workload_run(%d, 8)" % CHANGES)
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 60)
    assert worker.stop() == 0, worker.log_tail()
    return collections.Counter(trace.read_text().splitlines())


def sink(t, db):
    return t.worker(db, outputs="kafka,bronze,silver", **{"lake.flush.interval.ms": 150,
                                                         "status.update.interval.ms": 100})


def draw(points, number, generator):
    """Each point in turn, before and after; which pass is random, as far as the trace went."""
    names = sorted(points)
    point = names[number % len(names)]
    when = ("before", "after")[number // len(names) % 2]
    return when, point, generator.randint(1, max(1, min(points[point] // 2, 40)))


def kill_in_stream(worker, db, fault, number, generator):
    """True when the point was reached."""
    slot = worker.config["slot.name"]
    worker.start(under=under(FAULT_AT="%s:%s:%d" % fault))
    db.psql("call workload_run(%d, %d)" % (CHANGES, generator.randrange(1000)))
    if number % 4 == 0:
        db.psql(DDL[number // 4 % len(DDL)].replace("%d", str(number)))
        db.psql("call workload_run(%d, %d)" % (CHANGES // 5, generator.randrange(1000)))
    until = db.lsn()
    confirmed = "select confirmed_flush_lsn >= '%s' from pg_replication_slots where slot_name = '%s'" % (until, slot)
    wait_for(lambda: not worker.running or db.psql(confirmed) == "t", 120, "the kill, or the end")
    # the last passes may come while it stops
    code = worker.stop() if worker.running else worker.wait()
    assert code in (-9, 0), "exit code %s at %s:\n%s" % (code, fault, worker.log_tail())
    reached = code == -9
    worker.run_until(until, timeout=90)
    return until, reached


def kill_at_start(t, number, fault):
    """In the snapshot, or before it: starts again, and bronze and silver hold each row once."""
    db = t.database(name="start_%d" % number)
    db.psql("create table s (id int primary key, v text); create table empty (id int primary key);"
            "insert into s select n, repeat('v', 100) from generate_series(1, 3000) n")
    worker = sink(t, db)
    worker.start(under=under(FAULT_AT="%s:%s:%d" % fault))
    wait_for(lambda: not worker.running or "streaming from slot" in worker.log_text(), 120, "the kill, or the stream")
    # the last passes may come while it stops
    code = worker.stop() if worker.running else worker.wait()
    assert code in (-9, 0), "exit code %s at %s:\n%s" % (code, fault, worker.log_tail())
    reached = code == -9
    db.psql("update s set v = 'after' where id <= 10; delete from s where id > 2990")
    worker.run_until(db.lsn())
    lake = t.lake(worker)
    for reader in ("pyiceberg", "duckdb"):
        differences = lake.compare(db, "public.s", reader=reader)
        assert not differences, "%s: %s" % (fault, "\n".join(differences))
    found = lake.sql("select op, count(*), count(distinct key) from %s group by op" % lake.scan("bronze_s")).fetchall()
    assert all(count == distinct for _, count, distinct in found), (fault, found)
    db.drop_slots()
    return reached


def test_killed_at_each_point(t):
    generator = random.Random(SEED)
    points = trace_points(t)
    assert REQUIRED <= set(points), "not passed: %s" % sorted(REQUIRED - set(points))
    start_points = {name: 1 for name in points}
    stream_points = {name: count for name, count in points.items() if name not in AT_START}
    db = t.database(name="stream")
    db.psql_file(WORKLOAD)
    db.psql("call workload_run(1000, 5)")
    worker = sink(t, db)
    worker.start()
    worker.wait_log("streaming from slot", 120)
    assert worker.stop() == 0, worker.log_tail()
    judge = Judge(t, db, worker)
    judge.look(worker_caught_up(worker, db), True)
    reached = collections.Counter()
    order = generator.sample(range(2 * len(points)), 2 * len(points))
    for number in range(KILLS):
        turn = order[number % len(order)]
        if number % 5 == 4:
            fault = draw(start_points, turn, generator)
            reached[kill_at_start(t, number, fault)] += 1
            continue
        fault = draw(stream_points, turn, generator)
        until, hit = kill_in_stream(worker, db, fault, number, generator)
        reached[hit] += 1
        try:
            judge.look(until, number % 10 == 0)
        except AssertionError as error:
            raise AssertionError("after a kill %s \"%s\", pass %d: %s" % (*fault, error)) from None
    judge.check_files()
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors
    assert reached[True] >= KILLS * 6 // 10, reached
    print("%d points, %d kills there, %d not reached" % (len(points), reached[True], reached[False]))


test_killed_at_each_point.seconds = 21


def worker_caught_up(worker, db):
    until = db.lsn()
    worker.run_until(until, timeout=90)
    return until


test_killed_at_each_point.timeout = 7200
test_killed_at_each_point.fault = True
