"""cdc-sink status and the status server: what they say is what is, and asking changes nothing."""

import json
import re
import shlex
import subprocess
import time
import urllib.error
import urllib.request

from lib.support import BUILD, free_port, wait_for
from lib.truth import stale, wait_read
from lib.worker import BINARY

FAST_CLOCK = ("env", "LD_PRELOAD=%s" % (BUILD / "limits" / "fast_clock.so"), "CLOCK_FACTOR=30")
TABLE = "create table t (id int primary key, v text)"


def database(t, cluster=None):
    db = t.database(cluster)
    db.psql(TABLE)
    return db


def serving(t, db, **config):
    """A worker that streams and serves its status."""
    worker = t.worker(db, **dict({"status.port": free_port()}, **config))
    worker.start()
    worker.wait_log("streaming from slot", 60)
    return worker


def get(worker, path, method="GET"):
    """(code, content type, body)"""
    request = urllib.request.Request("http://127.0.0.1:%d%s" % (worker.config["status.port"], path), method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def worker_says(worker):
    return json.loads(get(worker, "/status")[2])


def status(worker):
    """(exit code, the JSON object)"""
    code, output, _ = worker.command("status", "--json")
    return code, json.loads(output)


def lsn(text):
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


_SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+)="([a-z]+)"\})? (-?[0-9]+(?:\.[0-9]+)?)')


def parse_metrics(text):
    """The exposition format, strictly: every sample belongs to the family announced last, each family is
    announced once with HELP and TYPE, no sample comes twice.  Returns ({(name, label): value}, {name: type})."""
    assert text.endswith("\n")
    samples, types, helped, family = {}, {}, set(), None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            family, words = line[7:].split(" ", 1)
            assert family not in helped and words.endswith("."), line
            helped.add(family)
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == family and name not in types and kind in ("counter", "gauge"), line
            assert (kind == "counter") == name.endswith("_total"), line
            types[name] = kind
        else:
            found = _SAMPLE.fullmatch(line)
            assert found and found[1] == family and family in types, line
            key = (found[1], found[3])
            assert key not in samples, line
            samples[key] = float(found[4])
    assert helped == set(types) == {name for name, _ in samples}
    return samples, types


def wait_stored(worker, db):
    until = db.lsn()
    db.wait_confirmed(worker.config["slot.name"], until)
    return until


