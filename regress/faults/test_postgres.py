"""What happens to PostgreSQL, to the slot and to the role (the table of faults in README)."""

import re
import shutil

from lib.consumer import read_all
from lib.pulse import Pulse
from lib.support import BUILD, wait_for

SHIM = BUILD / "faults" / "shim.so"

AFRESH = "Start afresh with another slot.name, topic.prefix and lake.namespace"


def streaming(t, db, **config):
    """A pulse whose first beat has arrived."""
    pulse = Pulse(db)
    worker = pulse.stream(pulse.worker(t, **config))
    pulse.beat().settle(worker)
    return pulse, worker


def goes_on(t, pulse, worker, **judge):
    pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    pulse.judge(t, worker, **judge)


def read_again(t, pulse, worker):
    """The remedy when changes are lost: snapshot.mode=when_needed, without bronze."""
    worker.config["snapshot.mode"] = "when_needed"
    pulse.stream(worker)
    pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    pulse.judge(t, worker, gap=True)


def read_again_behind(t, pulse, worker):
    """The same where the outputs hold commits that the server has not any more: silver follows the server."""
    worker.config["snapshot.mode"] = "when_needed"
    pulse.stream(worker)
    pulse.beat(2).settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    worker.config["snapshot.mode"] = "initial"
    pulse.beat()
    pulse.catch_up(worker)
    worker.config["outputs"] = "silver"
    pulse.judge(t, worker)


def drop_while_in_use(db, slot):
    """As an administrator would: end its walsender, and be quicker than the worker."""
    db.psql("do $$ begin for i in 1 .. 200 loop begin"
            "  perform pg_terminate_backend(active_pid, 1000) from pg_replication_slots where slot_name = '%s';"
            "  perform pg_drop_replication_slot('%s'); return;"
            " exception when object_in_use then null; end; end loop; raise 'the worker was quicker'; end $$"
            % (slot, slot))


def test_connection_terminated(t):
    pulse, worker = streaming(t, t.database())
    for _ in range(3):
        pulse.beat()
        pulse.db.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cdc-sink'")
        pulse.beat()
    goes_on(t, pulse, worker)
    assert "terminating connection due to administrator command" in worker.log_text()


def test_server_stopped_restarted_crashed(t):
    cluster = t.new_cluster(fsync="on").start()
    pulse, worker = streaming(t, t.database(cluster))
    for mode in ("fast", "immediate", "fast", "immediate"):
        pulse.beat()
        cluster.stop(mode)
        worker.wait_log("could not connect to PostgreSQL.*trying again", since=len(worker.log_text()))
        cluster.start()
        pulse.beat()
    goes_on(t, pulse, worker)


def test_slot_dropped_while_running(t):
    pulse, worker = streaming(t, t.database(), outputs="kafka,silver")
    drop_while_in_use(pulse.db, worker.config["slot.name"])
    worker.ends(2, "replication slot \"%s\" does not exist" % worker.config["slot.name"], "cannot be read any more",
                AFRESH, "snapshot.mode=when_needed")
    pulse.beat()
    read_again(t, pulse, worker)


def test_slot_dropped_while_stopped(t):
    pulse, worker = streaming(t, t.database())
    assert worker.stop() == 0, worker.log_tail()
    pulse.db.drop_slots()
    worker.start().ends(2, "replication slot \"%s\" does not exist" % worker.config["slot.name"], AFRESH)
    # made again by hand, it is beyond what is stored
    pulse.beat()
    pulse.db.psql("select pg_create_logical_replication_slot('%s', 'cdc_decoder')" % worker.config["slot.name"])
    worker.start().ends(2, "beyond the position", AFRESH)
    assert pulse.db.slot_exists(worker.config["slot.name"])
    worker.config["outputs"] = "kafka,silver"
    read_again(t, pulse, worker)


def advance(db, slot, lsn):
    return db.psql("select end_lsn from pg_replication_slot_advance('%s', '%s')" % (slot, lsn))


def test_slot_advanced_by_someone_else(t):
    pulse, worker = streaming(t, t.database())
    assert worker.stop() == 0, worker.log_tail()
    pulse.beat()
    advance(pulse.db, worker.config["slot.name"], pulse.db.lsn())
    pulse.beat()
    worker.start().ends(2, "replication slot \"%s\" is at " % worker.config["slot.name"], "beyond the position",
                        "Something else advanced the slot", AFRESH)
    worker.config["outputs"] = "kafka,silver"
    read_again(t, pulse, worker)


