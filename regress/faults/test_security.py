"""Who the worker is, and what it may: at the broker and at the server (the table of faults in README)."""

import shutil

import psycopg

from lib.pulse import Pulse
from lib.secured import PASSWORD, USER, SecuredBroker, certificates

LOGIN = "Check kafka.security.protocol, kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.password"


def secured(t):
    return t.attach(SecuredBroker()).start()


def goes_on(t, pulse, worker, broker=None, stream=True):
    if stream:
        pulse.stream(worker)
    pulse.beat().settle(worker)
    assert worker.stop() == 0, worker.log_tail()
    pulse.judge(t, worker, broker)


def test_broker_wants_credentials(t):
    pulse, broker = Pulse(t.database()), secured(t)
    broker.grant_all(t.prefix())
    worker = pulse.worker(t, outputs="kafka", broker=broker, **{"errors.max.retries": 0})
    worker.config["kafka.bootstrap.servers"] = broker.login()["kafka.bootstrap.servers"]
    worker.start().ends(1, "no answer from Kafka", "verify that security.protocol is correctly configured",
                        "kafka.security.protocol")
    for mechanism in ("PLAIN", "SCRAM-SHA-256"):
        worker.config.update(broker.login(mechanism, "wrong"))
        worker.start().ends(2, "could not log in: Kafka at ", "Authentication failed", LOGIN)
    worker.config.update(broker.login())
    goes_on(t, pulse, worker, broker)


def test_broker_with_another_authority(t):
    pulse, broker = Pulse(t.database()), secured(t)
    worker = pulse.worker(t, outputs="kafka", broker=broker)
    other, _ = certificates(t.dir / "other", "other")
    worker.config.update(broker.tls(other))
    worker.start().ends(2, "could not trust a broker", "certificate verify failed", "kafka.ssl.ca.location")
    worker.config.update(broker.tls(t.dir / "absent.pem"))
    worker.start().ends(2, "the \"kafka.*\" settings are refused: ssl.ca.location failed")
    worker.config.update(broker.tls(broker.authority))
    goes_on(t, pulse, worker, broker)


def test_broker_refuses_at_the_start(t):
    """Each right is missing in its turn, and given."""
    pulse, broker = Pulse(t.database()), secured(t)
    pulse.db.psql("create table written (id int primary key); insert into written values (1)")
    prefix = t.prefix()
    worker = pulse.worker(t, outputs="kafka", broker=broker, **{"kafka.positions.topic": "positions", **broker.login()})
    topics, ids = "Grant the worker Describe, Create, Write and DescribeConfigs on its topics", "transactional ids"
    for kind, name, rights, *parts in (
            ("TOPIC", "positions", ("DESCRIBE", "DESCRIBE_CONFIGS"), "topic \"positions\"", topics),
            ("TOPIC", "positions", ("CREATE",), "topic \"positions\"", topics),
            ("TRANSACTIONAL_ID", prefix, ("DESCRIBE", "WRITE"), "Transactional Id authorization failed", ids),
            ("TOPIC", "positions", ("WRITE",), "Topic authorization failed", topics),
            ("TOPIC", prefix, ("DESCRIBE", "DESCRIBE_CONFIGS"), "topic \"%s.public." % prefix, topics),
            ("TOPIC", "positions", ("READ",), "could not read the stored position", "Read on the positions topic"),
            ("TOPIC", prefix, ("CREATE",), "topic \"%s.public." % prefix, topics),
            ("TOPIC", prefix, ("WRITE",), "Topic authorization failed", topics)):
        worker.start().ends(2, *parts)
        broker.grant(kind, name, *rights)
    goes_on(t, pulse, worker, broker)


def test_broker_revokes_rights_while_running(t):
    pulse, broker = Pulse(t.database()), secured(t)
    prefix = t.prefix()
    broker.grant_all(prefix)
    worker = pulse.worker(t, outputs="kafka", broker=broker, **broker.login())
    worker.config["kafka.positions.topic"] = prefix + "_positions"
    for kind, name, part in (
            ("TOPIC", prefix + ".public", "on its topics"),
            ("TOPIC", prefix + "_positions", "on its topics"),
            ("TRANSACTIONAL_ID", prefix, "transactional ids")):
        pulse.stream(worker)
        pulse.beat().settle(worker)
        broker.deny(kind, name, "WRITE")
        pulse.beat()
        worker.ends(2, "could not commit a transaction", "authorization failed", part)
        broker.deny(kind, name, "WRITE", lift=True)
    goes_on(t, pulse, worker, broker)


def role(cluster, options="replication superuser"):
    cluster.postgres.psql("create role %s login %s password '%s'" % (USER, options, PASSWORD))
    return {"database.user": USER, "database.password": PASSWORD}


HBA = ["local all all trust", "host all postgres 127.0.0.1/32 trust"]


