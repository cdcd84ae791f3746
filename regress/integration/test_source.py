"""The worker's source side against a server, driven by regress/source/source_probe.c.

What a snapshot reads and what the stream sends must be the same, description and values, for every
kind of table; markers and order must be Debezium's; and what goes wrong must say what to do.
"""

import os
import shlex
import subprocess
import threading

from lib.support import PATIENCE, SANITIZE, TOP, WORKER_BUILD, wait_for

SOURCE = TOP / "regress" / "source"
PROBE = WORKER_BUILD / "source_probe"

_built = []


def packages(option):
    done = subprocess.run(["pkg-config", option, "libpq", "json-c"], check=True, capture_output=True, text=True)
    return shlex.split(done.stdout)


def build():
    """The probe, from the worker's own objects."""
    if _built:
        return
    library = WORKER_BUILD / "libsink.a"
    made = PROBE.with_suffix(".%d" % os.getpid())  # put in place whole: another process may be running it
    sanitize = ["-fsanitize=%s" % SANITIZE] if SANITIZE else []
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-D_GNU_SOURCE", *sanitize,
                    "-Idecoder", "-Isink", *packages("--cflags"), "-o", str(made),
                    str(SOURCE / "source_probe.c"), str(library), *packages("--libs"), "-lm", "-lpthread"],
                   check=True, cwd=TOP)
    made.replace(PROBE)
    _built.append(PROBE)


def command(db, *arguments, **settings):
    build()
    config = dict(db.properties())
    config.update({"lake.warehouse": "file:///nowhere"})
    config.update({name.replace("__", "."): value for name, value in settings.items()})
    return [str(PROBE), *[str(a) for a in arguments], *["%s=%s" % item for item in config.items()]]


def probe(db, *arguments, **settings):
    """(exit status, output) of one run."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CDC_SINK_", "PG"))}
    done = subprocess.run(command(db, *arguments, **settings), capture_output=True, text=True, timeout=600,
                          env=environment)
    return done.returncode, done.stdout


def succeed(db, *arguments, **settings):
    status, output = probe(db, *arguments, **settings)
    assert status == 0, output
    return output


def refuse(db, *arguments, expect, **settings):
    status, output = probe(db, *arguments, **settings)
    assert status == 1, output
    for text in expect:
        assert text in output, "%r is not in:\n%s" % (text, output)


def odd_database(t):
    db = t.database()
    db.psql_file(SOURCE / "odd_tables.sql")
    return db


def test_source_parity(t):
    db = odd_database(t)
    output = succeed(db, "parity", SOURCE / "write_again.sql")
    assert output.startswith("25 tables, 138 rows, 0 differences"), output
    output = succeed(db, "parity", SOURCE / "write_again.sql", snapshot__max__threads=3,
                     column__exclude__list=r"public\.secret\.(hidden|pk2|id),app\..*\.k",
                     table__include__list=r"public\..*,app\..*")
    assert output.startswith("24 tables, 136 rows, 0 differences"), output


def markers(db, **settings):
    """The events of a snapshot as (kind, table, marker), rows in the middle of a table left out."""
    lines = [line.split(" ") for line in succeed(db, "markers", **settings).splitlines()]
    return [(kind, table, int(marker)) for kind, table, marker in lines if (kind, marker) != ("r", "1")]


def test_source_markers(t):
    first, first_in, last_in, last = 2, 3, 4, 5
    db = t.database()
    db.psql("create table a_empty (id int); create table b_one (id int); create table c_many (id int);"
            "create table d_empty (id int); create table e_one (id int); create table f_many (id int);"
            "create table g_empty (id int); create table h_empty (id int);"
            "insert into b_one values (1); insert into e_one values (1);"
            "insert into c_many select generate_series(1, 10000); insert into f_many select generate_series(1, 3)")
    assert markers(db) == [
        ("b", "a_empty", 0), ("e", "a_empty", 0),
        ("b", "b_one", 0), ("r", "b_one", last_in), ("e", "b_one", 0),
        ("b", "c_many", 0), ("r", "c_many", first_in), ("r", "c_many", last_in), ("e", "c_many", 0),
        ("b", "d_empty", 0), ("e", "d_empty", 0),
        ("b", "e_one", 0), ("r", "e_one", last_in), ("e", "e_one", 0),
        ("b", "f_many", 0), ("r", "f_many", first_in), ("r", "f_many", last), ("e", "f_many", 0),
        ("b", "g_empty", 0), ("e", "g_empty", 0), ("b", "h_empty", 0), ("e", "h_empty", 0),
        ("s", "", 0)]
    assert markers(db, table__include__list="public.e_one")[1] == ("r", "e_one", last)
    assert markers(db, table__include__list="public.a_empty") == [
        ("b", "a_empty", 0), ("e", "a_empty", 0), ("s", "", 0)]
    assert markers(db, table__include__list="public.none") == [("s", "", 0)]


def test_source_ranges(t):
    """Several sessions on one table: every row once, among pages full of dead and empty ones."""
    db = t.database()
    db.psql("create table big (id int primary key, pad text);"
            "insert into big select g, repeat('x', 200) from generate_series(1, 300000) g;"
            "delete from big where id between 100000 and 250000 or id % 7 = 0; vacuum analyze big;"
            "update big set pad = 'y' where id % 5 = 0;"
            "create table wide (a text, b bytea);"
            "insert into wide select repeat(md5(g::text), 60000), decode(repeat('00ff', 500000), 'hex')"
            " from generate_series(1, 5) g")
    rows = int(db.psql("select count(*) from big")) + 5
    for threads in (1, 2, 5):
        assert succeed(db, "snapshot", snapshot__max__threads=threads).startswith("%d rows" % rows)


def test_source_table_changed_before_its_lock(t):
    db = t.database()
    script = t.dir / "race.sql"
    for statement, text in (("truncate public.a", "was truncated, rewritten or dropped"),
                            ("alter table public.a alter id type bigint", "was truncated, rewritten or dropped"),
                            ("drop table public.a", "does not exist")):
        db.psql("drop table if exists a; create table a (id int); insert into a values (1)")
        script.write_text(statement)
        refuse(db, "race", script, expect=["retry: ", text])
    db.psql("create table b (id int); insert into b values (1)")
    script.write_text("alter table public.b add column c int")
    assert succeed(db, "race", script) == "ok\n"


def test_source_queued_ddl_does_not_hang(t):
    """A queued ALTER TABLE keeps the other sessions off the table, not the first."""
    db = t.database()
    db.psql("create table a_first (id int, pad text);"
            "insert into a_first select g, repeat('x', 100) from generate_series(1, 1500000) g;"
            "create table z_last (id int, pad text);"
            "insert into z_last select g, repeat('x', 100) from generate_series(1, 200000) g")
    process = subprocess.Popen(command(db, "snapshot"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    wait_for(lambda: db.psql("select count(*) from pg_locks where relation = 'z_last'::regclass and granted") != "0",
             30, "the snapshot to lock z_last", interval=0.005)
    alter = threading.Thread(target=db.psql, args=("alter table z_last add column c int",))
    alter.start()
    output = process.communicate(timeout=60 * PATIENCE)[0]
    alter.join(30)
    assert process.returncode == 0 and output.startswith("1700000 rows"), output
    assert not alter.is_alive()


def follow(db, slot):
    process = subprocess.Popen(command(db, "follow", slot__name=slot), stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "streaming\n"
    return process


def end_of(process):
    output = process.communicate(timeout=30)[0]
    assert process.returncode == 1, output
    return output


def test_source_stream_ends(t):
    cluster = t.new_cluster().start()
    db = t.database(cluster)
    slot = "source_follow"
    refuse(db, "follow", slot__name=slot, expect=["config: ", "does not exist"])
    db.psql("select pg_create_logical_replication_slot('%s', 'cdc_decoder'); create table a (id int)" % slot)
    process = follow(db, slot)
    refuse(db, "follow", slot__name=slot, expect=["retry: ", "is active for PID"])
    db.psql("insert into a values (1)")
    db.wait_confirmed(slot, db.lsn())
    db.psql("select pg_terminate_backend(active_pid) from pg_replication_slots")
    output = end_of(process)
    # the row, and the message by which lsn() marks its place
    assert output.startswith("2 frames\nretry: replication from slot") and "57P01" in output, output
    process = follow(db, slot)
    cluster.stop()
    assert "retry: replication from slot" in end_of(process)
    cluster.start()
    process = follow(db, slot)
    cluster.kill()
    output = end_of(process)
    assert "retry: " in output, output
    cluster.start()
    # the insert was confirmed: it does not come again
    process = follow(db, slot)
    process.kill()
    process.communicate()


def test_source_says_what_to_do(t):
    db = odd_database(t)
    db.psql("create role source_weak login; create role source_replicator login replication;"
            "create role source_reader login replication in role pg_read_all_data;"
            "create table hidden (id int); alter table hidden enable row level security")
    try:
        assert succeed(db, "connect") == "ok\n"
        refuse(db, "connect", database__dbname="nix", expect=["config: ", "\"nix\" does not exist", "database.dbname"])
        refuse(db, "connect", database__user="nobody_there", expect=["config: ", "database.user"])
        refuse(db, "connect", database__port=1, expect=["retry: ", "Connection refused"])
        refuse(db, "connect", database__user="source_weak", expect=["config: ", "\"source_weak\" REPLICATION"])
        refuse(db, "snapshot", database__user="source_replicator",
               expect=["config: ", "permission denied for table", "hint: The role needs USAGE"])
        refuse(db, "snapshot", database__user="source_reader", table__include__list="public.hidden",
               expect=["config: ", "row-level security", "BYPASSRLS"])
        refuse(db, "check", database__user="source_reader",
               expect=["fix   row security hides rows of table public.hidden"])
        refuse(db, "check", database__user="source_weak",
               expect=["ALTER ROLE \"source_weak\" REPLICATION", "GRANT SELECT ON public.nums TO \"source_weak\""])
        output = succeed(db, "check")
        assert "ok    the plugin loads and decodes" in output, output
        assert "note  table \"public.nokey\" has no key: under REPLICA IDENTITY FULL" in output, output
        db.psql("select pg_create_logical_replication_slot('source_taken', 'pgoutput')")
        refuse(db, "check", slot__name="source_taken", expect=["fix   slot \"source_taken\" belongs to the plugin"])
    finally:
        db.psql("drop owned by source_weak, source_replicator, source_reader;"
                "drop role source_weak, source_replicator, source_reader")


def test_source_server_settings(t):
    cluster = t.new_cluster(allow_plugin=False, max_replication_slots=2).start()
    db = t.database(cluster)
    if cluster.knows("output_plugin_libraries"):
        hint = "SET output_plugin_libraries = pgoutput, test_decoding, cdc_decoder; SELECT pg_reload_conf();"
        refuse(db, "connect", expect=["config: ", "may not be used", hint])
        refuse(db, "check", expect=["fix   output_plugin_libraries does not allow cdc_decoder", hint])
        # one quoted name that allows nothing
        db.psql("alter system set output_plugin_libraries = 'pgoutput, cdc_decoder'")
        cluster.reload()
        wait_for(lambda: "\"" in db.psql("show output_plugin_libraries"), 10, "the setting")
        refuse(db, "check", expect=["SET output_plugin_libraries = pgoutput, cdc_decoder, cdc_decoder"])
        cluster.configure(output_plugin_libraries="pgoutput, cdc_decoder")
    cluster.set_hba("host all postgres 127.0.0.1/32 trust", "host replication postgres 127.0.0.1/32 trust",
                    "host all locked 127.0.0.1/32 scram-sha-256")
    cluster.restart()
    assert succeed(db, "connect") == "ok\n"
    db.psql("create role locked login password 'right'")
    refuse(db, "connect", database__user="locked", database__password="wrong",
           expect=["config: ", "password authentication failed", "database.password"])
    refuse(db, "connect", database__user="locked", database__password="",
           expect=["config: ", "no password supplied", "Set database.password."])
    db.psql("select pg_create_logical_replication_slot(s, 'pgoutput') from unnest('{s1,s2}'::text[]) s")
    refuse(db, "connect", expect=["config: ", "all replication slots are in use", "raise max_replication_slots"])
    refuse(db, "check", expect=["fix   all slots are taken"])
    db.drop_slots()
    cluster.configure(wal_level="replica")
    cluster.restart()
    refuse(db, "connect", expect=["config: ", "ALTER SYSTEM SET wal_level = logical"])
    refuse(db, "check", expect=["fix   wal_level is replica"])
    (cluster.plugins / "cdc_decoder.so").unlink()
    cluster.configure(wal_level="logical", dynamic_library_path="$libdir/none")
    cluster.stop()
    cluster.plugin_source = t.dir
    cluster.start()
    refuse(db, "connect", expect=["config: ", "could not access file", "pg_config --pkglibdir"])
