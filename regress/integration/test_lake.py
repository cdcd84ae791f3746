"""Bronze and silver against the source, judged by PyIceberg and DuckDB."""

import pathlib

from lib.consumer import read_all
from lib.support import TOP, wait_for
from lib.truth import check_silver, finish, wait_read

SQL = pathlib.Path(TOP) / "sql"


def running(t, db, outputs="bronze,silver", **config):
    worker = t.worker(db, outputs=outputs, **config)
    worker.start()
    worker.wait_log("streaming from slot", 60)
    return worker


def settle(worker, db):
    """Everything committed so far is in a published cut; the worker has ended well."""
    until = db.lsn()
    confirmed = "select confirmed_flush_lsn >= '%s' from pg_replication_slots where slot_name = '%s'" % (
        until, worker.config["slot.name"])
    wait_for(lambda: not worker.running or db.psql(confirmed) == "t", 90, "slot to confirm " + until)
    assert worker.stop() == 0, worker.log_tail()


def assert_equal(t, worker, db, *relations):
    lake = t.lake(worker)
    for relation in relations:
        for reader in ("pyiceberg", "duckdb"):
            differences = lake.compare(db, relation, reader=reader)
            assert not differences, "\n".join(differences)
    return lake


def test_shop(t):
    """The demo: snapshot, workload, restart in between; silver equal, one cut over all tables."""
    db = t.database()
    db.psql_file(SQL / "init.sql")
    worker = running(t, db)
    db.psql_file(SQL / "workload.sql")
    settle(worker, db)
    assert t.lake(worker).compare(db, "public.orders", reader="duckdb") == []
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    db.psql("update users set country = 'XX' where id <= 10; delete from products where id = 3;"
            " insert into orders (user_id, product_id, amount) values (1, 1, 1)")
    settle(worker, db)
    lake = assert_equal(t, worker, db, "public.users", "public.products", "public.orders")
    cut = lake.checkpoint()
    assert {row["table_name"] for row in cut} >= {"silver_users", "silver_products", "silver_orders", "bronze_users"}, cut
    names = lake.iceberg("silver_users").schema().identifier_field_names()
    assert set(names) == {"id"}, names
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors


test_shop.seconds = 20


def test_interface_columns(t):
    """The columns that others build on, and their types."""
    db = t.database()
    db.psql("create table plain (id bigint primary key, n numeric(12,2), u uuid, d date, ts timestamptz, j jsonb, a int[], b bytea)")
    worker = running(t, db)
    db.psql("insert into plain values (1, 1.50, '00000000-0000-0000-0000-000000000001', '2020-01-01', now(), '{\"a\": 1}', '{1,2,null}', '\\x00ff')")
    settle(worker, db)
    lake = assert_equal(t, worker, db, "public.plain")
    silver = {f.name: str(f.field_type) for f in lake.iceberg("silver_plain").schema().fields}
    assert silver == {"id": "long", "n": "decimal(12, 2)", "u": "uuid", "d": "date", "ts": "timestamptz", "j": "string",
                      "a": "list<int>", "b": "binary", "_op": "string", "_lsn": "long", "_commit_ts": "timestamptz",
                      "_dq_flags": "list<string>", "_overflow": "map<string, string>"}, silver
    bronze = [f.name for f in lake.iceberg("bronze_plain").schema().fields]
    assert bronze == ["op", "commit_lsn", "lsn", "ordinal", "txid", "source_ts", "ingest_ts", "key", "before", "after",
                      "unchanged", "schema_version"], bronze
    row = lake.rows("bronze_plain")[0]
    assert row["op"] == "c" and row["key"] == "{\"id\":1}" and row["before"] is None, row
    assert row["commit_lsn"] >= row["lsn"] > 0 and row["ordinal"] == 0 and row["txid"] > 0, row
    assert '"n":"1.50"' in row["after"] and '"a":[1,2,null]' in row["after"], row


def test_values_at_the_edge(t):
    """Null, flag and exact text where Iceberg has no such value."""
    db = t.database()
    db.psql("create table edge (id int primary key, n numeric, n2 numeric(10,2), d date, ts timestamp, tz timestamptz, t time,"
            " f float8, a int[], big numeric(60,0), iv interval, tt timetz)")
    worker = running(t, db)
    db.psql("""insert into edge (id, n, n2, d, ts, tz) values
        (1, 'NaN', 'NaN', 'infinity', 'infinity', 'infinity'), (2, 'Infinity', 1, '-infinity', '-infinity', '-infinity'),
        (3, 1e-30, 2, '0044-03-15 BC', '4713-01-01 BC', '294276-12-31 23:59:59+00'), (4, 1e30, 3, '9999-12-31', '9999-12-31 23:59:59.999999', '0001-01-01 00:00:00+00');
        insert into edge (id, t, f, a, big, iv, tt) values (5, '24:00', 'NaN', '{{1,2},{3,4}}', 1e59, '1 year 2 mons 3 days 04:05:06.7', '12:00:00+05:30'),
        (6, '23:59:59.999999', '-Infinity', '[0:1]={7,8}', -1, '-1 day', '24:00:00+00'), (7, '00:00', '-0', '{}', 0, '0', '00:00:00-15:59')""")
    settle(worker, db)
    lake = assert_equal(t, worker, db)
    rows = {row["id"]: row for row in lake.rows("silver_edge")}
    overflow = {number: dict(row["_overflow"] or {}) for number, row in rows.items()}
    assert overflow[1] == {"n": "NaN", "n2": "NaN", "d": "infinity", "ts": "infinity", "tz": "infinity"}, overflow[1]
    assert overflow[2] == {"n": "Infinity", "d": "-infinity", "ts": "-infinity", "tz": "-infinity"}, overflow[2]
    assert set(overflow[3]) == {"n", "d", "ts", "tz"} and overflow[3]["d"] == "0044-03-15 BC", overflow[3]
    assert set(overflow[4]) == {"n"}, overflow[4]
    assert overflow[5] == {"a": "{{1,2},{3,4}}"}, overflow[5]
    assert overflow[6] == {"a": "[0:1]={7,8}"}, overflow[6]
    assert str(rows[5]["t"]) == "23:59:59.999999" and rows[5]["_dq_flags"], rows[5]
    assert rows[5]["f"] != rows[5]["f"] and rows[5]["big"] == "1" + "0" * 59, rows[5]
    for number in (1, 2, 3, 4, 5, 6):
        assert rows[number]["_dq_flags"], rows[number]
    assert not rows[7]["_dq_flags"] and not overflow[7], rows[7]
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors


