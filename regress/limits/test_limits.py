"""How large, how many, how far behind: each limit with its bound, and the figures that README shows.

    make check-limits TESTS="columns slot"

They take minutes and gigabytes, and are therefore not part of make check.
"""

import os
import time

from lib.consumer import Reader
from lib.support import BUILD

MB = 1 << 20
FAST_CLOCK = BUILD / "limits" / "fast_clock.so"
FASTER = 1200

ROWS = int(os.environ.get("SNAPSHOT_ROWS", "10000000"))
CHANGES = int(os.environ.get("TRANSACTION_ROWS", "5000000"))
TRANSACTIONS = int(os.environ.get("TRANSACTIONS", "100000"))
TABLES = int(os.environ.get("TABLES", "1000"))
BEHIND_GB = float(os.environ.get("BEHIND_GB", "10"))


def figures(**values):
    print("figures: " + ", ".join("%s %s" % (name.replace("_", " "), value) for name, value in values.items()), flush=True)


def streaming(worker, timeout=120):
    since = len(worker.log_text())
    worker.start()
    worker.wait_log("streaming from slot", timeout, since=since)
    return worker


def stopped(worker):
    assert worker.stop() == 0, worker.log_tail()


def quick_cluster(t, **settings):
    """A server that does not wait for the disk."""
    return t.new_cluster(**{"max_wal_size": "4GB", "shared_buffers": "256MB", "autovacuum": "off",
                            "checkpoint_timeout": "1h", **settings}).start()


def silver_counts(lake, table, *columns):
    return lake.sql("select count(*), %s from %s" % (", ".join(columns) or "1", lake.scan(table))).fetchone()


# ---- Large values and rows ----

def value_case(t, megabytes, outputs, unit="0123456789abcdef", **config):
    """A row of a value of that size among small ones, inserted and updated while the worker streams."""
    db = t.database(quick_cluster(t, wal_sender_timeout=0))
    db.psql("create table t (id int primary key, v text, n int); alter table t alter v set storage external")
    worker = streaming(t.worker(db, outputs=outputs, **config))
    before = worker.rss_peak
    db.psql("insert into t values (1, 'small', 0);"
            "insert into t select 2, repeat(e'%s', %d), 0;"
            "insert into t values (3, 'small', 0)" % (unit, megabytes * MB // 16))
    return db, worker, before


def check_large_value(t, megabytes):
    db, worker, before = value_case(t, megabytes, "bronze,silver")
    started = time.monotonic()
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 500)
    seconds = time.monotonic() - started
    db.psql("update t set n = 1 where id = 2; delete from t where id = 1")  # v is not sent: the stored one is kept
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 500)
    stopped(worker)
    lake = t.lake(worker)
    wanted = db.psql("select id || ' ' || length(v) || ' ' || md5(v) || ' ' || n from t order by id").splitlines()
    found = lake.sql("select id, length(v), md5(v), n from %s order by id" % lake.scan("silver_t")).fetchall()
    assert ["%d %d %s %d" % row for row in found] == wanted, (found, wanted)
    assert lake.sql("select count(*) from %s" % lake.scan("bronze_t")).fetchone()[0] == 5
    longest = lake.sql("select max(length(after)) from %s" % lake.scan("bronze_t")).fetchone()[0]
    assert longest > megabytes * MB, longest
    figures(value="%d MB" % megabytes, lake="%.1f s" % seconds, peak_memory="%d MB" % (worker.rss_peak / 1e6),
            idle_memory="%d MB" % (before / 1e6))
    return worker.rss_peak


def test_value_of_100_mb_to_the_lake(t):
    assert check_large_value(t, 100) < 256e6 + 5 * 100 * MB


def test_value_of_500_mb_to_the_lake(t):
    assert check_large_value(t, 500) < 256e6 + 5 * 500 * MB


def test_value_near_1_gb_to_the_lake(t):
    assert check_large_value(t, 900) < 256e6 + 5 * 900 * MB


