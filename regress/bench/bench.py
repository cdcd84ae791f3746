"""make bench: what the engine reaches on this machine, beside the server's own plugin.

    decode over SQL     800 k changes by pg_logical_slot_peek_binary_changes, pgoutput beside our formats
    decode over the wire  the same by pg_recvlogical, which throws it away
    drain to Kafka      a slot with those changes to a real broker (lz4, transactional)
    drain to the lake   the same slot to bronze and silver on a local directory
    latency             commit to a read_committed consumer at 50 transactions a second

Every figure is the median of RUNS (default 5), runs of the variants alternating.  All slots are copies of
one slot, so that every run reads the same WAL.  CPU is the worker's own.
"""

import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib.broker import Broker
from lib.cluster import Cluster
from lib.consumer import Reader
from lib.support import scratch, wait_for
from lib.worker import Worker

RUNS = int(os.environ.get("RUNS", "5"))
ROWS = int(os.environ.get("ROWS", "400000"))
ONLY = os.environ.get("ONLY", "sql wire kafka lake snapshot latency").split()

SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY, email text, full_name text, country text, is_active boolean,
                    balance numeric(12,2), created_at timestamptz, updated_at timestamp);
"""

# transactions of 1,000 rows: ROWS inserts, three quarters of them updated, one quarter deleted
WORKLOAD = """
DO $$ BEGIN
  FOR i IN 0..%(rows)d/1000-1 LOOP
    INSERT INTO users SELECT n, 'user' || n || '@example.com', 'Full Name ' || n, 'DE', n %% 2 = 0, n / 100.0,
           now(), now() FROM generate_series(i*1000+1, i*1000+1000) AS n;
    COMMIT;
  END LOOP;
  FOR i IN 0..%(rows)d*3/4000-1 LOOP
    UPDATE users SET balance = balance + 1, updated_at = now() WHERE id BETWEEN i*1000+1 AND i*1000+1000;
    COMMIT;
  END LOOP;
  FOR i IN 0..%(rows)d/4000-1 LOOP
    DELETE FROM users WHERE id BETWEEN i*1000+1 AND i*1000+1000;
    COMMIT;
  END LOOP;