def test_odd_names(t):
    """Quotes, dots, upper case and Unicode in tables, columns and schemas."""
    db = t.database()
    db.psql('create schema "Odd ""schema"""; create table "Odd ""schema"""."Täble.One" ("Id" int primary key, "a.b" text, "ümlaut ""q""" int);'
            'create table "UPPER" (id int primary key, "select" text); create table "日本" (id int primary key, v text);'
            'create table "per%cent/slash" (id int primary key, v text)')
    worker = running(t, db)
    db.psql('insert into "Odd ""schema"""."Täble.One" values (1, \'x\', 2), (2, null, null);'
            'insert into "UPPER" values (1, \'s\'); insert into "日本" values (1, \'語\'), (2, \'😀\'); insert into "per%cent/slash" values (1, \'v\');'
            'update "日本" set v = \'new\' where id = 2; delete from "Odd ""schema"""."Täble.One" where "Id" = 2')
    settle(worker, db)
    assert_equal(t, worker, db, 'Odd "schema".Täble.One', "public.UPPER", "public.日本", "public.per%cent/slash")


def test_columns_follow(t):
    """Added, dropped, renamed, widened columns; a default that old rows have without being touched."""
    db = t.database()
    db.psql("create table moving (id int primary key, a text, b int, c text); insert into moving select n, 'a' || n, n, 'c' from generate_series(1, 100) n")
    worker = running(t, db)
    db.psql("alter table moving add column d text; update moving set d = 'set' where id <= 10")
    db.psql("alter table moving add column e int default 42; update moving set a = 'touched' where id = 20")
    db.psql("alter table moving rename column a to first; insert into moving (id, first) values (101, 'new')")
    db.psql("alter table moving drop column c; insert into moving (id, first) values (102, 'after drop')")
    db.psql("alter table moving add column c int; update moving set c = id where id > 90")
    db.psql("begin; alter table moving rename column first to tmp; alter table moving rename column d to first;"
            " alter table moving rename column tmp to d; update moving set b = -1 where id = 1; commit")
    settle(worker, db)
    lake = assert_equal(t, worker, db, "public.moving")
    ids = {f.name: f.field_id for f in lake.iceberg("silver_moving").schema().fields}
    assert len(set(ids.values())) == len(ids)
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors


def test_incompatible_type_stops(t):
    """int to text is no widening: the worker stops with 2 and says so; new_column goes on."""
    db = t.database()
    db.psql("create table hard (id int primary key, v int); insert into hard values (1, 1)")
    worker = running(t, db)
    db.psql("alter table hard alter column v type text using v::text; update hard set v = 'text' where id = 1")
    assert worker.wait(60) == 2, worker.log_tail()
    assert "hard" in worker.log_text() and "\"v\"" in worker.log_text(), worker.log_tail()


def test_recreated_table_stops(t):
    """Dropped and made again: another table.  The worker asks, and verify does not call it equal."""
    db = t.database()
    db.psql("create table again (id int primary key, v int); insert into again values (1, 1), (2, 2)")
    worker = running(t, db)
    db.psql("drop table again; create table again (id int primary key, v int); insert into again values (9, 9)")
    assert worker.wait(60) == 2, worker.log_tail()
    assert "again" in worker.log_text() and "lake.on.recreated" in worker.log_text(), worker.log_tail()
    code, output, errors = worker.command("verify")
    assert code == 1 and "dropped" in output, output + errors
    worker.config["lake.on.recreated"] = "by_name"
    worker.start()
    wait_read(t, db, worker)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["again"])


def test_recreated_with_rows_on_their_way(t):
    """Rows of the table before, which has its columns in another order, are not stored as the new one's."""
    db = t.database()
    db.psql("create table again (n int, id int primary key, v text); insert into again select 0, g, 'old' from generate_series(1, 500) g")
    worker = running(t, db, **{"lake.on.recreated": "by_name"})
    db.psql("update again set n = 7; insert into again select 8, g, 'old' from generate_series(501, 600) g;"
            "drop table again; create table again (id int primary key, v text, n int);"
            "insert into again select g, 'new', 1 from generate_series(300, 700) g; update again set n = 2 where id > 400;"
            "delete from again where id > 690")
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 60)
    wait_read(t, db, worker)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["again"])


