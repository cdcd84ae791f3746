"""Row filters from the source to every output: snapshot, stream, lake and verify, with SQL on the source as truth."""

import random

from lib.consumer import read_all

FILTER = "total > 100 AND status = 'paid'"

TABLES = """
create table orders (id int primary key, total numeric, status text, note text);
alter table orders replica identity full, alter note set storage external;
create table parts (id int, region text, n int, primary key (id, region)) partition by list (region);
create table parts_north partition of parts for values in ('north');
create table parts_south partition of parts for values in ('south');
alter table parts_north replica identity full;
alter table parts_south replica identity full;
create table plain (id int primary key, n int);
"""


def setting(table, expression):
    return {"row.filter." + table: expression}


def write(db, seed, count=600):
    """Random changes across the filter, some with a value that stays in TOAST."""
    chance = random.Random(seed)
    with db.connect() as connection:
        for _ in range(count):
            key = chance.randrange(60)
            amounts = [chance.choice([None, 50, 100, 101, 5000]), chance.choice([None, "paid", "open"])]
            kind = chance.randrange(8)
            if kind < 3:
                connection.execute("insert into orders values (%s, %s, %s, repeat(%s, %s)) on conflict do nothing",
                                   [key, *amounts, chance.choice("ab"), chance.choice([3, 4000])])
            elif kind < 5:
                connection.execute("update orders set total = %s, status = %s where id = %s", [*amounts, key])
            elif kind == 5:
                connection.execute("update orders set id = id + 60, total = coalesce(%s, total) where id = %s and not exists"
                                   " (select from orders o where o.id = %s)", [amounts[0], key, key + 60])
            elif kind == 6:
                connection.execute("delete from orders where id = %s", [key + 60 * chance.randrange(2)])
            else:
                connection.execute("insert into parts values (%s, %s, %s) on conflict (id, region) do update set n = excluded.n",
                                   [key % 20, chance.choice(["north", "south"]), chance.randrange(10)])
                connection.execute("update parts set region = 'south' where id = %s and region = 'north' and not exists"
                                   " (select from parts p where p.id = %s and p.region = 'south')", [key % 20, key % 20])
        connection.execute("insert into plain select %s * 1000 + g, g from generate_series(1, 5) g", [seed])


def truth(db, query):
    return db.psql("select json_agg(r order by r) from (%s) q(r)" % query)


def silver(lake, table, columns):
    return sorted(tuple(row[c] for c in columns) for row in lake.rows("silver_" + table))


def test_filtered_tables(t):
    """Kafka by key, silver and verify have exactly the rows that satisfy the filters; bronze has nothing of others."""
    db = t.database()
    db.psql(TABLES)
    write(db, 1)
    worker = t.worker(db, outputs="kafka,bronze,silver", **{
        "topic.prefix": "rows", "slot.name": "rows", **setting("public.orders", FILTER),
        **setting("public.parts", "parts.n > 3"), **setting("public.parts_south", "n > 6 -- its own")})
    worker.run_until(db.lsn())
    write(db, 2)
    worker.run_until(db.lsn())
    write(db, 3)
    worker.run_until(db.lsn())

    with db.connect() as connection:
        orders = connection.execute("select id, total::float8, status, md5(note) from orders where %s order by 1" % FILTER).fetchall()
        parts = connection.execute("select id, region, n from parts where n > case region when 'north' then 3 else 6 end"
                                   " order by 1, 2").fetchall()
        md5s = dict(connection.execute("select md5(note), note from orders").fetchall())
    assert len(orders) > 5 and len(parts) > 5, (orders, parts)

    lake = t.lake(worker)
    notes = {note: digest for digest, note in md5s.items()}
    rows = sorted((row["id"], float(row["total"]), row["status"], notes[row["note"]]) for row in lake.rows("silver_orders"))
    assert rows == orders, (rows, orders)
    assert silver(lake, "parts", ("id", "region", "n")) == parts
    assert lake.count("silver_plain") == 15
    for row in lake.rows("bronze_orders"):
        for image in (row["before"], row["after"]):
            assert image is None or '"paid"' in image and '"total"' in image, row

    # what a consumer that keeps the last record of each key holds
    held = {}
    for record in read_all(t.broker, "rows.public.orders"):
        if record.value is None:
            assert record.key not in held, "a tombstone without its delete"
        elif record.payload["op"] == "d":
            assert held.pop(record.key, None) is not None, "a delete of what was never sent: %s" % record.key
        else:
            held[record.key] = record.payload["after"]
    assert sorted(row["id"] for row in held.values()) == [row[0] for row in orders]
    assert all(row["status"] == "paid" for row in held.values())

    code, output, errors = worker.command("verify")
    assert code == 0, output + errors
    assert "ok public.orders: %d rows in source, %d in silver" % (len(orders), len(orders)) in output, output
    worker.start()
    worker.wait_log("streaming from slot", 60, since=worker.begun)
    write(db, 4, 200)
    code, output, errors = worker.command("verify", timeout=240)
    assert code == 0, output + errors
    assert worker.stop() == 0, worker.log_tail()