def test_metrics_while_streaming(t):
    db = database(t)
    db.psql("insert into t select n from generate_series(1, 100) as n")
    worker = serving(t, db, outputs="kafka,bronze,silver")
    db.psql("insert into t select n from generate_series(101, 350) as n; delete from t where id <= 10")
    until = wait_stored(worker, db)
    wait_for(lambda: worker_says(worker)["lag_seconds"] == 0, 10, "the lag to be gone")
    code, kind, text = get(worker, "/metrics")
    assert (code, kind) == (200, "text/plain; version=0.0.4; charset=utf-8"), (code, kind)
    samples, types = parse_metrics(text)
    reference = subprocess.run([BINARY, "config", "--metrics"], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^\| `([a-z_]+)`", reference, re.M)) == set(types)
    value = lambda name, label=None: samples["cdc_sink_" + name, label]
    assert value("kafka_records_total") == 370, samples  # 350 rows, 10 deletes and their tombstones
    assert value("lake_rows_total") == 360
    assert value("events_total") >= 360 and value("transactions_total") >= 2
    assert value("kafka_transactions_total") >= 1 and value("lake_cuts_total") >= 1
    assert value("healthy") == 1 and value("failures_total") == 0
    assert [label for (name, label), on in samples.items() if name == "cdc_sink_state" and on] == ["streaming"]
    for output in ("kafka", "lake"):
        assert value("output_stored_lsn_bytes", output) >= lsn(until)
        assert value("output_blocks", output) == 0
    assert 0 <= time.time() - value("lake_cut_timestamp_seconds") < 60
    assert get(worker, "/health")[::2] == (200, "ok\n")
    assert worker.stop() == 0


def test_the_server_only_reads(t):
    worker = serving(t, database(t))
    assert get(worker, "/nothing")[0] == 404
    assert get(worker, "/metrics", "POST")[0] == 405
    assert get(worker, "/metrics", "HEAD")[::2] == (200, "")
    other = t.worker(database(t), **{"status.port": worker.config["status.port"]})
    code, _, errors = other.command("run", timeout=30)
    assert code == 1 and "could not listen" in errors and "in use" in errors, errors
    code, _, errors = other.command("run", "--set", "status.address=everywhere", timeout=30)
    assert code == 2 and "status.address" in errors, errors
    assert get(worker, "/health")[0] == 200


def test_status_of_a_running_worker(t):
    db = database(t)
    worker = serving(t, db, outputs="kafka,bronze,silver")
    db.psql("insert into t select n from generate_series(1, 1000) as n")
    until = wait_stored(worker, db)
    begun = len(worker.log_text())
    code, found = status(worker)
    assert code == 0 and found["healthy"] and found["problems"] == [], found
    slot = found["slot"]
    assert slot["active"] and slot["wal_status"] == "reserved" and slot["safe_wal_size"] is None, slot
    assert lsn(slot["confirmed_flush_lsn"]) >= lsn(until) and lsn(slot["restart_lsn"]) > 0
    assert slot["lag_bytes"] == max(lsn(slot["wal_end_lsn"]) - lsn(slot["confirmed_flush_lsn"]), 0)
    assert slot["lag_seconds"] >= 0
    for output in ("kafka", "lake"):
        assert found["outputs"][output]["phase"] == "stream"
        assert lsn(found["outputs"][output]["stored_lsn"]) >= lsn(until)
    cut = found["outputs"]["lake"]["cut"]
    assert cut["tables"] == 2 and cut["stale_tables"] == 0 and 0 <= cut["age_seconds"] < 60, cut
    assert found["worker"]["state"] == "streaming" and found["worker"]["blocked_by"] is None
    code, text, _ = worker.command("status")
    assert code == 0 and text.endswith("\nhealthy\n"), text
    assert worker.command("status", "--worker")[0] == 0
    # nobody was fenced: the same worker goes on without a word
    db.psql("insert into t values (1001)")
    wait_stored(worker, db)
    assert worker.log_text()[begun:] == "", worker.log_text()[begun:]
    assert worker.stop() == 0
    code, found = status(worker)
    assert code == 1 and not found["slot"]["active"] and found["worker"] is None, found
    assert any("nobody streams" in text for text in found["problems"]), found
    assert any("no worker answers" in text for text in found["problems"]), found
    assert lsn(found["outputs"]["kafka"]["stored_lsn"]) >= lsn(until)
    assert worker.command("status", "--worker")[0] == 1


def test_status_before_the_first_run(t):
    worker = t.worker(database(t), outputs="kafka,silver")
    code, found = status(worker)
    assert code == 1 and found["slot"] is None, found
    assert found["outputs"]["kafka"]["phase"] == "none" and found["outputs"]["lake"]["phase"] == "none", found
    assert worker.config["topic.prefix"] not in " ".join(t.broker.topics(internal=True))
    code, _, errors = worker.command("status", "--worker")
    assert code == 2 and "status.port" in errors, errors


def test_what_is_not_this_workers(t):
    """A slot of something else, a lake of nothing or of another database: not healthy, and it says why."""
    db = database(t)
    t.database(name="other_database")
    worker = t.worker(db, outputs="bronze,silver")
    worker.start()
    worker.wait_log("streaming from slot", 60)

    def problems(**changed):
        config = dict(worker.config)
        worker.config.update({name.replace("_", "."): value for name, value in changed.items()})
        code, found = status(worker)
        worker.config.clear()
        worker.config.update(config)
        assert code == 1 and not found["healthy"], found
        return " ".join(found["problems"])

    assert status(worker)[0] == 0
    assert "lake: nothing is stored there, though slot" in problems(lake_namespace="elsewhere")
    name = worker.config["slot.name"]
    found = problems(database_dbname="other_database")
    assert 'replication slot "%s" belongs to database "%s", not "other_database"' % (name, db.name) in found, found
    assert 'lake: the position there belongs to database "%s", not "other_database"' % db.name in found, found
    db.psql("select pg_create_logical_replication_slot('foreign_slot', 'test_decoding');"
            "select pg_create_physical_replication_slot('physical_slot')")
    for slot, why in (("foreign_slot", 'uses plugin "test_decoding", not "cdc_decoder"'), ("physical_slot", "is a physical one")):
        assert why in problems(slot_name=slot)
        worker.config["slot.name"] = slot
        code, output, errors = worker.command("snapshot", "--tables", "public.t")
        worker.config["slot.name"] = name
        assert code == 2 and why in errors, (code, output, errors)
    code, output, errors = worker.command("snapshot", "--tables", "pg_catalog.pg_class")
    assert code == 2 and "no table whose changes are in the WAL" in errors, (code, output, errors)
    db.psql("select pg_drop_replication_slot('foreign_slot'); select pg_drop_replication_slot('physical_slot')")
    assert worker.stop() == 0


def test_a_stopped_broker_blocks(t):
    db = database(t)
    broker = t.new_broker().start()
    worker = serving(t, db, outputs="kafka,silver", broker=broker)
    db.psql("insert into t values (1)")
    wait_stored(worker, db)
    broker.kill()
    db.psql("insert into t values (2)")
    wait_for(lambda: worker_says(worker)["blocked_by"] == "kafka", 60, lambda: worker_says(worker))
    found = worker_says(worker)
    assert found["lag_bytes"] > 0 and found["lag_seconds"] > 0, found
    assert lsn(found["outputs"]["lake"]["stored_lsn"]) > lsn(found["outputs"]["kafka"]["stored_lsn"]), found
    samples, _ = parse_metrics(get(worker, "/metrics")[2])
    assert samples["cdc_sink_output_blocks", "kafka"] == 1 and samples["cdc_sink_output_blocks", "lake"] == 0
    code, found = status(worker)
    assert code == 1 and found["worker"]["blocked_by"] == "kafka" and found["outputs"]["kafka"] is None, found
    assert any(text.startswith("kafka: ") for text in found["problems"]), found
    broker.start()
    wait_stored(worker, db)
    wait_for(lambda: worker_says(worker)["blocked_by"] is None, 60, lambda: worker_says(worker))
    assert status(worker)[0] == 0
    assert worker.stop() == 0


test_a_stopped_broker_blocks.seconds = 40


def test_a_broken_connection_is_not_healthy_until_work_goes_on(t):
    cluster = t.new_cluster().start()
    db = database(t, cluster)
    worker = serving(t, db)
    cluster.stop()
    wait_for(lambda: get(worker, "/health")[0] == 503, 30, "/health to tell")
    found = worker_says(worker)
    assert found["problem"] and found["blocked_by"] is None and found["state"] in ("waiting", "starting"), found
    assert worker.command("status", "--worker")[0] == 1
    code, found = status(worker)
    assert code == 1 and found["slot"] is None and any(text.startswith("server: ") for text in found["problems"])
    cluster.start()
    wait_for(lambda: get(worker, "/health")[0] == 200, 60, "/health to be well")
    samples, _ = parse_metrics(get(worker, "/metrics")[2])
    assert samples["cdc_sink_failures_total", None] >= 1
    assert worker.stop() == 0


def test_a_slot_that_loses_its_wal(t):
    cluster = t.new_cluster(max_slot_wal_keep_size="16MB", max_wal_size="32MB", min_wal_size="32MB").start()
    db = database(t, cluster)
    worker = serving(t, db)
    wait_stored(worker, db)
    code, found = status(worker)
    assert code == 0 and found["slot"]["safe_wal_size"] > 0, found
    worker.kill()
    for _ in range(5):
        db.psql("select pg_switch_wal()")
        db.lsn()
    db.psql("checkpoint")
    code, found = status(worker)
    assert code == 1 and found["slot"]["wal_status"] == "lost", found
    assert any("has lost WAL" in text for text in found["problems"]), found


ADVICE = "Read it again: cdc-sink snapshot --tables "


def advised(text):
    """{silver table: what follows --tables}, of the output of status."""
    return {line.split()[1]: line.partition(ADVICE)[2] for line in text.split("\n") if ADVICE in line}


def follow(worker, advice):
    """As somebody who pastes it into a shell."""
    command = "%s snapshot -c %s --tables %s" % (shlex.quote(str(BINARY)), shlex.quote(str(worker.file)), advice)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, command + "\n" + done.stdout + done.stderr


def rewritten(t, tables, *more, **config):
    """A worker whose silver tables of these SQL names are stale until somebody asks."""
    db = t.database()
    db.psql("".join(more) + "".join("create table %s (id int primary key, v text); insert into %s values (1, 'a');"
                                    % (table, table) for table in tables))
    worker = serving(t, db, **dict({"lake.on.stale": "wait"}, **config))
    db.psql("".join("alter table %s alter v type text using upper(v);" % table for table in tables))
    wait_stored(worker, db)
    return db, worker


def test_stale_tables_whose_sources_are_elsewhere(t):
    """What asking mends is a problem, under its name of today; what nobody can mend is not."""
    tables = ["gone", "replaced", "joined", "left_out", "renamed", "kept"]
    db, worker = rewritten(t, tables, "create table whole (id int primary key, v text) partition by range (id);")
    code, text, errors = worker.command("status")
    assert code == 1, text + errors
    assert advised(text) == {"silver_" + table: "public." + table for table in tables}, text
    db.psql("drop table gone; drop table replaced; create table unrelated (id int primary key);"
            "alter table unrelated rename to replaced; alter table replaced rename to unrelated;"
            "alter table whole attach partition joined for values from (0) to (9);"
            "alter table renamed rename to kept_2; create schema other; alter table kept_2 set schema other")
    arguments = ("status", "--set", "table.exclude.list=public.left_out")
    code, text, errors = worker.command(*arguments)
    assert code == 1, text + errors
    assert advised(text) == {"silver_renamed": "other.kept_2", "silver_kept": "public.kept"}, text
    for table, what in (("gone", "Its source does not exist any more"),
                        ("replaced", "Its source does not exist any more"),
                        ("joined", "Its source is a partition of \"public.whole\" now"),
                        ("left_out", "Its source \"public.left_out\" is not captured")):
        assert re.search(r"^note  silver_%s is stale: .*\. %s" % (table, what), text, re.M), (table, text)
    for advice in advised(text).values():
        follow(worker, advice)
    wait_for(lambda: stale(t, worker) == {"silver_gone", "silver_replaced", "silver_joined", "silver_left_out"}, 60,
             lambda: "the tables to be read: " + worker.log_tail())
    code, text, errors = worker.command(*arguments)
    assert code == 0 and text.count("\nnote  silver_") == 4, text + errors
    follow(worker, "public.left_out,public.whole")
    wait_for(lambda: stale(t, worker) == {"silver_gone", "silver_replaced"}, 60,
             lambda: "the tables to be read: " + worker.log_tail())
    code, text, errors = worker.command("status")
    assert code == 0 and text.count("\nnote  silver_") == 2, text + errors
    assert worker.stop() == 0
    db.psql("drop table kept")
    code, text, errors = worker.command("status", "--set", "database.port=1")  # then the name seen last must do
    assert code == 1 and advised(text) == {"silver_gone": "public.gone", "silver_replaced": "public.replaced"}, text


def test_stale_partitioned_tables_by_the_names_of_their_partitions(t):
    """The lists name partitions, and so does the advice: by that name the worker reads the whole."""
    db = t.database()
    db.psql(PARTS)
    worker = serving(t, db, **{"lake.on.stale": "wait", "table.include.list": "public.part_.*"})
    db.psql("truncate part_1")
    wait_stored(worker, db)
    code, text, errors = worker.command("status")
    assert code == 1 and advised(text) == {"silver_whole": "public.part_1"}, text + errors
    follow(worker, advised(text)["silver_whole"])
    wait_read(t, db, worker)
    assert worker.command("status")[0] == 0
    assert worker.stop() == 0


def test_advice_for_odd_names(t):
    """It can be pasted into a shell, and names the table."""
    tables = ["\"S\".\"Odd.na,me'q\"", "\"S\".\"$(exit 3) `x` \"\"w\"", "\"a.b\".\"Ünï\\c\"", "public.\"Plain-1\""]
    db, worker = rewritten(t, tables, "create schema \"S\"; create schema \"a.b\";")
    code, text, errors = worker.command("status")
    advice = list(advised(text).values())
    assert code == 1 and len(advice) == 4 and "public.Plain-1" in advice, text + errors
    for one in advice:
        follow(worker, one)
    wait_read(t, db, worker)
    assert worker.command("status")[0] == 0
    assert worker.stop() == 0


PARTS = ("create table whole (id int primary key, v text) partition by range (id);"
         "create table part_1 partition of whole for values from (0) to (10);"
         "create table part_2 partition of whole for values from (10) to (20); insert into whole values (1, 'a'), (11, 'b')")


def reading(worker):
    return worker_says(worker)["reading"]


def unread_tables(worker):
    return parse_metrics(get(worker, "/metrics")[2])[0]["cdc_sink_unread_tables", None]


def is_well(worker, db):
    """Everything is read, and nobody says otherwise."""
    wait_for(lambda: reading(worker) is None, 60, lambda: "the table to be read: " + worker.log_tail())
    wait_stored(worker, db)
    wait_for(lambda: status(worker)[0] == 0, 10, lambda: worker.command("status"))
    assert unread_tables(worker) == 0 and get(worker, "/health")[::2] == (200, "ok\n")
    assert stale_tables(worker) == 0


def stale_tables(worker):
    return status(worker)[1]["outputs"]["lake"]["cut"]["stale_tables"]


def test_no_slot_to_read_a_table_with(t):
    """What is to be read by itself cannot be, which status says until it can."""
    cluster = t.new_cluster(max_replication_slots=2).start()
    db = t.database(cluster)
    db.psql(PARTS)
    worker = serving(t, db)
    db.psql("select pg_create_physical_replication_slot('taken')")
    db.psql("truncate part_1")
    wait_for(lambda: (reading(worker) or {}).get("problem"), 60, lambda: worker_says(worker))
    found = worker_says(worker)
    assert found["reading"]["tables"] == 1 and found["reading"]["first"] == "public.whole", found
    for part in ("all replication slots are in use", "raise max_replication_slots"):
        assert part in found["reading"]["problem"] and part in found["problem"], found
    assert not found["healthy"] and found["blocked_by"] is None and found["state"] == "streaming", found
    assert unread_tables(worker) == 1
    code, kind, text = get(worker, "/health")
    assert code == 503 and "all replication slots are in use" in text, (kind, text)
    wait_stored(worker, db)  # the stream goes on
    code, text, errors = worker.command("status")
    assert code == 1 and re.search(r"^fix   worker: 1 tables to be read, first \"public.whole\": .*slots are in use", text, re.M), \
        text + errors
    assert worker.command("status", "--worker")[0] == 1
    db.psql("select pg_drop_replication_slot('taken')")
    is_well(worker, db)
    assert worker.stop() == 0


def test_an_open_transaction_that_reading_waits_for(t):
    """It may take a minute, and then somebody should look."""
    db = t.database()
    db.psql(PARTS)
    worker = serving(t, db)
    with db.connect(autocommit=False) as connection:
        connection.execute("select pg_current_xact_id()")  # no slot is made while it runs
        db.psql("truncate part_1")
        wait_for(lambda: reading(worker), 60, lambda: worker_says(worker))
        assert reading(worker) == {"tables": 1, "first": "public.whole", "problem": None}, reading(worker)
        wait_stored(worker, db)
        code, text, errors = worker.command("status")
        assert code == 0 and "note  worker: 1 tables to be read, first \"public.whole\"\n" in text, text + errors
        assert worker.stop() == 0
        worker.start(under=FAST_CLOCK)
        worker.wait_log("streaming from slot", 60, since=worker.begun)
        wait_for(lambda: (reading(worker) or {}).get("problem"), 60, lambda: worker_says(worker))
        assert "more than 60 s for transactions to end" in reading(worker)["problem"], reading(worker)
        code, text, errors = worker.command("status")
        assert code == 1 and re.search(r"^fix   worker: 1 tables to be read, .*pg_stat_activity", text, re.M), text + errors
        connection.commit()
        is_well(worker, db)
    assert worker.stop() == 0


test_an_open_transaction_that_reading_waits_for.unsanitized = "ThreadSanitizer calls the C library past what is preloaded for the clock"