def test_copied_and_swapped(t):
    """A migration by a copy that the lists did not name: with lake.on.recreated=by_name its rows are read."""
    db = t.database()
    db.psql("create table swapped (id int primary key, v int); insert into swapped select n, n from generate_series(1, 1000) n")
    worker = running(t, db, **{"table.include.list": "public.swapped", "lake.on.recreated": "by_name"})
    db.psql("create table copied (id bigint primary key, v int, w text default 'new'); insert into copied select id, v from swapped;"
            "begin; alter table swapped rename to swapped_old; alter table copied rename to swapped; commit;"
            "drop table swapped_old; insert into swapped values (5000, 1); delete from swapped where id = 1")
    wait_read(t, db, worker)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["swapped"])


def test_truncate_and_key_changes(t):
    db = t.database()
    db.psql("create table tr (id int primary key, v text); create table other (a int, b text, v int, primary key (b, a));"
            "insert into tr select n, 'x' from generate_series(1, 1000) n; insert into other values (1, 'x', 1), (2, 'y', 2)")
    worker = running(t, db)
    db.psql("insert into tr values (5000, 'before'); truncate tr; insert into tr select n, 'after' from generate_series(500, 600) n")
    db.psql("update tr set id = id + 1000; update other set a = a + 10, b = b || 'z'; begin; update tr set id = id - 1000; update tr set v = 'moved'; commit")
    db.psql("begin; delete from other where a = 11; insert into other values (11, 'xz', 9); commit")
    settle(worker, db)
    lake = assert_equal(t, worker, db, "public.tr", "public.other")
    ops = dict(lake.sql("select op, count(*) from %s group by op" % lake.scan("bronze_tr")).fetchall())
    assert ops == {"r": 1000, "c": 102, "t": 1, "u": 303}, ops
    before = {row["before"] for row in lake.rows("bronze_other") if row["op"] in ("u", "d")}
    assert before == {'{"a":1,"b":"x"}', '{"a":2,"b":"y"}', '{"a":11,"b":"xz"}'}, before


def test_unchanged_toast_keeps_its_value(t):
    """Filled from the old row: in the buffer, in a file, over a key change and a restart."""
    db = t.database()
    db.psql("create table toasted (id int primary key, n int, big text, doc jsonb); alter table toasted alter column big set storage external;"
            "insert into toasted select n, 0, repeat('b' || n, 2000), jsonb_build_object('k', repeat(md5(n::text), 200)) from generate_series(1, 50) n")
    worker = running(t, db)
    db.psql("update toasted set n = 1 where id <= 25; update toasted set id = id + 100 where id between 20 and 30")
    db.psql("begin; insert into toasted values (200, 0, repeat('q', 5000)); update toasted set n = 7 where id = 200; update toasted set id = 201 where id = 200; commit")
    settle(worker, db)
    assert_equal(t, worker, db, "public.toasted")
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    db.psql("update toasted set n = n + 1; update toasted set big = 'short' where id = 201")
    settle(worker, db)
    lake = assert_equal(t, worker, db, "public.toasted")
    unchanged = lake.sql("select count(*) from %s where unchanged like '%%big%%'" % lake.scan("bronze_toasted")).fetchone()[0]
    assert unchanged > 50, unchanged


def test_tables_without_a_key(t):
    """Appended with a flag; with REPLICA IDENTITY FULL the whole row is the key, duplicates counted."""
    db = t.database()
    db.psql("create table nokey (a int, b text); create table nokey_full (a int, b text); alter table nokey_full replica identity full;"
            "insert into nokey_full values (1, 'x'), (1, 'x'), (1, 'x'), (2, null), (2, null)")
    worker = running(t, db)
    db.psql("insert into nokey values (1, 'one'), (1, 'one'); insert into nokey_full values (3, 'y')")
    db.psql("delete from nokey_full where ctid = (select ctid from nokey_full where a = 1 limit 1);"
            "update nokey_full set b = 'z' where ctid = (select ctid from nokey_full where a = 2 limit 1)")
    settle(worker, db)
    lake = assert_equal(t, worker, db, "public.nokey_full", "public.nokey")
    flags = {tuple(row["_dq_flags"] or ()) for row in lake.rows("silver_nokey")}
    assert all(any("no_key" in flag for flag in found) for found in flags), flags


def test_partitioned_source(t):
    """Leaves in one silver table; a row that moves between leaves is a delete and an insert."""
    db = t.database()
    db.psql("create table parted (id int, day date, v text, primary key (id, day)) partition by range (day);"
            "create table parted_a partition of parted for values from ('2020-01-01') to ('2021-01-01');"
            "create table parted_b partition of parted for values from ('2021-01-01') to ('2022-01-01');"
            "insert into parted select n, date '2020-06-01' + n * 3, 'x' from generate_series(1, 150) n")
    worker = running(t, db)
    db.psql("update parted set v = 'y' where id % 2 = 0; update parted set day = day + 300 where id < 20; delete from parted where id > 140")
    settle(worker, db)
    lake = t.lake(worker)
    found = lake.sql("select count(*), count(distinct id), sum(id) from " + lake.scan("silver_parted")).fetchone()
    assert found == tuple(int(n) for n in db.psql("select count(*), count(distinct id), sum(id) from parted").split("|")), found


