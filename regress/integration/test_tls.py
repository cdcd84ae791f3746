"""TLS to PostgreSQL, with a client certificate whose key has a passphrase."""

import shutil
import subprocess


def certificates(t):
    """A certificate of the server and one of the role cdc; both are their own authority."""
    made = {}
    for name, subject, protection in (("server", "localhost", ["-nodes"]), ("client", "cdc", ["-passout", "pass:open sesame"])):
        made[name] = (t.dir / (name + ".crt"), t.dir / (name + ".key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=" + subject,
                        "-addext", "subjectAltName=IP:127.0.0.1", "-out", made[name][0], "-keyout", made[name][1]] + protection,
                       check=True, capture_output=True)
        made[name][1].chmod(0o600)
    return made


def tls_cluster(t, made):
    cluster = t.new_cluster(ssl="on", ssl_cert_file="server.crt", ssl_key_file="server.key", ssl_ca_file="client.crt")
    for source, name in ((made["server"][0], "server.crt"), (made["server"][1], "server.key"), (made["client"][0], "client.crt")):
        shutil.copy2(source, cluster.data / name)
        if cluster.user is not None:
            shutil.chown(cluster.data / name, cluster.user.pw_uid, cluster.user.pw_gid)
    cluster.set_hba("host all postgres 127.0.0.1/32 trust", "hostssl all cdc 127.0.0.1/32 cert",
                    "hostssl replication cdc 127.0.0.1/32 cert")
    return cluster.start()


def test_client_key_with_a_passphrase(t):
    made = certificates(t)
    cluster = tls_cluster(t, made)
    db = cluster.postgres
    db.psql("create role cdc login replication; create table t (id int primary key); insert into t values (1);"
            "grant select on t to cdc")
    worker = t.worker(db, outputs="silver", **{
        "database.user": "cdc", "database.sslmode": "verify-full", "database.sslrootcert": made["server"][0],
        "database.sslcert": made["client"][0], "database.sslkey": made["client"][1],
        "database.sslpassword": "open sesame", "errors.max.retries": 0})
    worker.run_until(db.lsn())
    assert t.lake(worker).count("silver_t") == 1
    worker.config["database.sslpassword"] = "mellon"
    code, output, errors = worker.command("run", timeout=60)
    assert code != 0 and "client.key" in errors and "mellon" not in output + errors, (code, errors)
    code, output, errors = worker.command("config")
    assert "mellon" not in output + errors and "database.sslpassword" in output, output + errors
