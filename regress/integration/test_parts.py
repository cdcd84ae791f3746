"""Large tables go on where they were: an initial snapshot that is killed, a table added to a running slot.

Every case changes the rows that were read and those that were not, moves rows between their pages, and ends with
each streamed event in Kafka and bronze once, silver equal to the source by two readers and verify, and far fewer
snapshot rows than reading twice would have given.
"""

import json
import re

from lib.parts import (COLUMNS, ROWS, begin, change, end, fill, kill_in_the_middle, kill_when, make_table,
                       snapshot_keys, snapshot_rows, start, status, stored_parts, under)
from lib.support import wait_for
from lib.truth import check_silver, finish, wait_read


def test_killed_snapshot_goes_on(t):
    db = t.database()
    rows = ROWS * 2
    make_table(db, "big", rows)
    worker = begin(t, db, outputs="kafka,bronze,silver")
    change(db, "big", rows)
    since = len(worker.log_text())
    worker.start()
    worker.wait_log('table "public.big" goes on at page', 60, since=since)
    worker.wait_log("the stream goes on", 120, since=since)
    change(db, "big", rows, again=1)
    end(t, db, worker, "big")
    repeated = snapshot_rows(t.broker, worker.config["topic.prefix"] + ".public.big")
    twice = [key for key, count in repeated.items() if count > 1]
    assert len(repeated) >= rows * 0.8 and len(twice) < len(repeated) * 0.9, (len(repeated), len(twice))


def test_renamed_after_the_kill(t):
    """A table that the killed snapshot had not come to, and one that a rename takes into the lists: silver has their rows."""
    db = t.database()
    make_table(db, "big")
    db.psql("create table later (id int primary key, v text); insert into later select g, 'x' from generate_series(1, 500) g;"
            "create table outside (like later including all); insert into outside select g, 'y' from generate_series(1, 50) g")
    worker = begin(t, db, **{"table.exclude.list": "public.outside", "lake.partitions.check.interval.ms": 200})
    db.psql("alter table later rename to renamed")
    worker.start()
    worker.wait_log("the stream goes on", 120, since=worker.begun)
    db.psql("alter table outside rename to inside")
    wait_for(lambda: {"silver_renamed", "silver_inside"} <= set(t.lake(worker).tables()), 60, worker.log_tail)
    wait_read(t, db, worker)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["big", "renamed", "inside"])


def test_killed_again_and_again(t):
    db = t.database()
    make_table(db, "big", ROWS * 2)
    worker = begin(t, db)
    for again in range(3):
        change(db, "big", ROWS * 2, again)
        db.psql("alter table big add column added_%d int default %d; update big set n = n + 1 where id %% 50 = 0"
                % (again, again))
        since = len(worker.log_text())
        worker.start()
        worker.wait_log("goes on at page", 60, since=since)
        worker.run_for(0.3)
        worker.kill()
    pages = [int(page) for page in re.findall(r"goes on at page (\d+)", worker.log_text())]
    assert pages == sorted(pages), pages
    worker.start()
    wait_for(lambda: not stored_parts(t, worker), 120, lambda: worker.log_tail())
    end(t, db, worker, "big")


def test_killed_snapshot_that_is_all(t):
    """With initial_only there is no stream that would fill in what changes meanwhile: it begins again, and is whole."""
    db = t.database()
    make_table(db, "big")
    worker = start(t, db, **{"snapshot.mode": "initial_only"})
    kill_in_the_middle(t, worker)
    change(db, "big")
    since = len(worker.log_text())
    assert worker.start().wait(120) == 0, worker.log_tail()
    assert "goes on at page" not in worker.log_text()[since:], worker.log_tail()
    assert not db.slot_exists(worker.config["slot.name"])
    lake = t.lake(worker)
    for reader in ("pyiceberg", "duckdb"):
        differences = lake.compare(db, "public.big", reader=reader)
        assert not differences, "\n".join(differences)
    assert {row["status"] for row in lake.checkpoint()} == {"live"}, lake.checkpoint()
    found = lake.sql("select count(*), count(distinct key) from %s" % lake.scan("bronze_big")).fetchone()
    assert found[0] == found[1] == int(db.psql("select count(*) from big")), found


def test_output_joins_a_killed_snapshot(t):
    """What one of bronze and silver has of the snapshot the other lacks: it begins again for both."""
    for before, after in (("bronze", "bronze,silver"), ("silver", "bronze,silver")):
        db = t.database(name="joins_" + before)
        make_table(db, "big")
        worker = begin(t, db, outputs=before, **{"slot.name": "joins_" + before})
        db.psql("select pg_drop_replication_slot('reference')")
        worker.config["outputs"] = after
        worker.start()
        worker.wait_log("streaming from slot", 60, since=worker.begun)
        finish(db, worker)
        check_silver(db, worker, t.lake(worker), ["big"])
        assert snapshot_keys(t, worker) == ROWS


def test_output_joins_beside_a_part(t):
    """Silver is new while bronze has a part of a table that was added to the stream."""
    db = t.database()
    make_table(db, "big")
    db.psql("create table small (id int primary key); insert into small values (1)")
    worker = start(t, db, outputs="bronze", **{"table.include.list": "public.small"})
    worker.wait_log("streaming from slot", 60)
    assert worker.stop() == 0, worker.log_tail()
    worker.config["table.include.list"] = "public.small,public.big"
    worker.start()
    kill_in_the_middle(t, worker)
    worker.config["outputs"] = "bronze,silver"
    worker.start()
    worker.wait_log("goes on from .*, 0 tables are left", 60, since=worker.begun)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["big", "small"])