def test_truncated_partitions(t):
    """The whole table's TRUNCATE empties silver; one of all leaves too; after one of some the table is read again."""
    db = t.database()
    db.psql(partitioned("whole") + partitioned("leaves") + partitioned("one"))
    worker = running(t, db, **{"outputs": "kafka,bronze,silver", "skipped.operations": "none"})
    db.psql("truncate whole; insert into whole values (9, 'a', 'after'); truncate leaves1, leaves2;"
            "insert into leaves values (9, 'b', 'after'); truncate one1")
    wait_read(t, db, worker)
    db.psql("update one set v = 'after'")
    finish(db, worker)
    assert "table \"silver_one\" is stale until it is read again: one partition of several was truncated; it will be" \
           " read again by itself" in worker.log_text(), worker.log_tail()
    assert worker.log_text().count('" will be read\n') == 1, worker.log_tail()
    check_silver(db, worker, t.lake(worker), ["whole", "leaves", "one"])
    prefix = worker.config["topic.prefix"] + ".public."
    topics = sorted(topic for topic in t.broker.topics() if topic.startswith(prefix))
    truncated = {record.topic[len(prefix):] for record in read_all(t.broker, *topics)
                 if record.value is not None and record.json["op"] == "t"}
    assert truncated == {"whole1", "whole2", "leaves1", "leaves2", "one1"}, truncated


def test_killed_snapshot_goes_on(t):
    """kill -9 in the initial snapshot: bronze and silver hold each row once afterwards."""
    db = t.database()
    db.psql("create table a_first (id int primary key, v text); create table b_second (id int primary key, v text);"
            "insert into a_first select n, 'a' from generate_series(1, 100000) n; insert into b_second select n, repeat('b', 100) from generate_series(1, 300000) n")
    worker = t.worker(db, outputs="bronze,silver")
    worker.start()
    lake = t.lake(worker)
    wait_for(lambda: "silver_a_first" in lake.tables() and lake.metadata("silver_a_first").get("snapshots"), 60,
             "the first table to be committed", interval=0.01)
    worker.kill()
    db.psql("insert into a_first values (0, 'between'); delete from b_second where id <= 10")
    worker.run_until(db.lsn())
    assert "goes on with a snapshot" in worker.log_text(), worker.log_tail()
    assert_equal(t, worker, db, "public.a_first", "public.b_second")
    for table in ("a_first", "b_second"):
        found = lake.sql("select count(*) filter (op = 'r'), count(distinct key) filter (op = 'r') from " + lake.scan("bronze_" + table)).fetchone()
        assert found[0] == found[1] > 0, found


test_killed_snapshot_goes_on.seconds = 19


def test_many_small_flushes(t):
    """Position deletes stay bounded and right over hundreds of flushes."""
    db = t.database()
    db.psql("create table churn (id int primary key, v int); insert into churn select n, 0 from generate_series(1, 2000) n")
    worker = running(t, db, **{"lake.flush.interval.ms": 20})
    lake, turn = t.lake(worker), 0
    while turn < 150 or len(lake.metadata("silver_churn")["snapshots"]) <= 20:  # a slow worker takes more turns
        db.psql("update churn set v = v + 1 where id %% 40 = %d; delete from churn where id = %d; insert into churn values (%d, %d)"
                % (turn % 40, turn + 1, 10000 + turn, turn))
        turn += 1
    settle(worker, db)
    assert_equal(t, worker, db, "public.churn")
    manifests = lake.iceberg("silver_churn").inspect.files().to_pylist()
    deletes = [f for f in manifests if f["content"] == 1]
    assert len(deletes) <= 60, len(deletes)


def stale_reason(lake, table):
    return lake.iceberg(table).metadata.properties.get("cdc.stale", "")


def partitioned(name):
    """Five rows in each of two partitions."""
    return ("create table {0} (id int, r text, v text, primary key (id, r)) partition by list (r);"
            "create table {0}1 partition of {0} for values in ('a'); create table {0}2 partition of {0} for values in ('b');"
            "insert into {0} select g, 'a', 'x' from generate_series(1, 5) g;"
            "insert into {0} select g, 'b', 'x' from generate_series(1, 5) g;").format(name)


def test_detached_partition(t):
    """A table of its own from then on, over a restart too; what the stream does not tell is read."""
    db = t.database()
    db.psql(partitioned("p"))
    worker = running(t, db)
    db.psql("update p set v = 'y' where id = 1; alter table p detach partition p2;"
            "insert into p2 values (50, 'b', 'q'); update p2 set v = 'own' where id = 2; delete from p2 where id = 3")
    wait_read(t, db, worker)
    finish(db, worker)
    assert "\"public.p2\" was detached: its rows are still here" in worker.log_text(), worker.log_tail()
    assert "\"public.p2\" was detached: its rows were not read" in worker.log_text(), worker.log_tail()
    check_silver(db, worker, t.lake(worker), ["p", "p2"])
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    db.psql("update p2 set v = 'own' where id = 4; update p set v = 'z' where id = 2")
    finish(db, worker)
    assert worker.log_text().count('" will be read\n') == 2, worker.log_tail()
    check_silver(db, worker, t.lake(worker), ["p", "p2"])


