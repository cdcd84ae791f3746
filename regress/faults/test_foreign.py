"""Something else writes the lake's tables: other rows stop the worker, rewritten files do not."""

from lib.foreign import foreign_table, undo_commits
from lib.truth import Judge


def begin(t):
    db = t.database()
    db.psql("create table t (id int primary key, v text); insert into t select n, 'x' from generate_series(1, 100) n")
    worker = t.worker(db, outputs="bronze,silver", **{"errors.max.retries": 1})
    worker.start()
    worker.wait_log("streaming from slot", 60)
    return db, worker, t.lake(worker), Judge(t, db, worker, tables=["t"])


def some_row(lake, table):
    return lake.arrow(table).slice(0, 1)


def refused(worker, since, table, operation):
    log = worker.log_text()[since:]
    for part in ("cdc-sink: error: ", "table \"%s\" was written by something else" % table,
                 "has operation \"%s\"" % operation, "cdc-sink: hint: ", "Roll the table back to snapshot"):
        assert part in log, "no %s in:\n%s" % (part, worker.log_tail())


def test_rows_of_another_writer(t):
    """An append and a delete, at rest and in mid-run, in silver, bronze and the checkpoints."""
    db, worker, lake, judge = begin(t)
    for number, table in enumerate(("silver_t", "bronze_t", "cdc_checkpoints", "silver_t")):
        db.psql("insert into t values (%d, 'y'); update t set v = 'z' where id = %d" % (1000 + number, number + 1))
        db.wait_confirmed(worker.config["slot.name"], db.lsn())
        mine = lake.metadata_file(table)
        since = len(worker.log_text())
        if number < 3:
            foreign_table(lake, table).append(some_row(lake, table))
        else:
            foreign_table(lake, table).delete("id = 7")
        db.psql("insert into t values (%d, 'y')" % (2000 + number))
        assert worker.wait(60) == 2, worker.log_tail()
        refused(worker, since, table, "append" if number < 3 else "overwrite")
        since = len(worker.log_text())
        worker.start()
        assert worker.wait(60) == 2, worker.log_tail()
        refused(worker, since, table, "append" if number < 3 else "overwrite")
        undo_commits(mine)
        since = len(worker.log_text())
        worker.start()
        worker.wait_log("streaming from slot", 60, since=since)
        until = db.lsn()
        db.wait_confirmed(worker.config["slot.name"], until)
        judge.look(until)
    assert worker.stop() == 0, worker.log_tail()


def test_properties_of_another_writer(t):
    """A commit without rows is taken over; the worker reads the table again and goes on."""
    db, worker, lake, judge = begin(t)
    with foreign_table(lake, "silver_t").transaction() as transaction:
        transaction.set_properties({"comment": "of somebody else"})
    db.psql("insert into t values (1000, 'y'); delete from t where id < 10")
    until = db.lsn()
    db.wait_confirmed(worker.config["slot.name"], until)
    assert worker.stop() == 0, worker.log_tail()
    judge.look(until)
    assert lake.metadata("silver_t")["properties"]["comment"] == "of somebody else"


test_properties_of_another_writer.quick = True