def stored_end(t, worker):
    """The end of the position that lies in Kafka."""
    identity = "%s/%s" % (worker.config["topic.prefix"], worker.config["slot.name"])
    found = [record.value for record in read_all(t.broker, "__cdc_sink_positions") if record.key == identity]
    return re.search(r" end=(\S+)", found[-1]).group(1)


def test_slot_advanced_to_what_is_stored(t):
    """Killed before it could confirm: the slot is behind the outputs, and anything up to them may be skipped."""
    pulse, worker = streaming(t, t.database(), outputs="kafka")
    slot = worker.config["slot.name"]
    worker.kill()
    pulse.beat()
    worker.start(under=["env", "LD_PRELOAD=%s" % SHIM, "FAULT_AT=after:kafka commit:1"])
    assert worker.wait() == -9
    stored = stored_end(t, worker)
    assert pulse.db.psql("select confirmed_flush_lsn < '%s' from pg_replication_slots where slot_name = '%s'"
                         % (stored, slot)) == "t"
    advance(pulse.db, slot, stored)
    pulse.stream(worker)
    goes_on(t, pulse, worker)


def fill_wal(db, megabytes=48):
    for _ in range(megabytes // 16):
        db.psql("select pg_logical_emit_message(false, 'test', ''); select pg_switch_wal(); checkpoint")


def wal_status(db, slot):
    return db.psql("select wal_status from pg_replication_slots where slot_name = '%s'" % slot)


def test_slot_lost_its_wal_while_stopped(t):
    cluster = t.new_cluster(max_slot_wal_keep_size="16MB").start()
    pulse, worker = streaming(t, t.database(cluster), outputs="kafka,silver")
    slot = worker.config["slot.name"]
    assert worker.stop() == 0, worker.log_tail()
    pulse.beat()
    wait_for(lambda: fill_wal(pulse.db) or wal_status(pulse.db, slot) == "lost", 60, "the slot to be lost")
    worker.start().ends(2, "replication slot \"%s\" has lost WAL that it needs (max_slot_wal_keep_size)" % slot,
                        AFRESH, "snapshot.mode=when_needed")
    read_again(t, pulse, worker)


def test_slot_lost_its_wal_while_running(t):
    """A stopped broker holds everything back until the server has waited long enough."""
    cluster = t.new_cluster(max_slot_wal_keep_size="16MB").start()
    pulse, worker = streaming(t, t.database(cluster), outputs="kafka,silver")
    slot = worker.config["slot.name"]
    t.broker.pause()
    try:
        pulse.beat()
        wait_for(lambda: fill_wal(pulse.db) or wal_status(pulse.db, slot) == "lost", 60, "the slot to be lost")
    finally:
        t.broker.resume()
    worker.ends(2, "replication slot \"%s\" has lost WAL that it needs (max_slot_wal_keep_size)" % slot)
    read_again(t, pulse, worker)


def copy_data(cluster, to):
    """A cold backup: the server must be stopped."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(cluster.data, to, copy_function=shutil.copy2)
    if cluster.user is not None:
        for path in [to, *to.rglob("*")]:
            shutil.chown(path, cluster.user.pw_uid, cluster.user.pw_gid)
    return to


def restore(cluster, backup):
    shutil.rmtree(cluster.data)
    shutil.move(backup, cluster.data)


def test_database_restored_from_a_backup(t):
    """The same system, but its WAL ends before what the outputs hold."""
    cluster = t.new_cluster().start()
    pulse, worker = streaming(t, t.database(cluster), outputs="kafka,silver")
    assert worker.stop() == 0, worker.log_tail()
    cluster.stop()
    backup = copy_data(cluster, cluster.dir / "backup")
    cluster.start()
    pulse.stream(worker)
    pulse.beat().settle(worker)
    cluster.stop()
    restore(cluster, backup)
    cluster.start()
    worker.ends(2, "is beyond the server's WAL, which ends at", "The database was restored to an earlier moment", AFRESH)
    read_again_behind(t, pulse, worker)


def test_database_restored_from_a_backup_and_written_on(t):
    """Its WAL ends beyond what the outputs hold: by LSNs alone everything fits."""
    cluster = t.new_cluster().start()
    pulse, worker = streaming(t, t.database(cluster), outputs="kafka,silver")
    slot = worker.config["slot.name"]
    assert worker.stop() == 0, worker.log_tail()
    cluster.stop()
    backup = copy_data(cluster, cluster.dir / "backup")
    cluster.start()
    pulse.stream(worker)
    pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    stored = stored_end(t, worker)
    cluster.stop()
    restore(cluster, backup)
    cluster.start()
    # a row below what is stored, then only what nobody captures
    pulse.db.psql("insert into t values (1000000, 1, 'written after it was restored');"
                  "select pg_switch_wal(); checkpoint; select pg_switch_wal(); checkpoint")
    assert pulse.db.psql("select pg_current_wal_lsn() > '%s'" % stored) == "t"
    refused = (2, "the last one in Kafka, is not at ", "in the server's WAL", "The database was restored to an earlier moment",
               AFRESH)
    confirmed = "select confirmed_flush_lsn from pg_replication_slots where slot_name = '%s'" % slot
    before = pulse.db.psql(confirmed)
    worker.start().ends(*refused)
    pulse.beat()
    worker.start().ends(*refused)
    assert pulse.db.psql(confirmed) == before
    read_again_behind(t, pulse, worker)


def test_another_system_at_the_same_address(t):
    cluster = t.new_cluster().start()
    pulse, worker = streaming(t, t.database(cluster))
    other = t.new_cluster().start()
    other.create_database(pulse.db.name)
    other.stop()
    cluster.stop()
    other.port = cluster.port
    other.start()
    worker.ends(2, "belongs to another PostgreSQL system", "Nothing was changed", "another slot.name")
    other.stop()
    cluster.start()
    pulse.stream(worker)
    goes_on(t, pulse, worker)


def make_standby(t, cluster):
    """A streaming standby that has everything."""
    standby = t.new_cluster()
    shutil.rmtree(standby.data)
    standby._run("pg_basebackup", "-D", standby.data, "-h", "127.0.0.1", "-p", cluster.port, "-U", "postgres", "-R",
                 "-X", "stream", "-c", "fast")
    standby.settings["primary_conninfo"] = "host=127.0.0.1 port=%d user=postgres" % cluster.port
    standby.start()
    return standby


def wait_replayed(cluster, standby):
    lsn = cluster.postgres.psql("select pg_current_wal_lsn()")
    wait_for(lambda: standby.postgres.psql("select pg_last_wal_replay_lsn() >= '%s'" % lsn) == "t", 60, "the standby")


def promote(standby):
    standby.postgres.psql("select pg_promote(true, 60)")


def move_to(pulse, worker, standby):
    pulse.db.cluster = standby
    worker.config["database.port"] = standby.port


def test_standby_promoted(t):
    """Everything was replicated, but not the slot: one made again may have a gap before it."""
    cluster = t.new_cluster().start()
    pulse, worker = streaming(t, t.database(cluster), outputs="kafka,silver")
    standby = make_standby(t, cluster)
    slot = worker.config["slot.name"]
    pulse.beat().settle(worker)
    wait_replayed(cluster, standby)
    assert worker.stop() == 0, worker.log_tail()
    cluster.kill()
    promote(standby)
    move_to(pulse, worker, standby)
    worker.start().ends(2, "replication slot \"%s\" does not exist" % slot, AFRESH)
    pulse.beat()
    standby_db = pulse.db
    standby_db.psql("select pg_create_logical_replication_slot('%s', 'cdc_decoder')" % slot)
    worker.start().ends(2, "beyond the position", AFRESH)
    read_again(t, pulse, worker)


def test_standby_promoted_with_the_slot(t):
    """The slot was kept on the standby, as PostgreSQL 17, Patroni and pg_failover_slots do: it goes on."""
    cluster = t.new_cluster().start()
    pulse, worker = streaming(t, t.database(cluster))
    standby = make_standby(t, cluster)
    slot = worker.config["slot.name"]
    cluster.postgres.psql("checkpoint")
    pulse.beat().settle(worker)
    wait_replayed(cluster, standby)
    worker.kill()
    cluster.stop("immediate")
    standby.stop()
    copy_slot(cluster, standby, slot)
    standby.start()
    promote(standby)
    move_to(pulse, worker, standby)
    pulse.beat()
    pulse.stream(worker)
    goes_on(t, pulse, worker)


def copy_slot(cluster, standby, slot):
    there = standby.data / "pg_replslot" / slot
    shutil.copytree(cluster.data / "pg_replslot" / slot, there)
    if cluster.user is not None:
        for path in (there, *there.iterdir()):
            shutil.chown(path, cluster.user.pw_uid, cluster.user.pw_gid)


def test_standby_promoted_that_had_not_everything(t):
    """Commits that were published already are gone from the new timeline."""
    cluster = t.new_cluster().start()
    pulse, worker = streaming(t, t.database(cluster), outputs="kafka,silver")
    standby = make_standby(t, cluster)
    wait_replayed(cluster, standby)
    cluster.postgres.psql("checkpoint")
    standby.stop()
    copy_slot(cluster, standby, worker.config["slot.name"])
    pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    cluster.stop("immediate")
    standby.settings["primary_conninfo"] = ""
    standby.start()
    promote(standby)
    move_to(pulse, worker, standby)
    standby.postgres.psql("create table filler (v text); insert into filler select repeat('x', 1000) from"
                          " generate_series(1, 10000)")
    worker.start().ends(2, "is beyond", "where the server left timeline 1",
                        "A failover lost commits that were already published", AFRESH)
    read_again_behind(t, pulse, worker)


def test_output_blocked_beyond_wal_sender_timeout(t):
    """Nothing is read while an output is blocked, and the server is answered all the same."""
    cluster = t.new_cluster(wal_sender_timeout="1500ms").start()
    pulse = Pulse(t.database(cluster))
    worker = pulse.worker(t, **{"status.update.interval.ms": 10000, "max.memory": "64MB"})
    pulse.stream(worker)
    pulse.beat().settle(worker)
    since = len(worker.log_text())
    t.broker.pause()
    try:
        pulse.db.psql("create table wide (id int primary key, v text);" + "".join(
            "insert into wide select %d + n, repeat('x', 2000) from generate_series(1, 1000) as n;" % start
            for start in range(0, 20000, 1000)))
        begun = pulse.db.psql("select now()")
        wait_for(lambda: pulse.db.psql("select now() > '%s'::timestamptz + interval '6 s'" % begun) == "t", 20, "6 s")
    finally:
        t.broker.resume()
    goes_on(t, pulse, worker)
    assert "trying again" not in worker.log_text()[since:], worker.log_tail()


def test_password_changed(t):
    cluster = t.new_cluster().start()
    cluster.postgres.psql("create role cdc login replication superuser password 'first'")
    cluster.set_hba("host all cdc 127.0.0.1/32 scram-sha-256", "host replication cdc 127.0.0.1/32 scram-sha-256",
                    "local all all trust", "host all all 127.0.0.1/32 trust")
    cluster.reload()
    pulse, worker = streaming(t, t.database(cluster), **{"database.user": "cdc", "database.password": "first"})
    pulse.db.psql("alter role cdc password 'second'")
    pulse.beat().settle(worker)
    pulse.db.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cdc-sink'")
    worker.ends(2, "password authentication failed for user \"cdc\"", "database.password")
    worker.config["database.password"] = "second"
    pulse.stream(worker)
    goes_on(t, pulse, worker)


def test_role_lost_replication(t):
    db = t.database()
    db.psql("create role faults_cdc login replication in role pg_read_all_data")
    try:
        pulse, worker = streaming(t, db, **{"database.user": "faults_cdc"})
        db.psql("alter role faults_cdc noreplication")
        pulse.beat().settle(worker)
        db.psql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'faults_cdc'")
        worker.ends(2, "ALTER ROLE \"faults_cdc\" REPLICATION")
        db.psql("alter role faults_cdc replication")
        pulse.stream(worker)
        goes_on(t, pulse, worker)
    finally:
        db.psql("drop owned by faults_cdc; drop role faults_cdc")


test_slot_advanced_by_someone_else.quick = True