def test_value_too_large_for_bronze(t):
    """300 MB of control characters, each six bytes of JSON: named, counted or left out as configured; silver has it."""
    db, worker, _ = value_case(t, 300, "bronze,silver", unit="\\x01" * 16)
    assert worker.wait(300) == 2, worker.log_tail()
    for said in ('change of table "public.t"', 'with %d bytes in column "v"' % (300 * MB), "is too large for bronze",
                 "event.processing.failure.handling.mode", "column.exclude.list"):
        assert said in worker.log_text(), worker.log_tail()
    worker.config["event.processing.failure.handling.mode"] = "warn"
    worker.run_until(db.lsn())
    assert worker.log_text().count("left out: change of table") == 1, worker.log_tail()
    lake = t.lake(worker)
    assert lake.sql("select id, length(v) from %s order by id" % lake.scan("silver_t")).fetchall() == [
        (1, 5), (2, 300 * MB), (3, 5)]
    assert lake.sql("select key from %s order by lsn" % lake.scan("bronze_t")).fetchall() == [('{"id":1}',), ('{"id":3}',)]
    figures(value="300 MB", bronze="refused, or left out", peak_memory="%d MB" % (worker.rss_peak / 1e6))
    assert worker.rss_peak < 256e6 + 5 * 300 * MB, worker.rss_peak


def test_value_of_100_mb_to_kafka(t):
    """Over the broker's limit it is named and stops the worker; with the limit raised it goes through."""
    small = t.new_broker().start()
    db, worker, _ = value_case(t, 100, "kafka", broker=small)
    assert worker.wait(120) == 2, worker.log_tail()
    log = worker.log_text()
    assert "message.max.bytes" in log and "public.t" in log, worker.log_tail()
    print("\n".join(line for line in log.splitlines() if line.startswith("cdc-sink: ")))
    worker.config["event.processing.failure.handling.mode"] = "warn"
    worker.run_until(db.lsn())
    del worker.config["event.processing.failure.handling.mode"]
    small.stop()
    large = t.new_broker(heap="2g", message_max_bytes=300 * MB, socket_request_max_bytes=400 * MB).start()
    settings = {"kafka.message.max.bytes": 300 * MB, "kafka.queue.buffering.max.kbytes": 400 * 1024}
    db, worker, before = value_case(t, 100, "kafka", broker=large, **settings)
    started = time.monotonic()
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 300)
    seconds = time.monotonic() - started
    stopped(worker)
    figures(value="100 MB", kafka="%.1f s" % seconds, peak_memory="%d MB" % (worker.rss_peak / 1e6))
    assert worker.rss_peak < 256e6 + 12 * 100 * MB, worker.rss_peak


def test_value_near_1_gb_to_kafka(t):
    """Never rendered: named, counted or left out as configured, at the cost of holding the row itself."""
    db, worker, _ = value_case(t, 900, "kafka")
    assert worker.wait(300) == 2, worker.log_tail()
    for said in ("message.max.bytes", "with %d bytes in column \"v\"" % (900 * MB), 'record of table "public.t"'):
        assert said in worker.log_text(), worker.log_tail()
    worker.config["event.processing.failure.handling.mode"] = "warn"
    worker.run_until(db.lsn())
    reader = Reader(t.broker, worker.config["topic.prefix"] + ".public.t")
    ids = [record.json["after"]["id"] for record in reader.to_end()]
    reader.close()
    assert ids == [1, 3], ids
    figures(value="900 MB", kafka="refused, or left out", peak_memory="%d MB" % (worker.rss_peak / 1e6))
    assert " 1 refused" in worker.log_text(), worker.log_tail()
    assert worker.rss_peak < 3 * 900 * MB, worker.rss_peak  # libpq's buffer and the message


