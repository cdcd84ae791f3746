"""Old snapshots expire, and with them every file that only they refer to; old metadata files go too."""

from lib.support import BUILD, wait_for

SHIM = BUILD / "faults" / "shim.so"
KEPT = 10
CUTS = 4


def change(db, first, count, worker):
    """Cuts one after the other, until the worker dies."""
    slot = worker.config["slot.name"]
    for turn in range(first, first + count):
        db.psql("update t set v = 'turn %d' where id <= 2; insert into t values (%d, 'new')" % (turn, 100 + turn))
        confirmed = "select confirmed_flush_lsn >= '%s' from pg_replication_slots where slot_name = '%s'" % (db.lsn(), slot)
        wait_for(lambda query=confirmed: not worker.running or db.psql(query) == "t", 60, "a cut, or the kill")
        if not worker.running:
            return


def test_old_snapshots_expire_with_their_files(t):
    """Killed while it removes files, the worker finds the rest when it starts."""
    db = t.database()
    db.psql("create table t (id int primary key, v text); insert into t select n, 'row' from generate_series(1, 9) n")
    worker = t.worker(db, outputs="bronze,silver", **{
        "lake.flush.interval.ms": 10, "status.update.interval.ms": 100,
        "lake.snapshots.keep": KEPT, "lake.checkpoints.keep": CUTS})
    worker.start()
    worker.wait_log("streaming from slot", 60)
    change(db, 0, KEPT - 2, worker)
    assert worker.stop() == 0, worker.log_tail()
    worker.start(under=["env", "LD_PRELOAD=%s" % SHIM, "FAULT_AT=before:unlink manifest:4"])
    change(db, KEPT, 3 * KEPT, worker)
    assert worker.wait() == -9, worker.log_tail()
    lake = t.lake(worker)
    assert lake.orphans(), "killed too late to leave anything"
    since = len(worker.log_text())
    worker.start()
    worker.wait_log("streaming from slot", 60, since=since)
    change(db, 100, 3 * KEPT, worker)
    assert worker.stop() == 0, worker.log_tail()
    for name in lake.tables():
        stored, referenced = lake.stored(name), lake.referenced(name)
        surplus, missing = stored - referenced, referenced - stored
        assert not surplus and not missing, "%s: nobody refers to %s; missing: %s" % (name, surplus, missing)
        assert len(lake.metadata(name)["snapshots"]) <= KEPT, name
        assert len(list((lake.dir / name / "metadata").glob("v*.metadata.json"))) == 21, name
    rows = lake.rows("cdc_checkpoints")
    assert len({row["committed_at"] for row in rows}) == CUTS, rows
    for row in rows:
        assert lake.arrow(row["table_name"], row["snapshot_id"]).num_rows > 0
    for reader in ("pyiceberg", "duckdb"):
        assert lake.compare(db, "public.t", reader=reader) == []


test_old_snapshots_expire_with_their_files.seconds = 12
