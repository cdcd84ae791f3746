"""make demo: a shop's database, its changes in Kafka and in an Iceberg lake, seen by other people's readers.

Everything runs in temporary directories and on free ports, and is gone at the end.  KEEP=1 leaves it
running until Enter (or Ctrl-C) and says how to look around.
"""

import os
import pathlib
import statistics
import sys
import textwrap
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib.broker import Broker
from lib.cluster import Cluster
from lib.consumer import Reader
from lib.lake import Lake
from lib.support import TOP, scratch
from lib.worker import Worker

TABLES = ("users", "products", "orders")
SQL = pathlib.Path(TOP) / "sql"


def say(title):
    print("\n\033[1m%s\033[0m" % title if sys.stdout.isatty() else "\n== %s" % title)
    sys.stdout.flush()


def show(text, width=118):
    for line in str(text).rstrip("\n").split("\n"):
        print("   " + (line if len(line) <= width else line[:width - 3] + "..."))


def table(header, rows):
    widths = [max(len(str(row[i])) for row in [header] + rows) for i in range(len(header))]
    for row in [header] + rows:
        show("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())


def show_envelopes(broker):
    say("The topic cdc.public.users, by Kafka's own console consumer")
    printed = broker.console_consumer("cdc.public.users", 1303, 15000, "--formatter-property", "print.key=true")
    lines = [line for line in printed.split("\n") if "\t" in line]
    for op, what in (("r", "a row of the initial snapshot"), ("c", "an insert"), ("u", "an update")):
        line = next((line for line in lines if '"op":"%s"' % op in line), None)
        if line:
            key, value = line.split("\t", 1)
            print("   -- %s, key %s" % (what, key))
            for part in textwrap.wrap(value, 116, break_on_hyphens=False):
                print("      " + part)


def show_lake(db, lake):
    say("Source, bronze and silver side by side (Iceberg tables, read by PyIceberg and DuckDB)")
    rows = []
    for name in TABLES:
        ops = lake.sql("select op, count(*) from %s group by op order by op" % lake.scan("bronze_" + name)).fetchall()
        rows.append([name, db.psql("select count(*) from %s" % name), lake.count("silver_" + name, "pyiceberg"),
                     lake.count("silver_" + name, "duckdb"), " ".join("%s:%d" % op for op in ops)])
    table(["table", "source", "silver (PyIceberg)", "silver (DuckDB)", "bronze, events by op"], rows)
    say("Silver rows that hold a value other systems cannot: flagged, the exact text kept")
    flagged = lake.sql("select 'users' as tab, id, _dq_flags, _overflow from %s where len(_dq_flags) > 0"
                       " union all select 'orders', id, _dq_flags, _overflow from %s where len(_dq_flags) > 0"
                       % (lake.scan("silver_users"), lake.scan("silver_orders"))).fetchall()
    table(["table", "id", "_dq_flags", "_overflow"], [list(row) for row in flagged[:5]])
    say("One order's history in bronze: its key moved to another")
    history = lake.sql("select op, lsn, key, before, after from %s where key in ('{\"id\":7}', '{\"id\":1000007}')"
                       " order by commit_lsn, lsn, ordinal" % lake.scan("bronze_orders")).fetchall()
    table(["op", "lsn", "key", "before", "after"], [[str(cell)[:44] for cell in row] for row in history])


def measure_lag(db, broker, count=50):
    """Milliseconds from commit to a read_committed consumer, fifty transactions one after the other."""
    reader = Reader(broker, "cdc.public.products")
    reader.to_end()
    lags = []
    with db.connect() as connection:
        for _ in range(count):
            connection.execute("update products set stock = stock + 1 where id = 1")
            for record in reader.until(lambda records: records, 10):
                lags.append(time.time() * 1000 - record.json["source"]["ts_us"] / 1000)
    reader.close()
    return statistics.median(lags)


def main():
    started = time.monotonic()
    say("A PostgreSQL cluster with the plugin, and a Kafka broker")
    broker = Broker().start()
    cluster = Cluster().start()
    db = cluster.create_database("shop")
    db.psql_file(SQL / "init.sql")
    warehouse = scratch("lake")
    worker = Worker(db, **{
        "topic.prefix": "cdc", "outputs": "kafka,bronze,silver", "slot.name": "shop",
        "kafka.bootstrap.servers": broker.bootstrap,
        "lake.warehouse": "file://%s" % warehouse, "lake.flush.interval.ms": 1000,
    })
    show("PostgreSQL %s on port %d, Apache Kafka on port %d"
         % (db.psql("show server_version").split()[0], cluster.port, broker.port))

    say("cdc-sink check, before the run")
    code, output, errors = worker.command("check")
    show(output + errors)
    if code != 0:
        sys.exit("cdc-sink check found a problem")

    say("cdc-sink run: initial snapshot, then the stream")
    worker.start()
    worker.wait_log("streaming from slot", 60)
    show("\n".join(line.split(" ", 1)[1] for line in worker.log_text().strip().split("\n")))

    say("sql/workload.sql: inserts, updates, deletes, key changes, rollbacks, savepoints, 100,000 rows at once, DDL")
    reader = Reader(broker, *("cdc.public.%s" % name for name in TABLES))
    reader.to_end()
    begun = time.monotonic()
    db.psql_file(SQL / "workload.sql")
    wrote = time.monotonic() - begun
    until = db.lsn()
    db.wait_confirmed("shop", until, 60)
    took = time.monotonic() - begun
    events = len(reader.to_end())
    reader.close()
    show("%d records; PostgreSQL wrote for %.1f s, all outputs were durable after %.1f s: %.0f records/s"
         % (events, wrote, took, events / took))
    show("commit to a read_committed consumer, median of 50 transactions: %.0f ms" % measure_lag(db, broker))
    db.wait_confirmed("shop", db.lsn(), 60)

    show_envelopes(broker)
    lake = Lake(warehouse)
    show_lake(db, lake)

    say("cdc-sink verify: silver against its source, both directions, at one LSN")
    code, output, errors = worker.command("verify")
    show(output + (errors if code else ""))

    if os.environ.get("KEEP"):
        look_around(db, cluster, broker, worker, warehouse)
    worker_code = worker.stop()
    show("the worker stopped with exit code %d; peak memory %.0f MB; the demo took %.0f s"
         % (worker_code, worker.rss_peak / 1e6, time.monotonic() - started))
    sys.exit(code or worker_code)


def look_around(db, cluster, broker, worker, warehouse):
    say("It keeps running.  To look around:")
    show("psql -h 127.0.0.1 -p %d -U postgres %s" % (cluster.port, db.name), 200)
    show("kcat -b %s -C -t cdc.public.orders -o -5 -e" % broker.bootstrap, 200)
    show("%s/build/cdc-sink verify -c %s" % (TOP, worker.file), 200)
    show("Iceberg tables: %s/cdc/silver_orders/metadata/   worker's log: %s" % (warehouse, worker.log), 200)
    try:
        input("   Press Enter to stop. ")
    except (EOFError, KeyboardInterrupt):
        worker.wait(None) if not sys.stdin.isatty() else None


if __name__ == "__main__":
    main()
