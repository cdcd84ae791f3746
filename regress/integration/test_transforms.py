"""Transformations in the running worker: what they may not do, and that a kill neither loses nor repeats."""

import threading

from lib.consumer import read_all
from lib.support import wait_for


def routed(t, db, replacement, **config):
    return t.worker(db, outputs="kafka", **{
        "transforms": "unwrap,route",
        "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
        "transforms.unwrap.delete.tombstone.handling.mode": "delete-to-tombstone",
        "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.route.regex": ".*\\\\.(\\\\w+)",
        "transforms.route.replacement": replacement, **config})


def test_transforms_cannot_write_positions(t):
    """A route to the topic of positions could make another worker skip events."""
    db = t.database()
    db.psql("create table t (id int primary key); insert into t values (1)")
    worker = routed(t, db, "__cdc_sink_positions")
    ended, output, errors = worker.command("run", timeout=60)
    assert ended == 2, output + errors
    assert "topic \"__cdc_sink_positions\" is not for events" in errors, errors
    assert "table \"public.t\"" in errors, errors
    assert "Transformation \"route\" chose it" in errors, errors
    assert not [r for r in read_all(t.broker, "__cdc_sink_positions") if r.key == "{\"id\":1}"]


def test_transforms_that_fail_say_what_to_do(t):
    """A column that the outbox's options name and the table lacks."""
    db = t.database()
    db.psql("create table o (id uuid primary key, aggregatetype text, payload text);"
            " insert into o values (gen_random_uuid(), 'a', 'x')")
    worker = t.worker(db, outputs="kafka", **{
        "transforms": "box", "transforms.box.type": "io.debezium.transforms.outbox.EventRouter"})
    ended, output, errors = worker.command("run", timeout=60)
    assert ended == 2, output + errors
    assert "cannot apply transformation \"box\"" in errors and "Correct the options below transforms.box" in errors, errors


def test_transforms_survive_kills(t):
    """Each row of a routed, unwrapped table once and in order for a read_committed consumer."""
    db = t.database()
    db.psql("create table a (id int primary key, v text); create table b (id int primary key, v text)")
    topic = t.prefix() + "_all"
    worker = routed(t, db, topic, **{"snapshot.mode": "no_data"})
    worker.start()
    worker.wait_log("streaming from slot", 60)
    source = threading.Thread(target=lambda: db.psql("".join(
        "insert into %s values (%d, 'x');" % ("ab"[n % 2], n) + ("delete from a where id = %d;" % n if n % 10 == 0 else "")
        for n in range(6000))))
    source.start()
    for _ in range(4):
        worker.run_for(0.7)
        worker.kill()
        worker.start()
    source.join()
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 90)
    assert worker.stop() == 0, worker.log_tail()
    wait_for(lambda: topic in t.broker.topics(), 30, "topic " + topic)
    seen = [(record.json_key["id"], record.value is None) for record in read_all(t.broker, topic)]
    expected = [entry for n in range(6000) for entry in ([(n, False), (n, True)] if n % 10 == 0 else [(n, False)])]
    assert seen == expected, "%d of %d; first difference at %d" % (
        len(seen), len(expected), next((i for i, pair in enumerate(zip(seen, expected)) if pair[0] != pair[1]), -1))