END $$;
"""

PEEK = "select count(*), coalesce(sum(length(data)), 0) from pg_logical_slot_peek_binary_changes('%s', null, null%s)"

VARIANTS = [
    ("pgoutput text", "base_pgoutput", {"proto_version": "1", "publication_names": "all_tables"}),
    ("pgoutput binary", "base_pgoutput", {"proto_version": "1", "publication_names": "all_tables", "binary": "true"}),
    ("cdc_decoder frame", "base_cdc", {"format": "frame"}),
    ("cdc_decoder json", "base_cdc", {"format": "json"}),
    ("cdc_decoder json, schemas", "base_cdc", {"format": "json", "schemas_enable": "true"}),
]


def median(values):
    return statistics.median(values)


def report(title, rows, header):
    print("\n" + title)
    widths = [max(len(str(row[i])) for row in [header] + rows) for i in range(len(header))]
    for row in [header] + rows:
        print("  " + "  ".join(str(cell).rjust(width) if i else str(cell).ljust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))))
    sys.stdout.flush()


class Bench:
    def __init__(self):
        self.cluster = Cluster(logical_decoding_work_mem="256MB", max_wal_size="8GB", shared_buffers="512MB",
                               checkpoint_timeout="1h", autovacuum="off").start()
        self.db = self.cluster.create_database("bench")
        self.db.psql(SCHEMA)
        self.db.psql("create publication all_tables for all tables;"
                     "select pg_create_logical_replication_slot('base_pgoutput', 'pgoutput');"
                     "select pg_create_logical_replication_slot('base_cdc', 'cdc_decoder')")
        started = time.monotonic()
        self.db.psql(WORKLOAD % {"rows": ROWS})
        self.warm_up = False
        self.changes = ROWS + ROWS * 3 // 4 + ROWS // 4
        self.lsn = self.db.lsn()
        print("%d changes in transactions of 1,000, written in %.1f s; medians of %d"
              % (self.changes, time.monotonic() - started, RUNS))

    def rate(self, seconds):
        return "%.0f k" % (self.changes / seconds / 1000)

    def by_sql(self):
        times = {name: [] for name, _, _ in VARIANTS}
        for _ in range(RUNS):
            for name, slot, options in VARIANTS:
                text = "".join(", '%s', '%s'" % item for item in options.items())
                started = time.monotonic()
                self.db.psql(PEEK % (slot, text))
                times[name].append(time.monotonic() - started)
        report("decode over SQL", [[name, "%.2f" % median(t), self.rate(median(t))] for name, t in times.items()],
               ["plugin", "s", "changes/s"])

    def over_wire(self):
        times = {name: [] for name, _, _ in VARIANTS}
        program = str(self.cluster.bindir / "pg_recvlogical")
        for run in range(RUNS):
            for number, (name, slot, options) in enumerate(VARIANTS):
                copy = "wire_%d_%d" % (run, number)
                self.db.psql("select pg_copy_logical_replication_slot('%s', '%s')" % (slot, copy))
                arguments = [part for item in options.items() for part in ("-o", "%s=%s" % item)]
                started = time.monotonic()
                subprocess.run([program, "-h", "127.0.0.1", "-p", str(self.cluster.port), "-U", "postgres", "-d",
                                self.db.name, "-S", copy, "--start", "-f", "/dev/null", "-F", "0", "--endpos",
                                self.lsn, *arguments], check=True, stdin=subprocess.DEVNULL)
                times[name].append(time.monotonic() - started)
                self.db.psql("select pg_drop_replication_slot('%s')" % copy)
        report("decode over the wire (pg_recvlogical to /dev/null)",
               [[name, "%.2f" % median(t), self.rate(median(t))] for name, t in times.items()],
               ["plugin", "s", "changes/s"])

    def drain(self, label, number, **config):
        """One run of the worker from a copy of the slot; (seconds from streaming to stopped, CPU s, RSS MB)."""
        slot = "drain_%s_%d" % (label, number)
        self.db.psql("select pg_copy_logical_replication_slot('base_cdc', '%s')" % slot)
        worker = Worker(self.db, **{"slot.name": slot, "snapshot.mode": "no_data", **config})
        worker.start("--until-lsn", self.lsn)
        worker.wait_log("streaming from slot", 60)
        started = time.monotonic()
        code = worker.wait(600)
        seconds = time.monotonic() - started
        if code != 0:
            raise RuntimeError("exit code %s:\n%s" % (code, worker.log_tail()))
        self.db.psql("select pg_drop_replication_slot('%s')" % slot)
        return seconds, worker.cpu_seconds, worker.rss_peak / 1e6

    def drains(self, title, variants):
        results = {name: [] for name in variants}
        if self.warm_up:  # a broker that has just started compiles itself for its first million records
            self.warm_up = False
            for number, config in enumerate(list(variants.values()) * 2):
                self.drain("warm_up", number, **config(1000 + number))
        for run in range(RUNS):
            for number, (name, config) in enumerate(variants.items()):
                results[name].append(self.drain("%s%d" % (title.split()[-1].lower(), number), run,
                                                **config(run * 10 + number)))
        report(title, [[name, "%.2f" % median([r[0] for r in rs]), self.rate(median([r[0] for r in rs])),
                        "%.2f" % median([r[1] for r in rs]), "%.0f" % max(r[2] for r in rs)]
                       for name, rs in results.items()],
               ["to", "s", "changes/s", "CPU s", "peak RSS MB"])

    def to_kafka(self, broker):
        def config(exactly_once):
            return lambda number: {"outputs": "kafka", "topic.prefix": "b%d" % number,
                                   "kafka.bootstrap.servers": broker.bootstrap,
                                   "kafka.exactly.once": exactly_once}
        self.warm_up = True
        self.drains("drain to Kafka", {"transactional": config("true"), "idempotent": config("false")})

    def to_lake(self):
        def config(outputs):
            return lambda number: {"outputs": outputs, "lake.warehouse": "file://%s" % scratch("lake")}
        self.drains("drain to lake", {"silver": config("silver"), "bronze,silver": config("bronze,silver")})

    def snapshot(self):
        """The initial snapshot of one million rows into bronze and silver."""
        db = self.cluster.create_database("snap")
        db.psql(SCHEMA + "INSERT INTO users SELECT n, 'user' || n || '@example.com', 'Full Name ' || n, 'DE',"
                         " n % 2 = 0, n / 100.0, now(), now() FROM generate_series(1, 1000000) AS n; ANALYZE")
        rows = []
        for run in range(RUNS):
            worker = Worker(db, **{"slot.name": "snap_%d" % run, "outputs": "bronze,silver",
                                   "lake.warehouse": "file://%s" % scratch("lake")})
            started = time.monotonic()
            worker.run_until(db.lsn())
            rows.append((time.monotonic() - started, worker.cpu_seconds, worker.rss_peak / 1e6))
            db.psql("select pg_drop_replication_slot('snap_%d')" % run)
        seconds = median([r[0] for r in rows])
        report("initial snapshot of 1,000,000 rows", [["bronze,silver", "%.2f" % seconds, "%.0f k" % (1000 / seconds),
                                                       "%.2f" % median([r[1] for r in rows]),
                                                       "%.0f" % max(r[2] for r in rows)]],
               ["to", "s", "rows/s", "CPU s", "peak RSS MB"])

    def latency(self, broker):
        results = []
        for name, exactly_once in (("transactional", "true"), ("idempotent", "false")):
            db = self.cluster.create_database("latency_" + name)
            db.psql("create table t (id int primary key, v text)")
            worker = Worker(db, **{"outputs": "kafka", "topic.prefix": "l" + name, "slot.name": "latency_" + name,
                                   "kafka.bootstrap.servers": broker.bootstrap, "kafka.exactly.once": exactly_once})
            worker.start()
            worker.wait_log("streaming from slot", 60)
            lags = self.measure_lags(db, broker, "l%s.public.t" % name)
            worker.stop()
            results.append([name] + ["%.1f" % lags[len(lags) * p // 100] for p in (50, 90, 99)])
        report("latency, commit to read_committed consumer, 50 transactions/s", results, ["mode", "p50 ms", "p90", "p99"])

    @staticmethod
    def measure_lags(db, broker, topic, count=500):
        lags = []
        with db.connect() as conn:
            conn.execute("set synchronous_commit = on")
            conn.execute("insert into t values (0, 'first')")
            wait_for(lambda: topic in broker.topics(), 30, "topic " + topic)
            reader = Reader(broker, topic)
            reader.until(lambda records: len(records) >= 1)
            due = time.monotonic()
            for n in range(1, count + 1):
                due += 0.02
                while (rest := due - time.monotonic()) > 0:
                    lags += [time.time() * 1e3 - r.json["source"]["ts_us"] / 1e3
                             for r in reader.poll(min(rest, 0.005))]
                conn.execute("insert into t values (%s, 'x')", (n,))
            while len(lags) < count:
                lags += [time.time() * 1e3 - r.json["source"]["ts_us"] / 1e3 for r in reader.poll(0.1)]
            reader.close()
        return sorted(lags)


def main():
    bench = Bench()
    if "sql" in ONLY:
        bench.by_sql()
    if "wire" in ONLY:
        bench.over_wire()
    if "lake" in ONLY:
        bench.to_lake()
    if "snapshot" in ONLY:
        bench.snapshot()
    if "kafka" in ONLY or "latency" in ONLY:
        broker = Broker().start()
        if "kafka" in ONLY:
            bench.to_kafka(broker)
        if "latency" in ONLY:
            bench.latency(broker)


if __name__ == "__main__":
    main()