def test_detached_while_stopped(t):
    """The worker knows from the lake alone whose the partition was."""
    db = t.database()
    db.psql(partitioned("p"))
    worker = running(t, db)
    settle(worker, db)
    db.psql("alter table p detach partition p2; update p2 set v = 'own'")
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    wait_read(t, db, worker)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["p", "p2"])


def check_without_partitions(t, **config):
    """The last partition was detached: the table is empty, and silver, verify and status say so."""
    db = t.database()
    db.psql(partitioned("p"))
    worker = running(t, db, **config)
    db.psql("alter table p detach partition p1; update p1 set v = 'own'; alter table p detach partition p2; update p2 set v = 'own'")
    wait_read(t, db, worker)
    finish(db, worker)
    lake = t.lake(worker)
    check_silver(db, worker, lake, ["p1", "p2"])
    assert lake.rows("silver_p") == []
    output = worker.command("verify")[1]
    assert "ok public.p: 0 rows in source, 0 in silver\n" in output, output
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    assert worker.command("status")[0] == 0
    db.psql("create table p3 partition of p for values in ('c'); insert into p values (70, 'c', 'new')")
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["p", "p1", "p2"])


def test_without_partitions(t):
    check_without_partitions(t)


def test_without_partitions_and_kafka(t):
    """Where a partitioned table is read by its own name, too."""
    check_without_partitions(t, outputs="kafka,bronze,silver")


def test_without_partitions_by_root(t):
    check_without_partitions(t, **{"publish.via.partition.root": "true"})


def check_left_stale(t, setting, reason):
    """What the user does not want to be read is stale, and status says what to do; reason is that of a new table."""
    db = t.database()
    db.psql(partitioned("p") + partitioned("one") + "create table kept (id int primary key, v text); insert into kept values (1, 'a')")
    worker = running(t, db)
    settle(worker, db)
    worker.config.update(setting)
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    db.psql("alter table p detach partition p2; insert into p2 values (50, 'b', 'q'); truncate one1;"
            "alter table kept alter v type text using upper(v)")
    db.wait_confirmed(worker.config["slot.name"], db.lsn())
    code, output, errors = worker.command("status")
    assert code == 1, output + errors
    for table, why in (("p", "\"public.p2\" was detached: its rows are still here"), ("p2", reason),
                       ("one", "one partition of several was truncated"), ("kept", "its rows were rewritten without events")):
        assert "silver_%s is stale: %s. Read it again: cdc-sink snapshot --tables public.%s\n" % (
            table, why, table) in output, output
    assert worker.command("snapshot", "--tables", "public.p,public.p2,public.one,public.kept")[0] == 0
    wait_read(t, db, worker)
    assert worker.command("status")[0] == 0
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["p", "p2", "one", "kept"])


def test_stale_where_snapshots_leave_out(t):
    check_left_stale(t, {"snapshot.include.collection.list": "public.none"},
                     "the table was not read: snapshot.include.collection.list")


def test_stale_until_somebody_asks(t):
    check_left_stale(t, {"lake.on.stale": "wait"}, "\"public.p2\" was detached: its rows were not read")


def test_detached_and_attached_again(t):
    """The root is read; what the partition's own table had is empty then, and not stale any more."""
    db = t.database()
    db.psql(partitioned("p") + "create table kept (id int, r text not null, v text, primary key (id, r));"
                               "insert into kept values (90, 'k', 'k')")
    worker = running(t, db)
    db.psql("alter table p detach partition p2; update p2 set v = 'own' where id = 2;"
            " alter table p attach partition p2 for values in ('b'); alter table p attach partition kept for values in ('k')")
    for restarted in (False, True):
        db.psql("update p set v = 'back' where id = 3; insert into p values (91, 'k', 'k') on conflict (id, r) do update set v = 'kk'")
        wait_read(t, db, worker)
        finish(db, worker)
        lake = t.lake(worker)
        check_silver(db, worker, lake, ["p"])
        output = worker.command("verify")[1]
        assert "-- silver_kept: nothing to compare it with: \"public.kept\" is not captured as a table of its own" in output, output
        assert lake.rows("silver_p2") == [], lake.rows("silver_p2")
        assert len(lake.rows("silver_p")) == 12, lake.rows("silver_p")
        assert [row["id"] for row in lake.rows("silver_kept")] == [90], lake.rows("silver_kept")
        worker.start()
        worker.wait_log("streaming from slot", 60, since=worker.begun)
    # a leaf's name stands for its root
    code, output, errors = worker.command("snapshot", "--tables", "public.p2")
    assert code == 0 and output.rstrip().endswith("to read: public.p"), output + errors
    worker.wait_log("the stream goes on", 60, since=worker.begun)
    # and once more: the partition has rows of its own again
    db.psql("alter table p detach partition p2; update p2 set v = 'own' where id = 5")
    wait_read(t, db, worker)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["p", "p2"])


