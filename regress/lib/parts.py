"""A large table that is read in parts, killed in the middle, and changed in what was read and what was not."""

import json
import re
import signal

from lib.consumer import read_all
from lib.support import BUILD, wait_for
from lib.truth import check_bronze, check_kafka, check_silver, finish

ROWS = 7000
SHIM = BUILD / "faults" / "shim.so"
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


def under(**variables):
    return ["env", "LD_PRELOAD=%s" % SHIM] + ["%s=%s" % item for item in variables.items()]


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


def kill_when(worker, stored):
    """It runs for moments only, between looks at it, so that it does not come to its end unseen."""
    def look():
        worker.signal(signal.SIGSTOP)
        if stored():
            return True
        worker.signal(signal.SIGCONT)
        return not worker.run_for(0.04 if "kafka" in worker.config["outputs"] else 0.01)
    wait_for(look, 120, "a part to be stored", interval=0)
    worker.kill()


def kill_in_the_middle(t, worker):
    kill_when(worker, lambda: stored_parts(t, worker))


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


def last_states(broker, *topics):
    """{key: the last state of its row, None when it was deleted}, over topics that share the rows of one table."""
    states = {}
    for record in sorted(read_all(broker, *topics), key=lambda record: record.timestamp):
        if record.value is not None:
            states[record.key] = record.json["after"]
    return states


def status(t, worker, table="silver_big"):
    return {row["table_name"]: row["status"] for row in t.lake(worker).checkpoint()}.get(table)


def snapshot_keys(t, worker):
    """The keys that bronze has as r."""
    lake = t.lake(worker)
    return lake.sql("select count(distinct key) from %s where op = 'r'" % lake.scan("bronze_big")).fetchall()[0][0]
