"""A key of columns that the rows in silver do not have: filled in, or read again, and never taken for damage."""

from lib.support import wait_for
from lib.truth import check_silver, finish

TABLES = """
    create table a (id int primary key, v text);
    create table b (id int, v text);
    create table c (id int primary key, v text);
    insert into a select n, 'a' from generate_series(1, 200) n;
    insert into b select n, 'b' from generate_series(1, 200) n;
    insert into c select n, 'c' from generate_series(1, 200) n"""


def test_columns_added_to_the_key(t):
    db = t.database()
    db.psql(TABLES)
    worker = t.worker(db, **{"lake.flush.interval.ms": 100})
    worker.start()
    worker.wait_log("streaming from slot", 60)
    # a constant default fills the rows that are there; a sequence rewrites them
    db.psql("""
        alter table a add k int not null default 5;
        alter table a drop constraint a_pkey;
        alter table a add primary key (id, k);
        update a set v = 'changed' where id = 3; delete from a where id = 4; insert into a values (5, 'twin', 6);
        alter table b add pk bigserial primary key;
        update b set v = 'changed' where id = 3; delete from b where id = 4; insert into b values (5, 'twin');
        alter table c drop constraint c_pkey, add s bigserial primary key;
        update c set v = 'changed' where id = 3; delete from c where id = 4""")
    lake = t.lake(worker)
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 60)
    wait_for(lambda: all(row["status"] == "live" for row in lake.checkpoint()), 60, "the tables to be read again")
    worker.kill()
    worker.start()
    db.psql("update a set v = 'later' where id = 7; update b set v = 'later' where id = 7; delete from c where id = 7")
    finish(db, worker)
    check_silver(db, worker, lake, ["a", "b", "c"])
