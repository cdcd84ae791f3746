"""Tables that are changed as a whole while a part of them has been read: partitions, other files, no key any more."""

import json

from lib.parts import (COLUMNS, ROWS, begin, change, end, fill, last_states, make_table, snapshot_rows, start)
from lib.truth import check_silver, finish


def test_partitioned_table_goes_on(t):
    """With Kafka it is read by its own name first, and then its partitions."""
    db = t.database()
    rows = ROWS * 2
    db.psql("create table big (%s, primary key (id)) partition by range (id)" % COLUMNS)
    for part, (first, last) in enumerate(((1, 5001), (5001, 10001), (10001, 3000000))):
        db.psql("create table big_%d partition of big for values from (%d) to (%d);"
                "alter table big_%d alter filler set storage plain, alter toasted set storage external"
                % (part, first, last, part))
    fill(db, "big", 1, rows)
    db.psql("vacuum analyze big")
    worker = begin(t, db, outputs="kafka,bronze,silver")
    change(db, "big", rows)
    db.psql("update big set id = id + 600000 where id between 2001 and 2040;"  # to another partition
            "update big set id = id - 12300 where id between 12501 and 12510")
    since = len(worker.log_text())
    worker.start()
    worker.wait_log("goes on at page", 60, since=since)
    end(t, db, worker, "big")
    prefix = worker.config["topic.prefix"] + ".public.big"
    ids = {key for key, state in last_states(t.broker, *(prefix + "_%d" % part for part in range(3))).items() if state}
    assert ids == {json.dumps({"id": int(row)}, separators=(",", ":")) for row in db.psql("select id from big").split()}
    assert len(snapshot_rows(t.broker, prefix)) > rows * 0.8


def test_table_without_toast_goes_on(t):
    """What is new in the pages that were read has come by the stream."""
    db = t.database()
    db.psql("create table big (id int primary key, %s)" % ", ".join("c%d bigint" % i for i in range(200)))
    db.psql("insert into big select i%s from generate_series(1, 14000) i" % (", i" * 200))
    db.psql("vacuum analyze big")
    worker = begin(t, db)
    db.psql("delete from big where id < 1000; update big set c1 = 1 where id % 20 = 0 and id < 3000")
    db.psql("vacuum big")
    db.psql("update big set c2 = 2 where id > 13500; update big set id = id + 50000 where id % 500 = 0")
    since = len(worker.log_text())
    worker.start()
    worker.wait_log('table "public.big" goes on at page', 60, since=since)
    end(t, db, worker, "big")


def test_added_partitioned_table_is_read_in_turns(t):
    """It is left between its partitions, too, and comes to its end all the same."""
    db = t.database()
    db.psql("create table big (%s, primary key (id)) partition by range (id)" % COLUMNS)
    for part in range(12):
        db.psql("create table big_%d partition of big for values from (%d) to (%d)" % (part, part * 1000, part * 1000 + 1000))
    fill(db, "big", 1, 11999)
    db.psql("create table small (id int primary key)")
    worker = start(t, db, **{"table.include.list": "public.small", "snapshot.hold.ms": 1})
    worker.wait_log("streaming from slot", 60)
    assert worker.stop() == 0, worker.log_tail()
    worker.config["table.include.list"] = "public.small,public.big.*"
    db.psql("update big set n = 3 where id % 7 = 0")
    since = len(worker.log_text())
    worker.start()
    worker.wait_log("1 tables are left", 60, since=since)
    db.psql("update big set n = 4 where id % 9 = 0; delete from big where id % 11 = 0")
    worker.wait_log("goes on from .*, 0 tables are left", 120, since=since)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["big"])


def test_part_of_a_table_left_out_for_a_while(t):
    """Its changes did not come: what was read before them is worth nothing."""
    db = t.database()
    make_table(db, "big")
    db.psql("create table small (id int primary key)")
    worker = begin(t, db)
    for tables in ("public.small", "public.small,public.big"):
        worker.config["table.include.list"] = tables
        worker.start()
        worker.wait_log("streaming from slot", 60, since=worker.begun)
        worker.kill()
        change(db, "big", again=len(tables))
    worker.start()
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["big"])


def test_rewritten_table_begins_again(t):
    """Its rows are in other pages now."""
    db = t.database()
    make_table(db, "big")
    worker = begin(t, db)
    change(db, "big")
    db.psql("vacuum full big")
    worker.start()
    worker.wait_log('table "public.big" is read from its beginning', 60)
    end(t, db, worker, "big")


def test_truncated_table_begins_again(t):
    db = t.database()
    make_table(db, "big")
    worker = begin(t, db)
    db.psql("truncate big")
    fill(db, "big", 100, 5000)
    worker.start()
    worker.wait_log('table "public.big" is read from its beginning', 60)
    end(t, db, worker, "big")


def test_key_dropped_meanwhile(t):
    """Rows that came twice could not be told from others: silver says that it must be read again."""
    db = t.database()
    make_table(db, "big")
    worker = begin(t, db)
    db.psql("alter table big drop constraint big_pkey; alter table big replica identity full;"
            "update big set n = 5 where id % 1000 = 0")
    since = len(worker.log_text())
    worker.start()
    worker.wait_log("streaming from slot", 60)
    worker.wait_log("the stream goes on", 120, since=since)
    code, output, errors = worker.command("snapshot", "--tables", "public.big")
    assert code == 0, output + errors
    end(t, db, worker, "big")