def test_attached_partitions(t):
    """Created or attached empty: nothing is missing, and nothing is read.  Attached with rows: they are."""
    db = t.database()
    db.psql(partitioned("p") + partitioned("full_p") +
            "create table empty_now (id int, r text not null, v text, primary key (id, r));"
            "create table loaded (id int, r text not null, v text, primary key (id, r)); insert into loaded values (90, 'd', 'd')")
    worker = running(t, db)
    db.psql("create table p3 partition of p for values in ('c'); insert into p values (70, 'c', 'new');"
            "alter table p attach partition empty_now for values in ('e'); insert into p values (80, 'e', 'new');"
            "alter table full_p attach partition loaded for values in ('d'); insert into full_p values (91, 'd', 'new')")
    wait_read(t, db, worker)
    assert [line for line in worker.log_text().split("\n") if "will be read" in line and "stale" not in line] and \
        "table \"public.p\" will be read" not in worker.log_text(), worker.log_tail()
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["p", "full_p"])
    output = worker.command("verify")[1]
    assert "ok public.p: 12 rows" in output and "ok public.full_p: 12 rows" in output, output
    assert "public.loaded:" not in output and "public.empty_now:" not in output, output


def test_moved_without_a_change(t):
    """DETACH and ATTACH of which the stream tells nothing: the catalog does, over a restart too."""
    db = t.database()
    db.psql(partitioned("p") + partitioned("q") + "create table none (id int, r text, v text, primary key (id, r)) partition by list (r);")
    worker = running(t, db, **{"table.exclude.list": "public.loaded.*", "lake.partitions.check.interval.ms": 300})
    settle(worker, db)
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    moves = ("alter table p detach partition p2", "alter table q attach partition p2 for values in ('c', 'd')",
             "create table loaded (id int, r text not null, v text, primary key (id, r)); insert into loaded values (90, 'z', 'z');"
             "alter table loaded rename to taken; alter table q attach partition taken for values in ('z')",
             "alter table none attach partition q1 for values in ('a')")
    db.psql(moves[0])
    wait_for(lambda: "silver_p2" in t.lake(worker).tables(), 60, "the detached partition to be read")
    wait_read(t, db, worker)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["p", "p2", "q"])
    db.psql("update p2 set r = 'c'; alter table q detach partition q1")  # while the worker is stopped
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    wait_for(lambda: "silver_q1" in t.lake(worker).tables(), 60, "the detached partition to be read")
    for number, move in enumerate(moves[1:3], 1):
        wait_read(t, db, worker)
        db.psql(move)
        wait_for(lambda: worker.log_text().count("was attached: its rows were not read") == number, 60, worker.log_tail)
    db.psql(moves[3])
    wait_for(lambda: "silver_none" in t.lake(worker).tables(), 60, "the partitioned table to be read")
    wait_read(t, db, worker)
    readings = worker.log_text().count("will be read\n")
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["p", "q", "none"])
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    db.psql("insert into p values (100, 'a', 'new'); insert into q values (100, 'z', 'new'); insert into none values (100, 'a', 'new')")
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["p", "q", "none"])
    assert worker.log_text().count("will be read\n") == readings, worker.log_tail()


test_moved_without_a_change.seconds = 20


def test_attached_and_changed_at_once(t):
    """Of a table that was not captured: its first change is one of a row that silver lacks."""
    db = t.database()
    db.psql(partitioned("p") + "create table loaded (id int, r text not null, v text, primary key (id, r));"
            "insert into loaded select i, 'z', 'z' from generate_series(1, 10) i")
    worker = running(t, db, **{"table.exclude.list": "public.loaded", "lake.partitions.check.interval.ms": 0})
    db.psql("alter table loaded rename to now_p3; alter table p attach partition now_p3 for values in ('z');"
            "update now_p3 set v = 'y' where id = 1")
    wait_read(t, db, worker)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["p"])


def wait_right(t, db, worker):
    """Verify finds silver equal to the source, and nothing waits to be read, the worker running."""
    wait_for(lambda: worker.command("verify")[0] == 0, 60, lambda: "".join(worker.command("verify")[1:]) + worker.log_tail())
    wait_read(t, db, worker)
    code, output, errors = worker.command("status")
    assert code == 0, output + errors


def test_moves_that_only_the_catalog_tells(t):
    """Each without a change of rows, while the worker runs, is stopped or has been killed; at rest nothing is read."""
    db = t.database()
    db.psql(partitioned("two") + partitioned("three") + "create table \"odd, root\" (id int, r text, v text, primary key (id, r)) partition by list (r);"
            "create table sub (id int, r text, v text, primary key (id, r)) partition by range (id);"
            "create table s1 partition of sub for values from (0) to (500); create table s2 partition of sub for values from (500) to (1000);"
            "insert into sub select g, 's', 'x' from generate_series(1, 600, 10) g; create table lone (id int primary key, v text);"
            "insert into lone values (1, 'lone'); create table lone2 (id int primary key, w int, v text); insert into lone2 values (2, 2, 'x')")
    worker = running(t, db, **{"lake.partitions.check.interval.ms": 300, "lake.on.recreated": "by_name",
                               "table.exclude.list": "public.lone2"})
    for number, move in enumerate((
            "alter table two attach partition sub for values in ('s')",
            "alter table two detach partition sub",
            "alter table sub detach partition s1; alter table \"odd, root\" attach partition sub for values in ('s')",
            "alter table sub attach partition s1 for values from (0) to (500)",
            "alter table \"odd, root\" detach partition sub; alter table two attach partition sub for values in ('s')",
            "alter table two rename to \"Two.2, zwei\"; alter table two1 rename to \"o.ne\"",
            "alter table \"Two.2, zwei\" detach partition \"o.ne\"; alter table \"Two.2, zwei\" rename to drei",
            "create schema \"s.x\"; alter table drei set schema \"s.x\"; truncate two2",
            "drop table lone; alter table lone2 rename to lone",
            "drop table three; create table three (id int, r text, v text, w int, primary key (id, r)) partition by list (r)",
            "drop table \"s.x\".drei; create table \"s.x\".drei (id int, r text, v text, w int, primary key (id, r)) partition by list (r)")):
        if number % 3 == 1:
            assert worker.stop() == 0
        db.psql(move)
        if number % 3 == 2:
            worker.kill()
        if number % 3 > 0:
            worker.start()
        wait_right(t, db, worker)
    finish(db, worker)
    output = worker.command("verify")[1]
    assert "ok public.three: 0 rows in source, 0 in silver" in output and "ok public.lone: 1 rows in source, 1 in silver" in output, output
    readings = worker.log_text().count("the stream is held at")
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    db.psql("update \"o.ne\" set v = 'own'")
    wait_right(t, db, worker)
    finish(db, worker)
    assert worker.log_text().count("the stream is held at") == readings, worker.log_tail()
    check_silver(db, worker, t.lake(worker), ["o.ne", "lone"])


test_moves_that_only_the_catalog_tells.seconds = 40


def test_moved_on_before_it_is_read(t):
    """What is asked for under one name has another by the time that it is read, or is another table's."""
    db = t.database()
    db.psql(partitioned("p") + partitioned("q") + "create schema s; create table lone (id int primary key);"
            "create table r (id int, r text, v text, primary key (id, r)) partition by list (r);"
            "create table sub partition of r for values in ('s') partition by range (id);"
            "create table s1 partition of sub for values from (0) to (50); create table s2 partition of sub for values from (50) to (100);"
            "insert into r select g, 's', 'x' from generate_series(1, 99) g")
    worker = running(t, db, **{"lake.partitions.check.interval.ms": 200})
    for number, (first, wanted, second) in enumerate((
            ("alter table p detach partition p1", "p1",
             "alter table q detach partition q1; alter table q attach partition p1 for values in ('a'); insert into p1 values (50, 'a', 'new')"),
            ("alter table q detach partition p1", "p1", "alter table p1 set schema s"),
            ("alter table r detach partition sub", "sub", "alter table sub detach partition s1"),
            ("alter table p rename to o; alter table o detach partition p2", "p2", "alter table o rename to n; alter table p2 rename to p3"))):
        with db.connect(autocommit=False) as connection:
            connection.execute("select pg_current_xact_id()")  # no slot is made while it runs
            since = len(worker.log_text())
            db.psql(first)
            worker.wait_log('table "public.%s" will be read' % wanted, 60, since=since)
            if number % 2:
                worker.kill()
            db.psql(second)
        if number % 2:
            worker.start()
        wait_right(t, db, worker)


def test_dropped_partition(t):
    """Silver keeps its rows, or is read again for it, as the user says."""
    db = t.database()
    db.psql(partitioned("p"))
    worker = running(t, db, **{"lake.partitions.check.interval.ms": 200})
    settle(worker, db)
    db.psql("drop table p2; create table p3 partition of p for values in ('c'); insert into p values (70, 'c', 'new')")
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    finish(db, worker)
    assert len(t.lake(worker).rows("silver_p")) == 11
    code, output, errors = worker.command("verify")
    assert code == 1 and "DIFFERENT public.p: 6 rows in source, 11 in silver" in output, output + errors
    worker.config["lake.on.partition.dropped"] = "read"
    worker.start()
    for move in (None, "drop table p3"):
        if move is not None:
            db.psql(move)
        readings = worker.log_text().count("the stream is held at")
        wait_for(lambda: worker.log_text().count("the stream is held at") == readings + 1, 60, worker.log_tail)
        wait_read(t, db, worker)
        assert worker.command("verify")[0] == 0
    db.psql("drop table p")
    finish(db, worker)
    assert len(t.lake(worker).rows("silver_p")) == 5, "a dropped table keeps its silver"
    assert "\"public.p\" lost a partition that was dropped" in worker.log_text(), worker.log_tail()


test_dropped_partition.seconds = 18


def test_promise_is_withdrawn(t):
    """lake.on.stale=wait ends a promise that was made before, and is stored."""
    db = t.database()
    db.psql(partitioned("p"))
    with db.connect(autocommit=False) as connection:
        worker = running(t, db)
        connection.execute("select pg_current_xact_id()")  # no slot is made while it runs
        db.psql("truncate p1; update p set v = 'y'")
        wait_for(lambda: "it will be read again by itself" in worker.log_text(), 60, "the table to be stale")
        db.wait_confirmed(worker.config["slot.name"], db.lsn(), 60)
        worker.kill()
    worker.config["lake.on.stale"] = "wait"
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    db.psql("update p set v = 'z'")
    finish(db, worker)
    assert 'table "silver_p" is not read again by itself: lake.on.stale is wait' in worker.log_text(), worker.log_tail()
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    code, output, errors = worker.command("status")
    assert code == 1 and "one partition of several was truncated, and lake.on.stale is wait" in output, output + errors
    assert worker.command("snapshot", "--tables", "public.p")[0] == 0
    wait_read(t, db, worker)
    finish(db, worker)
    assert worker.log_text().count("the stream is held at") == 1, worker.log_tail()
    check_silver(db, worker, t.lake(worker), ["p"])