def test_overrides_and_root(t):
    """A SELECT for the snapshot does not go around the filter; by the root's name the root's filter counts."""
    db = t.database()
    db.psql(TABLES + "insert into orders select g, g * 50, 'paid' from generate_series(1, 6) g;"
            "insert into parts select g, case when g % 2 = 0 then 'north' else 'south' end, g from generate_series(1, 8) g")
    worker = t.worker(db, outputs="bronze,silver", **{
        "snapshot.select.statement.overrides": "public.orders",
        "snapshot.select.statement.overrides.public.orders": "select * from orders where id <> 5",
        "publish.via.partition.root": "true", **setting("public.orders", "orders.total > 100"),
        **setting("public.parts", "n > 3"), **setting("public.parts_south", "n > 100")})
    worker.run_until(db.lsn())
    lake = t.lake(worker)
    assert silver(lake, "orders", ("id",)) == [(3,), (4,), (6,)]
    assert silver(lake, "parts", ("id",)) == [(4,), (5,), (6,), (7,), (8,)]
    log = worker.log_text()
    assert log.count("row.filter.public.parts_south names none of the captured tables") == 1, log
    assert log.count("names none") == 1, log


def test_wrong_filters(t):
    """check and run name table and expression before anything is made; a change of the filters is refused later."""
    db = t.database()
    db.psql("create table wrong (id int primary key, n int); insert into wrong values (1, 1)")
    worker = t.worker(db, outputs="bronze,silver", **{"slot.name": "wrong_filters"})
    for expression, message in (
            ("nn > 1", 'invalid row filter for table "public.wrong": column "nn" does not exist'),
            ("n >", 'invalid row filter for table "public.wrong": syntax error'),
            ("n > 0;", 'invalid row filter for table "public.wrong": it is not one expression'),
            ("now() > '2020-01-01'", "mutable functions are not allowed"),
            ("n > 1", 'column "n" of table "wrong" is not part of its replica identity')):
        worker.config["row.filter.public.wrong"] = expression
        code, output, _ = worker.command("check")
        assert code == 1 and "fix   " in output and message in output, output
        since = len(worker.log_text())
        worker.start()
        assert worker.wait(60) == 2, worker.log_tail()
        assert message in worker.log_text()[since:] and expression in worker.log_text()[since:], worker.log_tail()
        assert not db.slot_exists("wrong_filters"), "a slot was made"
    db.psql("alter table wrong replica identity full")
    code, output, errors = worker.command("check")
    assert code == 0 and "ok    row filters are right" in output, output + errors
    worker.run_until(db.lsn())
    db.psql("insert into wrong values (2, 2)")
    # the plugin looks at the start of each stream, too
    db.psql("alter table wrong rename n to m")
    worker.start()
    assert worker.wait(60) == 2 and 'column "n" does not exist' in worker.log_text(), worker.log_tail()
    worker.config["row.filter.public.wrong"] = "m > 1"
    worker.start()
    assert worker.wait(60) == 2, worker.log_tail()
    assert "was stored under other table, column or row filters" in worker.log_text(), worker.log_tail()
    db.psql("alter table wrong rename m to n")
    worker.config["row.filter.public.wrong"] = "n > 1"
    worker.config["row.filter.public.missing"] = "true"
    code, output, errors = worker.command("check")
    assert "row.filter.public.missing names no table" in output, output + errors


def test_filters_that_fail_on_a_row(t):
    """Exit 2 with table and filter, in the stream with the LSN as well; never tried again."""
    db = t.database()
    db.psql("create table f (id int primary key, a int, s text); alter table f replica identity full;"
            " insert into f values (1, 2, 'x')")
    worker = t.worker(db, **setting("public.f", "s ~ '(x'"))
    worker.start()
    assert worker.wait(60) == 2, worker.log_tail()
    log = worker.log_text()
    assert "table \"public.f\" with row filter \"s ~ '(x'\"" in log and "(SQLSTATE 2201B)" in log, log
    assert "Correct row.filter.public.f" in log and "trying again" not in log, log

    worker = t.worker(db, **setting("public.f", "100 / a > 10"))
    worker.run_until(db.lsn())
    db.psql("insert into f values (2, 0, 'x')")
    worker.start()
    assert worker.wait(60) == 2, worker.log_tail()
    log = worker.log_text()
    assert "division by zero (SQLSTATE 22012)" in log and "trying again" not in log, log
    assert "row filter for table \"public.f\": 100 / a > 10" in log and "associated LSN " in log, log
    assert "option \"row_filter_public.f\" so that it has a value for every row" in log, log


def test_other_encoding(t):
    """Table, column and constant beyond ASCII in a database that is not UTF-8."""
    db = t.database(encoding="LATIN1")
    db.psql("set client_encoding = 'UTF8'; create table \"größe\" (\"schlüssel\" text primary key);"
            " insert into \"größe\" values ('früh'), ('spät')")
    worker = t.worker(db, **{"row.filter.public.größe": "größe.schlüssel = 'spät' OR schlüssel LIKE 'ü%'"})
    worker.run_until(db.lsn())
    db.psql("set client_encoding = 'UTF8'; insert into \"größe\" values ('übrig'), ('nie');"
            " update \"größe\" set \"schlüssel\" = 'ünd' where \"schlüssel\" = 'früh'")
    worker.run_until(db.lsn())
    lake = t.lake(worker)
    assert silver(lake, "größe", ("schlüssel",)) == [("spät",), ("übrig",), ("ünd",)], lake.tables()
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors
