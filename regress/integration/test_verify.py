"""cdc-sink verify: silver against its source, with the worker running, stopped, and busy."""

import os
import re
import threading
import time

from lib.consumer import read_all
from lib.support import scratch, wait_for

EVERYTHING = """
create table users (id int primary key, name text, score numeric, at timestamptz default now(), tags text[], f float8);
create table pairs (region text, number bigint, note text, primary key (region, number));
create table lines (line text, value float8);
alter table lines replica identity full;
create table parts (id int, region text, note text, primary key (id, region)) partition by list (region);
create table parts_north partition of parts for values in ('north');
create table parts_south (note text, region text not null, id int not null);
alter table parts attach partition parts_south for values in ('south');
create schema sales;
create table sales."Odd Name" ("Id" uuid primary key default gen_random_uuid(), j jsonb);
create table empty (id int primary key);
insert into users select g, 'user ' || g, g * 1.5, '2020-01-01', array['a', g::text], sqrt(g) from generate_series(1, 1000) g;
insert into users values (-1, null, 'NaN', 'infinity', '{{1,2},{3,4}}', 'NaN'), (-2, '', 1e30, '-infinity', '{}', '-0');
insert into pairs select 'r' || g % 5, g, repeat('n', g % 50) from generate_series(1, 500) g;
insert into lines select 'twice', 1.5 from generate_series(1, 2);
insert into lines values (null, null), ('nan', 'NaN');
insert into parts select g, case when g % 2 = 0 then 'north' else 'south' end, 'note' from generate_series(1, 100) g;
insert into sales."Odd Name" (j) select jsonb_build_object('g', g) from generate_series(1, 10) g;
"""

CHANGES = """
update users set name = name || ' changed' where id % 7 = 0;
delete from users where id % 11 = 0;
update users set id = id + 100000 where id between 1 and 20;
update pairs set note = null where number % 3 = 0;
delete from lines where line = 'nan';
update parts set region = 'north' where id = 3;
delete from parts where id = 4;
insert into sales."Odd Name" (j) values ('[1]');
"""


def running(t, db, **config):
    worker = t.worker(db, **config)
    worker.start()
    worker.wait_log("streaming from slot", 60)
    return worker


def stopped(t, db, **config):
    """A worker that has stored everything, and has ended."""
    worker = running(t, db, **config)
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 90)
    assert worker.stop() == 0, worker.log_tail()
    return worker


def verify(worker, expect=0):
    """The lines that it prints; expect None: a table that could not be compared is no failure."""
    code, output, errors = worker.command("verify", timeout=240)
    if expect is None:
        expect = int("\nincomplete: " in output)
    assert code == expect, "exit code %s, not %s:\n%s%s" % (code, expect, output, errors)
    return output.splitlines() + errors.splitlines()


def line_of(lines, table):
    found = [line for line in lines if " %s:" % table in line]
    assert len(found) == 1, "\n".join(lines)
    return found[0]


def test_worker_running(t):
    """It waits for a cut beyond its snapshot; every table is equal, partitions as one."""
    db = t.database()
    db.psql(EVERYTHING)
    worker = running(t, db)
    db.psql(CHANGES)
    lines = verify(worker)
    assert line_of(lines, "public.users").startswith("ok public.users: 912 rows in source, 912 in silver"), lines
    assert line_of(lines, "public.parts") == "ok public.parts: 99 rows in source, 99 in silver", lines
    assert line_of(lines, "public.lines").startswith("ok"), lines
    assert line_of(lines, "sales.Odd Name").startswith("ok"), lines
    assert line_of(lines, "public.empty") == "ok public.empty: 0 rows in source, 0 in silver", lines
    assert any(re.fullmatch(r"ok: 6 of 6 tables equal at [0-9A-F]+/[0-9A-F]+", line) for line in lines), lines
    # A quiet source gets something to cut at, and verify leaves no slot behind.
    verify(worker)
    wait_for(lambda: db.psql("select count(*) from pg_replication_slots where slot_name like 'cdc_verify%'") == "0",
             10, "the temporary slot to go")
    assert worker.stop() == 0