def test_killed_before_it_is_read_again(t):
    """The promise of a stale table is kept after a kill: before the cut that says so, and when it is read."""
    db = t.database()
    db.psql(partitioned("p"))
    with db.connect(autocommit=False) as connection:
        worker = running(t, db)
        connection.execute("select pg_current_xact_id()")  # no slot is made while it runs
        db.psql("alter table p detach partition p2; update p2 set v = 'own' where id = 2; truncate p1")
        wait_for(lambda: worker.log_text().count("will be read again by itself") == 2, 60, "the tables to be stale")
        db.wait_confirmed(worker.config["slot.name"], db.lsn(), 60)
        code, output, errors = worker.command("status")
        assert code == 0 and output.count("it will be read again by itself\n") == 2, output + errors
        worker.kill()
    worker.start()
    wait_read(t, db, worker)
    finish(db, worker)
    check_silver(db, worker, t.lake(worker), ["p", "p2"])


def test_table_becomes_a_partition(t):
    """A table that goes on as a partition of its successor by name keeps its silver table."""
    db = t.database()
    db.psql("create table orders (id int, v text, primary key (id)); insert into orders select g, 'x' from generate_series(1, 5) g")
    worker = running(t, db)
    db.psql("begin; alter table orders rename to orders_old; create table orders (id int, v text, primary key (id)) partition by range (id);"
            "create table orders_new partition of orders for values from (100) to (200);"
            "alter table orders attach partition orders_old for values from (0) to (100); commit;"
            "update orders set v = 'y' where id = 1; insert into orders values (150, 'new')")
    settle(worker, db)
    lake = t.lake(worker)
    rows = {row["id"]: row["v"] for row in lake.rows("silver_orders")}
    assert rows == {1: "y", 2: "x", 3: "x", 4: "x", 5: "x", 150: "new"}, rows
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors


def test_new_table_is_not_called_equal(t):
    """Silver has none at the cut and all its rows are on their way: not compared, and not ok."""
    db = t.database()
    db.psql("create table moved (id int primary key, v text); insert into moved values (1, 'old')")
    worker = running(t, db)
    settle(worker, db)
    db.psql("alter table moved rename to moved_old; create table moved (id int primary key, v text); insert into moved values (1, 'new');"
            "create table void (id int primary key)")
    code, output, errors = worker.command("verify")
    assert "ok public.moved:" not in output and "ok public.void: 0 rows in source" in output, output + errors
    worker.kill()
    db.psql("create table fresh (id int primary key); insert into fresh values (1)")
    code, output, errors = worker.command("verify")
    assert "-- public.fresh: no silver table at the last cut" in output and "not compared" in output, output + errors


def test_reserved_column_is_named(t):
    """A refusal names its own table, once, whichever the snapshot reads at the time."""
    db = t.database()
    db.psql("create table a_reserved (id int primary key, _op text); insert into a_reserved values (1, 'x');"
            "create table z_plain (id int primary key, v text); insert into z_plain select g, repeat('v', 100) from generate_series(1, 200000) g")
    worker = t.worker(db, outputs="silver")
    worker.start()
    assert worker.wait(60) == 2, worker.log_tail()
    line = next(line for line in worker.log_text().splitlines() if "\"_op\"" in line)
    assert line.count("table \"") == 1 and "\"public.a_reserved\"" in line and "z_plain" not in line, line


def test_generated_columns(t):
    """Kafka has generated columns in the rows of snapshots, as Debezium; the lake never has, as they do not stream."""
    db = t.database()
    db.psql("create table plain (id int primary key, a int, b int generated always as (a * 2) stored);"
            " create table composite (b int generated always as (a * 2) stored, a int, v text, primary key (b, a));"
            " create table alone (a int, b int generated always as (a * 2) stored primary key, v text);"
            " alter table composite replica identity full; alter table alone replica identity full;"
            " insert into plain (id, a) select g, g from generate_series(1, 5) g;"
            " insert into composite (a, v) select g, 'x' from generate_series(1, 5) g;"
            " insert into alone (a, v) select g, 'x' from generate_series(1, 5) g")
    worker = running(t, db, outputs="kafka,bronze,silver")
    db.psql("insert into plain (id, a) values (6, 6); update plain set a = 20 where id = 2; delete from plain where id = 3;"
            " insert into composite (a, v) values (6, 'y'); update composite set v = 'z' where a = 2; delete from composite where a = 3;"
            " insert into alone (a, v) values (6, 'y'); update alone set v = 'z' where a = 2; delete from alone where a = 3")
    settle(worker, db)
    lake = assert_equal(t, worker, db, "public.plain", "public.composite", "public.alone")
    prefix = worker.config["topic.prefix"]
    for table in ("plain", "composite", "alone"):
        assert "b" not in {f.name for f in lake.iceberg("silver_" + table).schema().fields}
        rows = lake.rows("bronze_" + table)
        assert len(rows) == 8 and not any('"b":' in (row[name] or "") for row in rows for name in ("key", "before", "after")), rows
        for record in read_all(t.broker, "%s.public.%s" % (prefix, table)):
            value = record.value or ""
            assert ('"b":' in value) == ('"op":"r"' in value), record
            assert table == "plain" or '"op":"r"' not in value or '"b":' in record.key, record
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors
