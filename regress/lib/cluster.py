"""A temporary PostgreSQL cluster with the plugin loadable from the build tree.

    cluster = Cluster()
    cluster.start()
    db = cluster.create_database("shop")
    db.psql("create table t (id int primary key)")

The server runs as an unprivileged user when we are root.  The plugin is copied beside the cluster, so
that nothing is installed and a build in the meantime changes nothing.
"""

import shutil
import subprocess

import psycopg

from lib.support import BUILD, as_user, at_end, free_port, pg_bindir, scratch, tail, undo_now, unprivileged, \
    wait_for

_PLUGIN = "cdc_decoder.so"

_DEFAULTS = {
    "wal_level": "logical",
    "max_wal_senders": 40,
    "max_replication_slots": 40,
    "max_connections": 100,
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "ISO",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    "fsync": "off",
    "full_page_writes": "off",
    "log_line_prefix": "%m [%p] %q%a ",
    "log_min_messages": "log",
    "autovacuum": "on",
}


class SqlError(Exception):
    """What psql printed to standard error."""


class Database:
    """One database of a cluster."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name

    def psql(self, sql, user="postgres", stop=True):
        """Runs a script, returns its output without headers; raises SqlError unless stop is false."""
        command = [str(self.cluster.bindir / "psql"), "-X", "-q", "-At", "-d", self.name, "-U", user,
                   "-h", "127.0.0.1", "-p", str(self.cluster.port), "-v", "ON_ERROR_STOP=%d" % stop]
        done = subprocess.run(command, input=sql, capture_output=True, text=True)
        if done.returncode != 0 and stop:
            raise SqlError(done.stderr.strip())
        return done.stdout.rstrip("\n")

    def psql_file(self, path):
        with open(path, encoding="utf-8") as file:
            return self.psql(file.read())

    def connect(self, autocommit=True, **options):
        """A psycopg connection."""
        return psycopg.connect(host="127.0.0.1", port=self.cluster.port, user="postgres", dbname=self.name,
                               autocommit=autocommit, **options)

    def lsn(self):
        """An LSN beyond everything committed so far.  It is that of a message outside transactions, which workers
        started by the tests send nowhere (message.prefix.exclude.list) but have to confirm; the end of the WAL
        may be another database's.  The transaction around it, which is empty otherwise, flushes it."""
        return self.psql("begin; select pg_logical_emit_message(false, 'test', '');"
                         " do $$ begin perform txid_current(); end $$; commit")

    def properties(self):
        """The worker's settings to reach this database."""
        return {
            "database.hostname": "127.0.0.1",
            "database.port": self.cluster.port,
            "database.user": "postgres",
            "database.password": "postgres",
            "database.dbname": self.name,
        }

    def slot_exists(self, slot):
        return self.psql("select 1 from pg_replication_slots where slot_name = '%s'" % slot) == "1"

    def wait_slot_active(self, slot, active=True, timeout=30):
        wait_for(lambda: self.psql("select active from pg_replication_slots where slot_name = '%s'" % slot)
                 == ("t" if active else "f"), timeout, "slot %s to be %sactive" % (slot, "" if active else "in"))

    def wait_confirmed(self, slot, lsn, timeout=60):
        """Waits until the worker has confirmed everything up to lsn."""
        query = "select confirmed_flush_lsn >= '%s' from pg_replication_slots where slot_name = '%s'"
        wait_for(lambda: self.psql(query % (lsn, slot)) == "t", timeout, "slot %s to confirm %s" % (slot, lsn))

    def drop_slots(self):
        """Ends the walsenders of this database's slots and drops the slots."""
        self.psql("select pg_terminate_backend(active_pid) from pg_replication_slots"
                  " where database = current_database() and active")
        self.psql("select pg_drop_replication_slot(slot_name) from pg_replication_slots"
                  " where database = current_database() and not active", stop=False)

    def drop(self):
        self.drop_slots()
        wait_for(lambda: self.psql("select count(*) from pg_replication_slots"
                                   " where database = current_database()") == "0" or self.drop_slots(),
                 10, "the slots of %s to be dropped" % self.name)
        self.cluster.postgres.psql("drop database if exists \"%s\" with (force)" % self.name)