def test_what_it_writes_is_no_event(t):
    """It asks a running worker for a cut by a logical message, which no consumer sees."""
    db = t.database()
    db.psql("create table t (id int primary key)")
    worker = running(t, db, outputs="kafka,silver", **{"message.prefix.include.list": ".*"})
    for _ in range(2):
        db.psql("select pg_switch_wal()")
        assert any("waiting for a cut" in line for line in verify(worker)), worker.log_tail()
    db.psql("select pg_logical_emit_message(true, 'mine', 'seen')")
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 60)
    messages = [record.json["message"]["prefix"] for record in read_all(t.broker, t.prefix() + ".message")]
    assert [prefix for prefix in messages if prefix != "test"] == ["mine"], messages
    assert worker.stop() == 0


def test_worker_stopped(t):
    """What the slot still holds is on its way: left out on both sides, and consumed by nobody."""
    db = t.database()
    db.psql(EVERYTHING)
    worker = stopped(t, db)
    slot = worker.config["slot.name"]
    files = {p for p in t.lake(worker).dir.rglob("*")}
    lines = verify(worker)
    assert not any("on their way" in line for line in lines), lines
    db.psql(CHANGES)
    db.psql("insert into users (id) values (5000), (5001); delete from users where id = 5001;"
            " create table late (id int primary key); insert into late values (1)")
    before = db.psql("select confirmed_flush_lsn from pg_replication_slots where slot_name = '%s'" % slot)
    lines = verify(worker, expect=1)
    users = line_of(lines, "public.users")
    assert users.startswith("ok"), lines
    # 142 of the 1,000 are multiples of 7, 90 of 11, 12 of both; 1 to 20, less 7, 11 and 14, moved.
    assert users.endswith(", %d with changes on their way" % (142 + 90 - 12 + 17)), users
    assert line_of(lines, "public.late").startswith("-- public.late: no silver table at the last cut, "), lines
    assert line_of(lines, "public.lines").startswith("-- public.lines: changed without a key") \
        or line_of(lines, "public.lines").startswith("ok"), lines
    db.psql("truncate pairs")
    lines = verify(worker, expect=1)
    assert line_of(lines, "public.pairs").startswith("-- public.pairs: truncated"), lines
    assert re.search("^incomplete: [0-9]+ of [0-9]+ tables equal at .*, [0-9]+ not compared: verify again while the worker runs$",
                     "\n".join(lines), re.M), lines
    after = db.psql("select confirmed_flush_lsn from pg_replication_slots where slot_name = '%s'" % slot)
    assert before == after, (before, after)
    assert files == {p for p in t.lake(worker).dir.rglob("*")}, "verify wrote to the warehouse"
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    assert not any("on their way" in line for line in verify(worker))
    assert worker.stop() == 0


