"""What the worker does with its slot and its sessions, as Debezium's properties ask for it."""

from lib.consumer import read_all

TABLE = "create table public.t (id int primary key, v text)"


def kafka_worker(t, db, **config):
    return t.worker(db, outputs="kafka", **dict({"snapshot.mode": "no_data"}, **config))


def refused(worker, *parts):
    code, output, errors = worker.command("run", timeout=60)
    assert code == 2, "exit code %s:\n%s%s" % (code, output, errors)
    for part in parts:
        assert part in errors, "no \"%s\" in:\n%s" % (part, errors)


def test_an_idle_database_holds_no_wal_without_heartbeats(t):
    """Another database writes 20 MB: the slot of this one follows, with neither heartbeats nor changes."""
    db, other = t.database(), t.database()
    db.psql(TABLE)
    other.psql("create table w (v text)")
    worker = kafka_worker(t, db, **{"slot.name": "idle"}).start()
    worker.wait_log("streaming from slot")
    other.psql("insert into w select repeat('x', 1000) from generate_series(1, 20000)")
    db.wait_confirmed("idle", other.psql("select pg_current_wal_lsn() - 17000000::numeric"))
    worker.stop()
    assert worker.exit_code == 0


def test_tables_that_share_a_topic(t):
    """As with Debezium they do, when their names have nothing that topics have; it is said."""
    db = t.database()
    db.psql('create table "\u00e4" (id int primary key); create table "\u00f6" (id int primary key)')
    worker = kafka_worker(t, db)
    worker.run_until(db.lsn(), timeout=60)
    db.psql('insert into "\u00e4" values (1); insert into "\u00f6" values (1)')
    worker.run_until(db.lsn(), timeout=60)
    topic = t.prefix() + ".public._"
    assert worker.log.read_text().count(
        'tables "public.\u00e4" and "public.\u00f6" share the topic "%s"' % topic) == 1, worker.log_tail()
    assert len(read_all(t.broker, topic)) == 2


def test_slot_drop_on_stop(t):
    db = t.database()
    db.psql(TABLE)
    worker = kafka_worker(t, db, **{"slot.name": "passing", "slot.drop.on.stop": "true", "snapshot.mode": "initial"})
    for run in range(2):
        db.psql("insert into t values (%d, 'x')" % run)
        worker.run_until(db.lsn(), timeout=60)
        assert not db.slot_exists("passing")
    topic = worker.config["topic.prefix"] + ".public.t"
    ops = [(record.json["op"], record.json["after"]["id"]) for record in read_all(t.broker, topic)]
    assert ops == [("r", 0), ("r", 0), ("r", 1)], ops


def test_replica_identity_autoset(t):
    db = t.database()
    db.psql(TABLE + "; create table u (id int primary key, k int not null); create unique index u_k on u (k)")
    worker = kafka_worker(t, db, **{"replica.identity.autoset.values": "public.t:FULL, PUBLIC\\\\.u:index u_k"})
    worker.run_until(db.lsn(), timeout=60)
    found = db.psql("select relname, relreplident from pg_class where relname in ('t', 'u') order by 1").split()
    assert found == ["t|f", "u|i"], found
    refused(kafka_worker(t, db, **{"replica.identity.autoset.values": "public.t:SOME"}),
            "replica.identity.autoset.values", "public.t:SOME", "NOTHING")
    refused(kafka_worker(t, db, **{"replica.identity.autoset.values": "public.t:FULL,.*:DEFAULT"}),
            "more than one expression", "public.t")


def test_initial_statements_cannot_undo_what_is_pinned(t):
    db = t.database()
    db.psql("create table d (id int primary key, at timestamptz, n int[]);"
            "insert into d values (1, '2020-01-02 03:04:05.678+00', '{1,2}');"
            "create table log (said text)")
    worker = kafka_worker(t, db, **{
        "snapshot.mode": "initial", "table.include.list": "public.d",
        "database.initial.statements": "set datestyle to 'German'; set timezone to 'Asia/Tokyo';"
                                       "insert into public.log values ('a;;b'); "})
    worker.run_until(db.lsn(), timeout=60)
    records = read_all(t.broker, worker.config["topic.prefix"] + ".public.d")
    assert [record.json["after"] for record in records] == \
        [{"id": 1, "at": "2020-01-02T03:04:05.678000Z", "n": [1, 2]}]
    assert set(db.psql("select said from log").split()) == {"a;b"}
    refused(kafka_worker(t, db, **{"database.initial.statements": "select nonsense"}),
            "database.initial.statements", "nonsense")


def test_transaction_metadata_continues_after_a_kill(t):
    """Killed between transactions and started again: each transaction begins and ends once, with whole counts."""
    db = t.database()
    db.psql(TABLE)
    worker = kafka_worker(t, db, **{"provide.transaction.metadata": "true"})
    worker.run_until(db.lsn(), timeout=60)
    for run in range(3):
        db.psql("begin; insert into t select %d * 100 + i, 'x' from generate_series(1, 20) i;"
                " select pg_logical_emit_message(true, 'p', 'm'); commit" % run)
        worker.start()
        db.wait_confirmed(worker.config["slot.name"], db.lsn())
        worker.kill()
    prefix = worker.config["topic.prefix"]
    ends = [record.json for record in read_all(t.broker, prefix + ".transaction")]
    assert [end["status"] for end in ends] == ["BEGIN", "END"] * 3, ends
    assert all(end["event_count"] == 21 for end in ends if end["status"] == "END"), ends
    orders = [record.json["transaction"]["total_order"] for record in read_all(t.broker, prefix + ".public.t")]
    assert orders == list(range(1, 21)) * 3, orders
