"""A publication of the user's own as a filter; what Debezium makes of one is in the goldens publication_*."""

from lib.consumer import read_all

DISABLED = {"publication.name": "p", "publication.autocreate.mode": "disabled"}

TABLES = """
create table listed (id int primary key, v text, hidden text);
create table filtered (id int primary key, n int);
alter table filtered replica identity full;
create table whole (id int primary key, v text);
create table absent (id int primary key, v text);
insert into listed select g, 'old', 'hidden' from generate_series(1, 10) g;
insert into filtered select g, g from generate_series(1, 20) g;
insert into whole values (1, 'w');
insert into absent values (1, 'a');
"""


def refused(worker, *parts):
    code, output, errors = worker.command("check")
    for part in parts:
        assert code == 1 and "fix   publication" in output and part in output, output + errors
    worker.start()
    worker.ends(2, *parts)


def test_a_changed_publication_counts_from_the_next_start(t):
    """It is read at the start: tables and columns that are renamed stay in, what ALTER PUBLICATION adds comes with the
    next run; into Kafka alone that needs no fresh start."""
    db = t.database()
    db.psql(TABLES + "create publication p for table listed (id, v), filtered where (n > 10) with (publish = 'insert')")
    worker = t.worker(db, outputs="kafka", **dict(DISABLED, **{
        "topic.prefix": "changed", "snapshot.mode": "no_data", "row.filter.public.filtered": "n <> 99"}))
    worker.run_until(db.lsn())
    db.psql("insert into listed values (11, 'v', 'hidden'); alter table listed rename v to w;"
            "alter table listed rename to listed_too; insert into listed_too values (12, 'w', 'hidden');"
            "insert into filtered values (21, 5), (22, 50), (23, 99); update filtered set n = 77 where id = 22;"
            "insert into absent values (2, 'never'); truncate listed_too")
    worker.run_until(db.lsn())
    db.psql("alter publication p add table absent; alter publication p set (publish = 'insert, delete')")
    db.psql("insert into absent values (3, 'now'); delete from absent where id = 2")
    worker.run_until(db.lsn())
    rows = {name: [record.value and (record.json["op"], record.json["after"])
                   for record in read_all(t.broker, "changed.public." + name)]
            for name in ("listed", "listed_too", "filtered", "absent")}
    assert rows == {
        "listed": [("c", {"id": 11, "v": "v"})], "listed_too": [("c", {"id": 12, "w": "w"})],
        "filtered": [("c", {"id": 22, "n": 50})],
        "absent": [("c", {"id": 3, "v": "now"}), ("d", None), None]}, rows


def test_the_lake_through_a_publication(t):
    """With a lake the snapshot is filtered as the stream is, so that silver equals the source as published; verify looks
    through the same publication, and another one wants a fresh start."""
    db = t.database()
    db.psql(TABLES + "create publication p for table listed (id, v), filtered where (n > 10), whole")
    worker = t.worker(db, outputs="bronze,silver", **DISABLED)
    worker.run_until(db.lsn())
    db.psql("update filtered set n = 1 where id = 20; update filtered set n = 100 where id = 1; delete from filtered where id = 15;"
            "update listed set hidden = 'other', v = 'new' where id = 1; delete from whole; insert into absent values (2, 'a')")
    worker.run_until(db.lsn())
    lake = t.lake(worker)
    assert sorted(row["id"] for row in lake.rows("silver_filtered")) == [1, 11, 12, 13, 14, 16, 17, 18, 19]
    listed = lake.rows("silver_listed")
    assert len(listed) == 10 and "hidden" not in listed[0] and not lake.rows("silver_whole"), listed
    for row in lake.rows("bronze_listed"):
        assert "hidden" not in str(row), row
    code, output, errors = worker.command("verify")
    assert code == 0 and "3 of 3 tables equal" in output, output + errors
    code, output, errors = worker.command("check")
    assert code == 0 and "publication \"p\" says what is captured" in output, output + errors
    db.psql("alter table whole rename to whole_too; insert into whole_too values (2, 'x')")
    worker.run_until(db.lsn())
    db.psql("alter publication p set table listed (id, v), filtered where (n > 11), whole_too")
    worker.start()
    worker.ends(2, "was stored under other table, column or row filters")
    db.psql("alter publication p set table listed (id, v), filtered where (n > 10), whole_too")
    worker.run_until(db.lsn())
    assert [row["id"] for row in t.lake(worker).rows("silver_whole")] == [2]


def test_publications_that_cannot_be_taken_over(t):
    """Each is refused by check and run, by name and with what to do, before anything is made."""
    db = t.database()
    worker = t.worker(db, outputs="bronze,silver", **DISABLED)
    refused(worker, "publication \"p\" does not exist", "remove publication.autocreate.mode")
    db.psql("create table t (id int primary key, v text);"
            "create table parted (id int, n int, primary key (id)) partition by range (id);"
            "create table part partition of parted for values from (0) to (10);"
            "create publication p for table t with (publish = 'insert, update')")
    refused(worker, "does not publish all operations", "leave silver out of outputs")
    db.psql("alter publication p set (publish = 'insert'); alter publication p set table t (v)")
    worker.config["outputs"] = "bronze"
    refused(worker, "has a column list without the primary key", "\"public.t\"")
    db.psql("alter publication p set table parted; alter publication p set (publish_via_partition_root = true)")
    refused(worker, "publishes partitions as their root", "Set publish.via.partition.root to true.")
    worker.config["publish.via.partition.root"] = "true"
    db.psql("alter publication p set table parted (id)")
    refused(worker, "has a column list for a partitioned table", "\"public.parted\"", "column.exclude.list")
    db.psql("alter publication p set table part")
    refused(worker, "has a partition by itself", "\"public.part\"")
    assert db.psql("select count(*) from pg_replication_slots where database = current_database()") == "0"
    db.psql("alter publication p set table parted where (n > 1); insert into parted values (1, 2), (2, 1)")
    worker.run_until(db.lsn())
    db.psql("insert into parted values (3, 3), (4, 1)")
    worker.run_until(db.lsn())
    events = t.lake(worker).rows("bronze_parted")
    assert sorted((row["op"], row["key"]) for row in events) == [("c", '{"id":3}'), ("r", '{"id":1}')], events