def test_server_refuses_the_role(t):
    """At the start, and when it must connect again."""
    cluster = t.new_cluster().start()
    settings = role(cluster)
    cluster.set_hba(*HBA, "host all all 127.0.0.1/32 scram-sha-256")
    cluster.reload()
    pulse = Pulse(t.database(cluster))
    worker = pulse.worker(t, **settings)
    worker.config["database.password"] = "wrong"
    worker.start().ends(2, "password authentication failed for user \"cdc\"", "database.password")
    worker.config["database.password"] = None
    worker.start().ends(2, "no password supplied", "Set database.password")
    worker.config["database.password"] = PASSWORD
    pulse.stream(worker)
    pulse.beat().settle(worker)
    cluster.set_hba(*HBA)
    cluster.reload()
    pulse.beat().settle(worker)
    pulse.db.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cdc-sink'")
    refused = (2, "no pg_hba.conf entry for host", "pg_hba.conf, which must let \"cdc\" into")
    worker.ends(*refused)
    worker.start().ends(*refused)
    cluster.set_hba(*HBA, "host all all 127.0.0.1/32 scram-sha-256")
    cluster.reload()
    goes_on(t, pulse, worker)


def test_server_with_another_authority(t):
    cluster = t.new_cluster(ssl="on", ssl_cert_file="server.pem", ssl_key_file="server.key")
    authority, server = certificates(t.dir / "ours", "ours")
    other, _ = certificates(t.dir / "other", "other")
    for source, name in ((server, "server.pem"), (server.with_suffix(".key"), "server.key")):
        shutil.copy(source, cluster.data / name)
        (cluster.data / name).chmod(0o600)
        if cluster.user is not None:
            shutil.chown(cluster.data / name, cluster.user.pw_uid, cluster.user.pw_gid)
    cluster.start()
    pulse = Pulse(t.database(cluster))
    worker = pulse.worker(t, **{"database.sslmode": "verify-full", "database.sslrootcert": other})
    worker.start().ends(2, "certificate verify failed", "database.sslrootcert")
    worker.config["database.sslrootcert"] = t.dir / "absent.pem"
    worker.start().ends(2, "absent.pem", "database.sslrootcert")
    worker.config["database.sslrootcert"] = authority
    pulse.stream(worker)
    pulse.beat().settle(worker)
    assert pulse.db.psql("select bool_and(ssl) from pg_stat_ssl natural join pg_stat_activity"
                         " where application_name = 'cdc-sink'") == "t"
    goes_on(t, pulse, worker, stream=False)
    # and one that has none
    cluster.configure(ssl="off")
    cluster.restart()
    worker.start().ends(2, "server does not support SSL", "database.sslmode")


def test_server_has_no_walsender_left(t):
    cluster = t.new_cluster(max_wal_senders=2).start()
    pulse = Pulse(t.database(cluster))
    worker = pulse.worker(t)
    others = [psycopg.connect("host=127.0.0.1 port=%d user=postgres dbname=%s replication=database"
                              % (cluster.port, pulse.db.name)) for _ in range(2)]
    worker.start()
    worker.wait_log("number of requested standby connections exceeds max_wal_senders.*trying again", 60)
    worker.wait_log("raise max_wal_senders", 60)
    for other in others:
        other.close()
    worker.wait_log("streaming from slot", 60)
    goes_on(t, pulse, worker, stream=False)


def test_server_has_no_slot_left(t):
    cluster = t.new_cluster(max_replication_slots=1).start()
    pulse = Pulse(t.database(cluster))
    worker = pulse.worker(t)
    pulse.db.psql("select pg_create_physical_replication_slot('other')")
    worker.start().ends(2, "all replication slots are in use", "raise max_replication_slots")
    pulse.db.psql("select pg_drop_replication_slot('other')")
    goes_on(t, pulse, worker)


def test_server_does_not_decode(t):
    """wal_level is too low; the plugin is not listed."""
    cluster = t.new_cluster(wal_level="replica", allow_plugin=False).start()
    pulse = Pulse(t.database(cluster))
    worker = pulse.worker(t)
    worker.start().ends(2, "wal_level", "ALTER SYSTEM SET wal_level = logical; then restart the server")
    cluster.configure(wal_level="logical")
    cluster.restart()
    if cluster.knows("output_plugin_libraries"):
        worker.start().ends(2, "ALTER SYSTEM SET output_plugin_libraries = ", "cdc_decoder")
        cluster.configure(output_plugin_libraries="pgoutput, cdc_decoder")
        cluster.reload()
    pulse.stream(worker)
    pulse.beat().settle(worker)
    if cluster.knows("output_plugin_libraries"):
        cluster.configure(output_plugin_libraries="pgoutput")
        cluster.reload()
        pulse.db.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cdc-sink'")
        worker.ends(2, "ALTER SYSTEM SET output_plugin_libraries = ", "cdc_decoder")
        cluster.configure(output_plugin_libraries="pgoutput, cdc_decoder")
        cluster.reload()
        pulse.stream(worker)
    goes_on(t, pulse, worker, stream=False)


def test_role_may_not_read_a_table(t):
    """Only reading tables needs SELECT, the stream does not."""
    cluster = t.new_cluster().start()
    settings = role(cluster, "replication")
    pulse = Pulse(t.database(cluster))
    pulse.db.psql("grant select on t to cdc")
    worker = pulse.worker(t, **settings)
    worker.start().ends(2, "permission denied for table u", "SELECT")
    pulse.db.psql("grant select on u to cdc")
    pulse.stream(worker)
    pulse.beat().settle(worker)
    pulse.db.psql("revoke select on u from cdc")
    goes_on(t, pulse, worker, stream=False)
    goes_on(t, pulse, worker)