def test_row_of_1600_columns(t):
    db = t.database()
    names = ["c%d" % number for number in range(1, 1600)]
    kinds = ["int", "text", "numeric(12, 2)", "timestamptz", "boolean"]
    db.psql("create table t (id int primary key, %s)" % ", ".join(
        "%s %s" % (name, kinds[number % 5]) for number, name in enumerate(names)))
    values = ["%s", "'t' || %s", "%s / 4.0", "timestamptz '2026-01-01 00:00:00+00' + %s * interval '1 minute'", "%s %% 2 = 0"]
    row = ", ".join((values[number % 5] % "n") if number % 3 else "null" for number in range(len(names)))
    db.psql("insert into t select n, %s from generate_series(1, 500) n" % row)
    worker = t.worker(db, outputs="kafka,bronze,silver")
    started = time.monotonic()
    streaming(worker)
    snapshot = time.monotonic() - started
    db.psql("insert into t select n, %s from generate_series(501, 2500) n; update t set c1 = -1 where id %% 2 = 0;"
            "delete from t where id <= 100" % row)
    started = time.monotonic()
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 300)
    seconds = time.monotonic() - started
    stopped(worker)
    for reader in ("duckdb", "pyiceberg"):
        assert t.lake(worker).compare(db, "public.t", reader=reader) == []
    figures(columns=1600, snapshot_of_500="%.1f s" % snapshot, changes_per_s="%d" % (3350 / seconds),
            peak_memory="%d MB" % (worker.rss_peak / 1e6))
    assert worker.rss_peak < 1e9, worker.rss_peak
    assert seconds < 120, seconds