def test_begun_again_parts_are_forgotten(t):
    """When one partition was rewritten all begin again, and so they do after a kill in the first."""
    db = t.database()
    db.psql("create table big (%s, primary key (id)) partition by range (id)" % COLUMNS)
    for part, (first, last) in enumerate(((1, 6001), (6001, 3000000))):
        db.psql("create table big_%d partition of big for values from (%d) to (%d);"
                "alter table big_%d alter filler set storage plain" % (part, first, last, part))
    fill(db, "big", 1, 12000)
    db.psql("vacuum analyze big")
    worker = start(t, db, outputs="silver")
    second = db.psql("select 'big_1'::regclass::oid")

    def stores(pattern):
        lake = t.lake(worker)
        return "cdc_checkpoints" in lake.tables() and re.search(
            pattern, json.dumps(lake.metadata("cdc_checkpoints")["properties"]))

    kill_when(worker, lambda: stores(r"[@+]%s:\d+:[1-9]" % second))
    db.psql("vacuum full big_0; update big set n = 1 where id % 100 = 0")
    worker.start()
    worker.wait_log("is read from its beginning", 60, since=worker.begun)
    kill_when(worker, lambda: stores(r"big@(?![^ ]*[@+]?%s:)" % second))
    worker.start()
    worker.wait_log("goes on from .*, 0 tables are left", 60, since=worker.begun)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["big"])


def test_asked_for_while_a_part_is_there(t):
    """What was asked for begins from the beginning, after a kill too: deletes without an identity have left rows."""
    db = t.database()
    make_table(db, "big")
    worker = begin(t, db)
    db.psql("alter table big replica identity nothing; delete from big where id < 10;"
            "alter table big replica identity default")
    code, output, errors = worker.command("snapshot", "--tables", "public.big")
    assert code == 0, output + errors
    blocker = db.connect(autocommit=False)  # what is asked for is stored, and cannot be read yet
    blocker.execute("insert into big values (-1, 0, 'x', null)")
    worker.start()
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 60)
    worker.kill()
    blocker.commit()
    worker.start()
    worker.wait_log("goes on from .*, 0 tables are left", 60, since=worker.begun)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["big"])


def test_part_that_no_snapshot_follows(t):
    """snapshot.mode=no_data after a kill: silver says that it is not the table."""
    db = t.database()
    make_table(db, "big")
    worker = begin(t, db)
    db.psql("update big set n = 4 where id < 10")
    worker.config["snapshot.mode"] = "no_data"
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    db.psql("update big set n = 5 where id = 20")
    finish(db, worker)
    assert status(t, worker) == "stale"


def test_killed_before_a_part_is_told(t):
    """Its rows are committed: until all are there the table is stale."""
    db = t.database()
    make_table(db, "big")
    worker = t.worker(db, outputs="silver", **{"lake.flush.interval.ms": 100, "snapshot.max.threads": 1})
    worker.start(under=under(FAULT_AT="before:link checkpoint:4"))
    assert worker.wait() == -9, worker.log_tail()
    blocker = db.connect(autocommit=False)
    blocker.execute("update big set n = 9 where id = 6999")
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    db.psql("insert into big values (-5, 0, 'y', null)")
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 60)
    assert status(t, worker) == "stale", t.lake(worker).checkpoint()
    blocker.commit()
    worker.wait_log("goes on from .*, 0 tables are left", 60, since=worker.begun)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["big"])


def test_table_that_silver_has_is_replaced_at_once(t):
    """Also behind one that is added, and takes longer than the stream may be held."""
    db = t.database()
    make_table(db, "big")
    db.psql("create table live (%s, primary key (id)); alter table live alter filler set storage plain" % COLUMNS)
    fill(db, "live", 1, ROWS)
    worker = start(t, db, **{"table.include.list": "public.live", "snapshot.hold.ms": 400})
    worker.wait_log("streaming from slot", 60)
    assert worker.stop() == 0, worker.log_tail()
    worker.config["table.include.list"] = "public.live,public.big"
    code, output, errors = worker.command("snapshot", "--tables", "public.live")
    assert code == 0, output + errors
    worker.start()
    worker.wait_log("goes on from .*, 0 tables are left", 120, since=worker.begun)
    assert 'table "public.live" goes on' not in worker.log_text(), worker.log_text()
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["big", "live"])


def test_added_table_lets_changes_through(t):
    """A table that is added is read in parts; the changes of others do not wait for all of it."""
    db = t.database()
    rows = ROWS * 2  # more than waits in queues while its first part is being stored
    make_table(db, "big", rows)
    db.psql("create table small (id int primary key, n int); insert into small values (1, 1)")
    worker = start(t, db, outputs="kafka,bronze,silver", **{"table.include.list": "public.small", "snapshot.hold.ms": 1})
    worker.wait_log("streaming from slot", 60)
    db.psql("select pg_create_logical_replication_slot('reference', 'cdc_decoder', false);")
    assert worker.stop() == 0, worker.log_tail()
    worker.config["table.include.list"] = "public.small,public.big"
    change(db, "big", rows)
    since = len(worker.log_text())
    worker.start()
    worker.wait_log("tables are left", 60, since=since)
    change(db, "big", rows, again=1)
    db.psql("insert into small select i, i from generate_series(2, 500) i")
    worker.wait_log("goes on from .*, 0 tables are left", 120, since=since)
    text = worker.log_text()[since:]
    assert "goes on at page" in text, text
    until = finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["big", "small"])
    repeated = snapshot_rows(t.broker, worker.config["topic.prefix"] + ".public.big")
    assert sum(repeated.values()) < 2 * len(repeated), (sum(repeated.values()), len(repeated))
    assert until


test_killed_snapshot_goes_on.seconds = 40
