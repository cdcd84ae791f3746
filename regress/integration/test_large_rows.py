"""Rows whose records are larger than their topic takes: named, counted, left out as configured, and never
rendered to their whole length."""

import re

from lib.consumer import Reader

MB = 1 << 20
BYTES = 48 * MB
# six bytes of JSON for one of text
LARGE = "insert into t select 2, 'x', repeat(e'\\x01', %d), 'y'; insert into t values (3, 'after', null, null)" % BYTES


def large_table(t):
    db = t.database()
    db.psql("create table t (id int primary key, a text, v text, b text); alter table t alter v set storage external;"
            "insert into t values (1, 'before', null, null)")
    return db


def refusal(text, what):
    """The sentence about the row, with its column and sizes."""
    found = re.search(r'record of table "public.t", LSN \S+, with %d bytes in column "v", has at least (\d+) bytes,'
                      r' (\S+) takes at most (\d+)' % BYTES, text)
    assert found, "%s: %s" % (what, text[-3000:])
    assert int(found.group(3)) < int(found.group(1)) <= BYTES, found.groups()


def ids(t, worker):
    reader = Reader(t.broker, worker.config["topic.prefix"] + ".public.t")
    found = [(record.json["op"], record.json["after"]["id"]) for record in reader.to_end()]
    reader.close()
    return found


def streams(t, **config):
    """A large row comes while streaming; what it adds to the worker's memory stays near its own length."""
    db = large_table(t)
    worker = t.worker(db, outputs="kafka", **config)
    worker.start()
    worker.wait_log("streaming from slot")
    before = worker.rss_peak
    db.psql(LARGE)
    assert worker.wait(60) == 2, worker.log_tail()
    refusal(worker.log_text(), "fail")
    worker.config["event.processing.failure.handling.mode"] = "warn"
    since = len(worker.log_text())
    worker.run_until(db.lsn())
    warned = worker.log_text()[since:]
    refusal(warned, "warn")
    assert " 1 refused" in warned, worker.log_tail()
    # what libpq holds, twice at most while it grows, and the message
    worker.used_at_most(before + 5 * BYTES)
    db.psql("update t set b = 'z', v = v || 'w' where id = 2; update t set id = 4 where id = 2; delete from t where id = 3")
    worker.config["event.processing.failure.handling.mode"] = "skip"
    since = len(worker.log_text())
    worker.run_until(db.lsn())
    said = worker.log_text()[since:]
    assert "event skipped" not in said and " 1 refused" in said, worker.log_tail()
    return worker


def test_large_row_while_streaming(t):
    worker = streams(t, **{"tombstones.on.delete": "false"})
    reader = Reader(t.broker, worker.config["topic.prefix"] + ".public.t")
    found = [(record.json["op"], (record.json["after"] or record.json["before"])["id"]) for record in reader.to_end()]
    reader.close()
    # the first update is refused; the second moves the key, its row's large value was not sent
    assert found == [("r", 1), ("c", 3), ("d", 2), ("c", 4), ("d", 3)], found


def test_large_row_in_a_snapshot(t):
    db = large_table(t)
    db.psql(LARGE)
    worker = t.worker(db, outputs="kafka")
    worker.start()
    assert worker.wait(60) == 2, worker.log_tail()
    refusal(worker.log_text(), "fail")
    for mode in ("warn", "skip"):
        other = t.worker(db, outputs="kafka", **{"event.processing.failure.handling.mode": mode})
        other.run_until(db.lsn())
        assert ids(t, other) == [("r", 1), ("r", 3)], mode
        assert " 1 refused" in other.log_text(), other.log_tail()
        assert ("event skipped" in other.log_text()) == (mode == "warn"), other.log_tail()


def test_large_row_that_a_transformation_makes_small(t):
    """The column that is too large goes before anybody counts."""
    db = large_table(t)
    worker = t.worker(db, outputs="kafka", **{
        "transforms": "unwrap,less", "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
        "transforms.less.type": "org.apache.kafka.connect.transforms.ReplaceField$Value",
        "transforms.less.exclude": "v"})
    worker.run_until(db.lsn())
    db.psql(LARGE)
    worker.run_until(db.lsn())
    reader = Reader(t.broker, worker.config["topic.prefix"] + ".public.t")
    found = [record.json for record in reader.to_end()]
    reader.close()
    assert [row["id"] for row in found] == [1, 2, 3] and "v" not in found[1], [str(row)[:200] for row in found]