def resident(worker):
    with open("/proc/%d/statm" % worker.process.pid, encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


# ---- Many tables, rows, transactions ----

def open_files(worker):
    return len(os.listdir("/proc/%d/fd" % worker.process.pid))


def test_1000_tables(t):
    db = t.database(quick_cluster(t, max_locks_per_transaction=2048))
    for start in range(0, TABLES, 100):
        db.psql("".join("create table t%d (id int primary key, v text); insert into t%d select n, 'row' from generate_series(1, 10) n;"
                        % (number, number) for number in range(start, min(start + 100, TABLES))))
    worker = t.worker(db, outputs="kafka,bronze,silver", **{"lake.flush.interval.ms": 10000})
    started = time.monotonic()
    streaming(worker, 500)
    snapshot = time.monotonic() - started
    cuts = []
    for turn in range(3):
        db.psql("do $$ begin for i in 0..%d loop execute format('insert into t%%s values (%d, %%L); update t%%s set v = %%L where id = 1',"
                " i, 'new', i, 'turn %d'); end loop; end $$" % (TABLES - 1, 100 + turn, turn))
        started = time.monotonic()
        db.wait_confirmed(worker.config["slot.name"], db.lsn(), 300)
        cuts.append(time.monotonic() - started)
    descriptors = open_files(worker)
    stopped(worker)
    started = time.monotonic()
    streaming(worker, 300)
    again = time.monotonic() - started
    stopped(worker)
    lake = t.lake(worker)
    for number in (0, 1, TABLES // 2, TABLES - 1):
        assert lake.compare(db, "public.t%d" % number, reader="duckdb") == []
    checkpoint = lake.checkpoint()
    assert len(checkpoint) == 2 * TABLES, len(checkpoint)
    figures(tables=TABLES, snapshot="%.1f s" % snapshot, cut_over_all="%.1f s" % min(cuts), start_again="%.1f s" % again,
            open_files=descriptors, peak_memory="%d MB" % (worker.rss_peak / 1e6))
    assert descriptors < 100, descriptors
    assert min(cuts) < 10 + 60, cuts
    assert worker.rss_peak < 1.5e9, worker.rss_peak


def test_transaction_of_5_million_rows(t):
    db = t.database(quick_cluster(t))
    db.psql("create table t (id int primary key, v text, n bigint)")
    worker = streaming(t.worker(db, outputs="kafka,bronze,silver", **{"max.memory": "256MB"}))
    began = time.monotonic()
    db.psql("insert into t select n, 'row ' || n, n * 7 from generate_series(1, %d) n" % CHANGES)
    wrote = time.monotonic() - began
    db.wait_confirmed(worker.config["slot.name"], db.lsn(), 900)
    seconds = time.monotonic() - began - wrote
    stopped(worker)
    lake = t.lake(worker)
    assert silver_counts(lake, "silver_t", "count(distinct id)", "sum(n)") == (
        CHANGES, CHANGES, 7 * CHANGES * (CHANGES + 1) // 2)
    assert lake.count("bronze_t", "duckdb") == CHANGES
    reader = Reader(t.broker, worker.config["topic.prefix"] + ".public.t")
    count = 0
    while count < CHANGES:
        came = len(reader.poll(30))
        assert came, "%d of %d records came" % (count, CHANGES)
        count += came
    assert not reader.poll(2), "more records than rows"
    reader.close()
    figures(rows_in_one_transaction=CHANGES, written_in="%.0f s" % wrote, durable_after="%.0f s" % seconds,
            rows_per_s="%d" % (CHANGES / seconds), peak_memory="%d MB" % (worker.rss_peak / 1e6))
    assert worker.rss_peak < 600e6, worker.rss_peak


def test_100000_transactions_of_one_row(t):
    db = t.database(quick_cluster(t))
    db.psql("create table t (id int primary key, v text)")
    worker = streaming(t.worker(db, outputs="kafka,bronze,silver", **{"lake.flush.interval.ms": 2000}))
    slot = worker.config["slot.name"]
    lags = []
    began = time.monotonic()
    with db.connect() as connection:
        for start in range(0, TRANSACTIONS, 5000):
            connection.execute("do $$ begin for i in %d..%d loop insert into t values (i, 'x'); commit; end loop; end $$"
                               % (start + 1, min(start + 5000, TRANSACTIONS)))
            lags.append(connection.execute(
                "select pg_current_wal_lsn() - confirmed_flush_lsn from pg_replication_slots where slot_name = %s",
                (slot,)).fetchone()[0])
    wrote = time.monotonic() - began
    db.wait_confirmed(slot, db.lsn(), 300)
    seconds = time.monotonic() - began
    stopped(worker)
    lake = t.lake(worker)
    assert silver_counts(lake, "silver_t", "count(distinct id)") == (TRANSACTIONS, TRANSACTIONS)
    assert lake.count("bronze_t", "duckdb") == TRANSACTIONS
    figures(transactions=TRANSACTIONS, written_in="%.1f s" % wrote, durable_after="%.1f s" % (seconds - wrote),
            transactions_per_s="%d" % (TRANSACTIONS / seconds), most_behind="%.1f MB" % (float(max(lags)) / 1e6),
            peak_memory="%d MB" % (worker.rss_peak / 1e6))
    # it follows while they are written, and does not wait for their end
    assert max(lags) < 64e6, lags
    assert worker.rss_peak < 400e6, worker.rss_peak


def test_snapshot_of_10_million_rows(t):
    db = t.database(quick_cluster(t))
    db.psql("create table t (id int primary key, email text, n bigint, at timestamptz);"
            "insert into t select n, 'user' || n || '@example.com', n * 7, timestamptz '2026-01-01 00:00:00+00' + n * interval '1 s'"
            " from generate_series(1, %d) n" % ROWS)
    worker = t.worker(db, outputs="bronze,silver")
    started = time.monotonic()
    streaming(worker, 900)
    seconds = time.monotonic() - started
    stopped(worker)
    started = time.monotonic()
    streaming(worker, 300)
    again = time.monotonic() - started
    stopped(worker)
    lake = t.lake(worker)
    assert silver_counts(lake, "silver_t", "count(distinct id)", "sum(n)") == (ROWS, ROWS, 7 * ROWS * (ROWS + 1) // 2)
    assert lake.count("bronze_t", "duckdb") == ROWS
    figures(snapshot_rows=ROWS, seconds="%.0f" % seconds, rows_per_s="%d" % (ROWS / seconds), start_again="%.1f s" % again,
            peak_memory="%d MB" % (worker.rss_peak / 1e6))
    assert worker.rss_peak < 1.2e9, worker.rss_peak


def test_slot_10_gb_behind(t):
    """WAL written while the worker was stopped, some of it of others."""
    db = t.database(quick_cluster(t, max_wal_size="2GB", checkpoint_timeout="5min"))
    db.psql("create table t (id int primary key, v text); create table other (id int, v text)")
    worker = t.worker(db, outputs="bronze,silver", **{"table.include.list": "public\\\\.t"})
    streaming(worker)
    stopped(worker)
    slot = worker.config["slot.name"]
    behind = "select pg_current_wal_lsn() - confirmed_flush_lsn from pg_replication_slots where slot_name = '%s'" % slot
    rows = 0
    while float(db.psql(behind)) < BEHIND_GB * (1 << 30):
        db.psql("insert into t select %d + n, repeat(md5(n::text), 12) from generate_series(1, 200000) n;"
                "insert into other select n, repeat(md5(n::text), 12) from generate_series(1, 200000) n; truncate other" % rows)
        rows += 200000
    gigabytes = float(db.psql(behind)) / (1 << 30)
    worker.rss_peak = 0
    started = time.monotonic()
    streaming(worker)
    db.wait_confirmed(slot, db.lsn(), 1500)
    seconds = time.monotonic() - started
    stopped(worker)
    lake = t.lake(worker)
    assert silver_counts(lake, "silver_t", "count(distinct id)") == (rows, rows)
    assert lake.count("bronze_t", "duckdb") == rows
    figures(behind="%.1f GB" % gigabytes, caught_up_in="%.0f s" % seconds, MB_of_WAL_per_s="%d" % (gigabytes * 1024 / seconds),
            rows_per_s="%d" % (rows / seconds), peak_memory="%d MB" % (worker.rss_peak / 1e6))
    assert worker.rss_peak < 600e6, worker.rss_peak


def test_day_without_changes(t):
    """Another database writes, ours does not; the worker's clock makes a day of a minute: the slot follows, and
    nothing grows."""
    cluster = t.new_cluster(max_wal_size="256MB").start()
    db = t.database(cluster)
    busy = t.database(cluster, name="busy")
    busy.psql("create table w (id int)")
    db.psql("create table t (id int primary key, v text); insert into t values (1, 'x')")
    worker = t.worker(db, outputs="bronze,silver", **{"lake.flush.interval.ms": 10000})
    worker.start(under=["env", "LD_PRELOAD=%s" % FAST_CLOCK, "CLOCK_FACTOR=%d" % FASTER])
    worker.wait_log("streaming from slot", 60)
    slot = worker.config["slot.name"]
    lake = t.lake(worker)
    first = version = int(lake.metadata_file("cdc_checkpoints").name[1:].split(".")[0])
    memory = []
    most = 0
    began = time.monotonic()
    with busy.connect() as connection:
        while (time.monotonic() - began) * FASTER < 86400:
            connection.execute("insert into w values (1)")
            if len(memory) < (time.monotonic() - began) * FASTER // 3600:
                memory.append(resident(worker))
                most = max(most, int(connection.execute(
                    "select pg_current_wal_lsn() - confirmed_flush_lsn from pg_replication_slots where slot_name = %s",
                    (slot,)).fetchone()[0]))
    version = int(lake.metadata_file("cdc_checkpoints").name[1:].split(".")[0])
    db.psql("insert into t values (2, 'y')")
    db.wait_confirmed(slot, db.lsn())
    stopped(worker)
    assert lake.compare(db, "public.t") == []
    figures(hours=len(memory), positions_stored=version - first, most_behind="%d kB" % (most // 1000),
            memory_after_1_hour="%.1f MB" % (memory[0] / 1e6), after_a_day="%.1f MB" % (memory[-1] / 1e6))
    assert 700 < version - first < 1600, version - first
    assert memory[-1] < memory[2] + 8e6, memory
    assert most < 16e6, most


for _test in (test_transaction_of_5_million_rows, test_slot_10_gb_behind, test_snapshot_of_10_million_rows,
              test_value_near_1_gb_to_the_lake, test_value_of_500_mb_to_the_lake, test_value_near_1_gb_to_kafka, test_1000_tables):
    _test.timeout = 3600