def test_busy_source(t):
    """Exact while clients write: inserts, updates, deletes, moved keys, truncates, without a quiet moment."""
    db = t.database()
    db.psql("create table busy (id int primary key, n int, pad text); create table emptied (id int primary key);"
            " alter table busy alter pad set storage external;"
            " create table wide (id int primary key, n int, pad text); alter table wide alter pad set storage external,"
            " replica identity full; insert into wide select g, 0, repeat(md5(g::text), 100) from generate_series(1, 100) g;"
            " insert into busy select g, 0, repeat(md5(g::text), 100) from generate_series(1, 2000) g;"
            " insert into emptied select generate_series(1, 100)")
    worker = running(t, db)
    stop = threading.Event()
    failures = []

    def write(seed):
        try:
            with db.connect() as connection:
                number = seed
                while not stop.is_set():
                    number = number * 1103515245 + 12345 & 0x7FFFFFFF
                    key = number % 2000
                    kind = (number >> 12) % 10
                    if kind < 5:
                        connection.execute("update busy set n = n + 1 where id = %s", [key])
                    elif kind < 6:
                        connection.execute("delete from busy where id = %s", [key])
                    elif kind < 7:
                        connection.execute("update busy set id = id + 2000 where id = %s and not exists"
                                           " (select from busy where id = %s)", [key, key + 2000])
                    elif kind < 8:
                        connection.execute("update busy set pad = repeat(md5(%s::text), 100) where id = %s",
                                           [number, key + 2000 * ((number >> 7) % 2)])
                        connection.execute("update wide set n = n + 1, pad = case when %s then pad else repeat(md5(%s::text),"
                                           " 100) end where id = %s", [(number >> 7) % 2 == 1, number, key % 100])
                    else:
                        connection.execute("insert into busy values (%s, %s, repeat('x', 3000)) on conflict do nothing",
                                           [key, kind])
                    if (number >> 8) % 400 == 0:
                        connection.execute("truncate emptied; insert into emptied select generate_series(1, 50)")
        except Exception as error:  # pylint: disable=broad-except
            if "duplicate key" not in str(error) and "deadlock" not in str(error):
                failures.append(error)

    writers = [threading.Thread(target=write, args=(seed,)) for seed in (1, 2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(3):
            lines = verify(worker, expect=None)
            assert line_of(lines, "public.busy").startswith("ok"), lines
            assert line_of(lines, "public.wide").startswith("ok public.wide: 100 rows in source, 100 in silver"), lines
            # Truncated once more after the cut, the snapshot does not show what it held.
            assert line_of(lines, "public.emptied").startswith(("ok", "-- public.emptied: truncated or rewritten")), lines
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert not failures, failures
    verify(worker)
    assert worker.stop() == 0


def test_rows_without_a_key(t):
    """They come while it looks: compared where the worker runs, else said to be on their way, and not equal."""
    db = t.database()
    db.psql("create table bag (n int, v text); insert into bag select g % 10, 'x' from generate_series(1, 100) g;"
            " create table keyed (id int primary key)")
    worker = running(t, db)
    stop = threading.Event()

    def write():
        with db.connect() as connection:
            while not stop.is_set():
                connection.execute("insert into bag values (1, 'again'), (1, 'again'), (2, null)")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            lines = verify(worker)
            assert line_of(lines, "public.bag").startswith("ok public.bag: "), lines
    finally:
        stop.set()
        writer.join()
    assert worker.stop() == 0
    db.psql("insert into bag values (3, 'late')")
    lines = verify(worker, expect=1)
    assert line_of(lines, "public.bag") == "-- public.bag: changed without a key while it was looked at, not compared", lines
    assert any(line.startswith("incomplete: 1 of 1 tables equal at ") for line in lines), lines
    since = len(worker.log_text())
    worker.start()
    worker.wait_log("streaming from slot", 60, since=since)
    verify(worker)
    assert worker.stop() == 0


def test_columns_change_meanwhile(t):
    """ALTER TABLE with rows that change before and after it, on their way or applied."""
    db = t.database()
    db.psql("create table t (id int primary key, a text, b int); insert into t select g, 'a', g from generate_series(1, 100) g")
    worker = stopped(t, db)
    db.psql("update t set a = 'before' where id = 1; alter table t alter id type bigint; alter table t rename a to aa;"
            " alter table t drop b; alter table t add c int default 7")
    line = line_of(verify(worker), "public.t")
    assert line == "ok public.t: 99 rows in source, 99 in silver, 1 with changes on their way", line
    db.psql("update t set aa = 'after' where id = 2; insert into t values (101, 'new', 8)")
    line = line_of(verify(worker), "public.t")
    assert line == "ok public.t: 98 rows in source, 98 in silver, 2 with changes on their way", line
    since = len(worker.log_text())
    worker.start()
    worker.wait_log("the stream goes on", 60, since=since)  # a rewritten table is read again
    line = line_of(verify(worker), "public.t")
    assert line == "ok public.t: 101 rows in source, 101 in silver", line
    assert worker.stop() == 0
    # values that no change brought: silver will read them, and until then nothing can be said
    db.psql("alter table t alter aa type text using upper(aa)")
    line = line_of(verify(worker, expect=1), "public.t")
    assert line == "-- public.t: rewritten while it was looked at, not compared", line


def test_differences(t):
    """Changes that the worker never saw: exit code 1, counts and keys."""
    db = t.database()
    db.psql(EVERYTHING)
    worker = stopped(t, db)
    # Nothing of these transactions reaches the slot: it is moved past them.
    db.psql("update users set score = score + 1 where id in (7, 8); delete from users where id = 9;"
            " insert into users (id) values (-9); delete from pairs; insert into lines values ('twice', 1.5);"
            " update parts set note = 'x' where id = 1; drop table empty")
    db.psql("select pg_replication_slot_advance('%s', pg_current_wal_lsn())" % worker.config["slot.name"])
    directory = scratch("tmpdir")
    os.environ["TMPDIR"] = str(directory)
    try:
        lines = verify(worker, expect=1)
    finally:
        del os.environ["TMPDIR"]
    assert not list(directory.iterdir()), "something temporary was left behind"
    text = "\n".join(lines)
    users = line_of(lines, "public.users")
    assert users == "DIFFERENT public.users: 1002 rows in source, 1002 in silver; 3 only in source, 3 only in silver", text
    for expected in ('    only in source: {"id":-9}', '    only in source: {"id":7}', '    only in silver: {"id":7}',
                     '    only in silver: {"id":9}', '    only in source: {"line":"twice","value":1.5}',
                     '    only in silver: {"region":"r0","number":5}'):
        assert expected in lines, text
    assert sum('{"region":' in line and '"number"' in line for line in lines) == 10, text
    assert line_of(lines, "public.parts") \
        == "DIFFERENT public.parts: 100 rows in source, 100 in silver; 1 only in source, 1 only in silver", text
    assert line_of(lines, "sales.Odd Name").startswith("ok"), text
    assert any(line.startswith("different: 1 of 5 tables equal at ") for line in lines), text


def test_refusals(t):
    """No silver, nothing published, another source: says what to do, and compares nothing."""
    db, other = t.database(), t.database()
    for each in (db, other):
        each.psql("create table t (id int primary key); insert into t values (1)")
    worker = t.worker(db)
    code, output, errors = worker.command("verify")
    assert code == 1 and "no published cut yet" in errors and "hint:" in errors, output + errors
    worker.run_until(db.lsn())
    verify(worker)
    for change, message in (({"database.dbname": other.name}, "belongs to database"),
                            ({"slot.name": "another"}, "belongs to slot"),
                            ({"outputs": "bronze"}, "there is no silver"),
                            ({"column.exclude.list": "public.t.none"}, "other table, column or row filters"),
                            ({"table.include.list": "public.u"}, "other lists of tables")):
        was = dict(worker.config)
        worker.config.update(change)
        code, output, errors = worker.command("verify")
        worker.config = was
        assert code == 2 and message in errors, output + errors
    db.psql("select pg_drop_replication_slot('%s')" % worker.config["slot.name"])
    code, output, errors = worker.command("verify")
    assert code == 2 and "does not exist" in errors, output + errors


def test_stale(t):
    """A table that silver gave up on is named with the reason, the others are compared."""
    db = t.database()
    db.psql("create table good (id int primary key); insert into good values (1);"
            " create table bad (id int, a text); insert into bad values (1, '7')")
    worker = running(t, db)
    db.psql("update bad set a = '8'")
    lines = verify(worker, expect=1)
    assert line_of(lines, "public.good").startswith("ok"), lines
    assert re.search(r"^DIFFERENT public\.bad: silver table \"silver_bad\" is stale until it is read again: ",
                     line_of(lines, "public.bad")), lines
    assert worker.stop() == 0


def test_nothing_to_compare(t):
    """Lists that want no table, here a partitioned one alone, are not taken for equal tables."""
    db = t.database()
    db.psql("create table parted (id int primary key) partition by range (id);"
            "create table part_1 partition of parted for values from (0) to (10); insert into parted values (1)")
    worker = running(t, db, **{"table.include.list": "public.parted"})
    sentence = "table.include.list names a partitioned table and none of its partitions by \"public.parted\""
    assert sentence in worker.log_text(), worker.log_tail()
    assert sentence in worker.command("check")[1]
    lines = verify(worker, expect=1)
    assert lines[0].startswith("incomplete: there is nothing to compare: "), lines
    assert worker.stop() == 0


def test_killed_worker(t):
    """After a kill between commits: the published cut is what counts, whatever is beyond it."""
    db = t.database()
    db.psql("create table a (id int primary key, n int); create table b (id int primary key, n int);"
            " insert into a select g, 0 from generate_series(1, 1000) g; insert into b select * from a")
    worker = running(t, db, **{"lake.flush.interval.ms": 50})
    for round_ in range(3):
        started = time.monotonic()
        while time.monotonic() - started < 1:
            db.psql("begin; update a set n = n + 1 where id % 10 = 1; update b set n = n + 1 where id % 10 = 2; commit")
        worker.kill()
        db.wait_slot_active(worker.config["slot.name"], False)
        lines = verify(worker)
        assert line_of(lines, "public.a").startswith("ok"), (round_, lines)
        worker.start()
        worker.wait_log("streaming from slot", 60, since=worker.begun)
    verify(worker)
    assert worker.stop() == 0


def test_wide_and_long_rows_with_little_memory(t):
    """Rows of 1,590 columns and texts of 64 kB, with the least max.memory there is, by the worker and by verify; and
    what differs is found all the same."""
    db = t.database()
    names = ["c%d" % n for n in range(1, 1590)]
    db.psql("create table wide (id int primary key, %s);"
            " insert into wide select g, %s from generate_series(1, 5000) g;"
            " create table long (id int primary key, v text); alter table long alter v set storage external;"
            " insert into long select g, repeat(md5(g::text), 2000) from generate_series(1, 2500) g;"
            " create table bare (v text, w text); alter table bare replica identity full;"
            " insert into bare select repeat(md5(g::text), 2000), 'w' from generate_series(1, 100) g"
            % (", ".join(name + " text" for name in names), ", ".join("'x'" for _ in names)))
    worker = stopped(t, db, outputs="silver", **{"max.memory": "16MB"})
    lines = verify(worker)
    assert line_of(lines, "public.wide") == "ok public.wide: 5000 rows in source, 5000 in silver", lines
    assert line_of(lines, "public.long") == "ok public.long: 2500 rows in source, 2500 in silver", lines
    assert line_of(lines, "public.bare") == "ok public.bare: 100 rows in source, 100 in silver", lines
    db.psql("update wide set c1589 = 'y' where id = 4711; update long set v = v || 'y' where id in (7, 8);"
            " insert into bare select repeat(md5(g::text), 2000), 'w' from generate_series(1, 3) g")
    db.psql("select pg_replication_slot_advance('%s', pg_current_wal_lsn())" % worker.config["slot.name"])
    lines = verify(worker, expect=1)
    for table, rows, source, silver in (("wide", 5000, 1, 1), ("long", 2500, 2, 2), ("bare", 103, 3, 0)):
        assert re.match(r"DIFFERENT public.%s: %d rows in source, \d+ in silver; %d only in source, %d only in silver"
                        % (table, rows, source, silver), line_of(lines, "public." + table)), lines
    for expected in ('    only in source: {"id":4711}', '    only in silver: {"id":4711}', '    only in source: {"id":8}'):
        assert expected in lines, lines


test_wide_and_long_rows_with_little_memory.timeout = 600
test_wide_and_long_rows_with_little_memory.slow = True