class Cluster:
    """A server of its own; settings override the defaults above, allow_plugin=False leaves the plugin out
    of output_plugin_libraries."""

    def __init__(self, allow_plugin=True, encoding="UTF8", plugin_dir=None, **settings):
        self.bindir = pg_bindir()
        self.user = unprivileged()
        self.dir = scratch("pg")
        self.data = self.dir / "data"
        self.log = self.dir / "server.log"
        self.plugins = self.dir / "plugins"
        self.plugin_source = plugin_dir or BUILD / "decoder"
        self.port = None
        self.running = False
        self.settings = dict(_DEFAULTS, **settings)
        self.settings["unix_socket_directories"] = str(self.dir)
        self.settings["dynamic_library_path"] = "%s:$libdir" % self.plugins
        if allow_plugin and self.knows("output_plugin_libraries"):
            self.settings["output_plugin_libraries"] = "pgoutput, test_decoding, cdc_decoder"
        self._stop_at_end = at_end(self._abandon)
        if self.user is not None:
            shutil.chown(self.dir, self.user.pw_uid, self.user.pw_gid)
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", encoding, "--locale=C",
                  "--no-sync", "--no-instructions")

    def knows(self, setting):
        """Whether this server has a setting; asked without a running server."""
        known = subprocess.run(as_user([str(self.bindir / "postgres"), "--describe-config"], self.user),
                               capture_output=True, text=True, check=True, cwd="/").stdout
        return any(line.split("\t", 1)[0] == setting for line in known.splitlines())

    def _run(self, program, *arguments):
        command = as_user([str(self.bindir / program)] + [str(a) for a in arguments], self.user)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, cwd="/")
        if done.returncode != 0:
            raise RuntimeError("%s failed:\n%s%s" % (program, done.stdout, tail(self.log)))

    def _write_settings(self):
        lines = ["%s = '%s'\n" % (name, str(value).replace("'", "''"))
                 for name, value in self.settings.items() if value is not None]
        with open(self.data / "postgresql.auto.conf", "w", encoding="utf-8") as file:
            file.writelines(lines + ["port = %d\n" % self.port])

    def configure(self, **settings):
        """Changes settings; they take effect by reload() or restart(), None removes one."""
        self.settings.update(settings)
        if self.port:
            self._write_settings()

    def set_hba(self, *lines):
        """Replaces pg_hba.conf, for tests of authentication; reload() makes it take effect."""
        with open(self.data / "pg_hba.conf", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def copy_plugin(self):
        """Takes the plugin from the build tree (again)."""
        self.plugins.mkdir(exist_ok=True)
        if (self.plugin_source / _PLUGIN).exists():
            shutil.copy2(self.plugin_source / _PLUGIN, self.plugins / (_PLUGIN + ".new"))
            (self.plugins / (_PLUGIN + ".new")).replace(self.plugins / _PLUGIN)

    def start(self):
        """Starts the server; keeps its port over restarts."""
        self.copy_plugin()
        for attempt in range(5):
            self.port = self.port or free_port()
            self._write_settings()
            try:
                self._run("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", 60, "-s", "start")
                break
            except RuntimeError:
                if attempt == 4 or "Address already in use" not in tail(self.log):
                    raise
                self.port = None
        self.running = True
        return self

    def stop(self, mode="fast"):
        self.running = False
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", 60, "-s", "stop")

    def kill(self):
        """Stops without a checkpoint: the next start recovers."""
        self.stop("immediate")

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def reload(self):
        self._run("pg_ctl", "-D", self.data, "-s", "reload")

    def _abandon(self):
        if self.running:
            self.stop("immediate")

    def destroy(self):
        """Stops the server and removes its files now, not at the end."""
        undo_now(self._stop_at_end)
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def postgres(self):
        return Database(self, "postgres")

    def create_database(self, name, encoding=None, template=None):
        """A new database, in the cluster's encoding unless one is given; template: one to copy."""
        self.postgres.psql('create database "%s"' % name
                           + (" encoding '%s' template template0" % encoding if encoding else "")
                           + (' template "%s"' % template if template else ""))
        return Database(self, name)
