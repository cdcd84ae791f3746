"""Large tables go on where they were: an initial snapshot that is killed, a table added to a running slot.

Every case changes the rows that were read and those that were not, moves rows between their pages, and ends with
each streamed event in Kafka and bronze once, silver equal to the source by two readers and verify, and far fewer
snapshot rows than reading twice would have given.
"""

import json
import re
import signal

from lib.consumer import read_all
from lib.support import wait_for
from lib.truth import check_bronze, check_kafka, check_silver, finish

ROWS = 7000
COLUMNS = "id bigint, n int not null default 0, filler text not null, toasted text"


def fill(db, table, first, last):
    """A row in a page, each tenth with a value in TOAST."""
    db.psql("insert into %s select i, 0, rpad(i::text, 7000, 'x'),"
            " case when i %% 10 = 0 then repeat(md5(i::text), 100) end from generate_series(%d, %d) i"
            % (table, first, last))


def make_table(db, table, rows=ROWS):
    db.psql("create table %s (%s, primary key (id)); alter table %s alter toasted set storage external,"
            " alter filler set storage plain" % (table, COLUMNS, table))
    fill(db, table, 1, rows)
    db.psql("vacuum analyze %s" % table)


def change(db, table, rows=ROWS, again=0):
    """Changes in what was read and what was not; with room made in the first pages rows of the last ones move there,
    with their values in TOAST untouched."""
    low = rows // 10
    db.psql("delete from %s where id between 50 and %d or id between %d and %d" % (table, low, rows - 30, rows - 20))
    db.psql("vacuum (index_cleanup on) %s" % table)
    db.psql("""update {0} set n = n + 1 where id % 10 = 0 and (id between {1} and {1} * 2 or id > {2} - {1});
        update {0} set id = id + 1000000 where id % 100 = 0;
        insert into {0} select i, 7, rpad(i::text, 7000, 'y'), null from generate_series({3} + 1, {3} + 80) i;
        update {0} set toasted = 'short' where id % 190 = 0""".format(table, low, rows, 500000 + again * 1000))


def stored_parts(t, worker):
    """Whether all outputs have stored that they have a part of the same table."""
    if "cdc_checkpoints" not in t.lake(worker).tables():
        return False
    positions = [json.dumps(t.lake(worker).metadata("cdc_checkpoints")["properties"])]
    if "kafka" in worker.config["outputs"]:
        key = "%s/%s" % (worker.config["topic.prefix"], worker.config["slot.name"])
        positions.append([record.value for record in read_all(t.broker, "__cdc_sink_positions")
                          if record.key == key][-1])
    parts = [set(re.findall(r"[@+](\d+):[1-9]", position)) for position in positions]
    return bool(set.intersection(*parts))


def kill_in_the_middle(t, worker):
    """It runs for moments only, between looks at it, so that it does not come to its end unseen."""
    def look():
        worker.signal(signal.SIGSTOP)
        if stored_parts(t, worker):
            return True
        worker.signal(signal.SIGCONT)
        return not worker.run_for(0.15)
    wait_for(look, 120, "a part to be stored")
    worker.kill()


def snapshot_rows(broker, topic):
    """{key: how often it came as r}."""
    seen = {}
    for record in read_all(broker, topic):
        if record.value is not None and record.json["op"] == "r":
            seen[record.key] = seen.get(record.key, 0) + 1
    return seen


def start(t, db, outputs="bronze,silver", **config):
    worker = t.worker(db, outputs=outputs, **dict({"lake.flush.interval.ms": 100, "snapshot.max.threads": 1}, **config))
    worker.start()
    return worker


def begin(t, db, **config):
    """Begins a snapshot, and kills it when a part of the table is there."""
    worker = start(t, db, **config)
    worker.wait_log("created, consistent at", 60)
    db.psql("select pg_create_logical_replication_slot('reference', 'cdc_decoder')")
    kill_in_the_middle(t, worker)
    assert "initial snapshot complete" not in worker.log_text(), "the snapshot was too fast to be killed"
    return worker


def end(t, db, worker, *tables):
    until = finish(db, worker)
    if "kafka" in worker.config["outputs"]:
        check_kafka(db, t.broker, worker.config["topic.prefix"], until)
    check_bronze(db, t.lake(worker), until)
    check_silver(db, worker, t.lake(worker), tables)


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


def last_states(broker, *topics):
    """{key: the last state of its row, None when it was deleted}, over topics that share the rows of one table."""
    states = {}
    for record in sorted(read_all(broker, *topics), key=lambda record: record.timestamp):
        if record.value is not None:
            states[record.key] = record.json["after"]
    return states


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


test_killed_snapshot_goes_on.seconds = 14
test_killed_again_and_again.seconds = 25
