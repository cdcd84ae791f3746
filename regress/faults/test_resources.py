"""Limits of the system around the worker: disks, permissions, file descriptors, memory, threads, other writers."""

import os
import pathlib
import pwd
import re
import resource
import signal
import subprocess

import pyarrow

from lib.damage import files
from lib.support import as_user, at_end, scratch, undo_now, wait_for
from lib.truth import Judge

TABLE = "create table t (id int primary key, v text); create table other (id int primary key, v text)"


class Subject:
    """A worker that has streamed, and a judge of what it writes; under: a command to run it with."""

    def __init__(self, t, cluster=None, outputs="bronze,silver", **config):
        self.t = t
        self.db = t.database(cluster)
        self.db.psql(TABLE + "; insert into t select n, 'first' from generate_series(1, 1000) n")
        self.worker = t.worker(self.db, outputs=outputs, **dict({"errors.max.retries": 1}, **config))
        self.turn = 0

    def begin(self, under=()):
        self.worker.start(under=under)
        self.worker.wait_log("streaming from slot", 60)
        self.judge = Judge(self.t, self.db, self.worker, tables=["t", "other"])
        return self

    def write(self, rows=200):
        self.turn += 1
        self.db.psql("insert into t select %d * 100000 + n, md5(n::text) from generate_series(1, %d) n;"
                     " update t set v = 'turn %d' where id %% 7 = 1; insert into other values (%d, 'y')"
                     % (self.turn, rows, self.turn, self.turn))
        return self.db.lsn()

    def ended(self, code, *parts, timeout=60, since=0):
        """It has ended with the code, in a sentence that has all parts, and a hint."""
        got = self.worker.wait(timeout)
        log = self.worker.log_text()[since:]
        assert got == code, "exit code %s, not %s:\n%s" % (got, code, self.worker.log_tail())
        said = re.findall(r"^cdc-sink: error: (.*)$", log, re.M)
        assert len(said) == 1, log
        for part in parts:
            assert part in log, "no \"%s\" in:\n%s" % (part, log)

    def go_on(self, under=()):
        until = self.write()
        self.worker.start("--until-lsn", until, under=under)
        assert self.worker.wait(120) == 0, self.worker.log_tail()
        self.judge.look(until)


def root():
    if os.geteuid() == 0:
        return True
    print("this takes root; it runs in CI")
    return False


class Disk:
    """A file system of its own."""

    def __init__(self, megabytes, mode="0777"):
        self.dir = scratch("disk")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm,mode=%s" % (megabytes, mode), "tmpfs", str(self.dir)],
                       check=True)
        self.unmount = at_end(lambda: subprocess.run(["umount", "-l", str(self.dir)], check=True))

    def remount(self, options):
        subprocess.run(["mount", "-o", "remount," + options, str(self.dir)], check=True)


def test_warehouse_becomes_read_only(t):
    """At a cut, and at the start."""
    if not root():
        return
    disk = Disk(200)
    subject = Subject(t, **{"lake.warehouse": "file://%s/lake" % disk.dir}).begin()
    disk.remount("ro")
    subject.write()
    subject.ended(2, "Read-only file system", "hint: Mount the file system for writing")
    since = len(subject.worker.log_text())
    subject.worker.start()
    subject.ended(2, "Read-only file system", "hint: Mount the file system for writing", since=since)
    disk.remount("rw")
    subject.go_on()
    undo_now(disk.unmount)


def test_warehouse_disk_fills_and_is_made_larger_while_the_worker_runs(t):
    """Without a limit of retries the worker waits, and goes on by itself."""
    if not root():
        return
    disk = Disk(6)
    subject = Subject(t, **{"lake.warehouse": "file://%s/lake" % disk.dir, "errors.max.retries": -1,
                            "errors.retry.delay.max.ms": 300}).begin()
    worker = subject.worker
    subject.db.psql("insert into t select n, md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text)"
                    " from generate_series(10000000, 10150000) n")
    worker.wait_log("No space left on device.*trying again", 60)
    assert "Make room on the file system" in worker.log_text()
    disk.remount("size=400m")
    until = subject.write()
    subject.db.wait_confirmed(worker.config["slot.name"], until, 60)
    assert worker.stop() == 0, worker.log_tail()
    subject.judge.look(until)
    left = [path for path in pathlib.Path(disk.dir).rglob("*.tmp*")]
    assert not left, left
    undo_now(disk.unmount)


def worker_user():
    return pwd.getpwnam("nobody")


def test_permissions(t):
    """The worker as another user, to whom single files and directories are closed one after the other."""
    if not root():
        return
    user = worker_user()
    under = as_user(["env"], user)
    warehouse = t.dir / "closed"
    warehouse.mkdir()
    os.chown(warehouse, user.pw_uid, user.pw_gid)
    subject = Subject(t, **{"lake.warehouse": "file://%s" % warehouse}).begin(under)
    subject.write()
    worker = subject.worker
    lake = t.lake(worker)
    subject.db.wait_confirmed(worker.config["slot.name"], subject.write())
    assert worker.stop() == 0, worker.log_tail()
    found = files(lake, "silver_t")
    closed = [found["metadata"], found["manifest list"], found["data manifest"], found["data file"], found["delete file"],
              files(lake, "cdc_checkpoints")["metadata"], os.path.dirname(found["metadata"]), str(lake.dir)]
    for path in closed:
        mode = os.stat(path).st_mode
        os.chmod(path, 0)
        since = len(worker.log_text())
        worker.start(under=under)
        subject.ended(2, "Permission denied", path, "hint: Let the user", since=since)
        os.chmod(path, mode)
    for path in (found["metadata"], found["data file"]):
        directory = os.path.dirname(path)
        os.chmod(directory, 0o555)
        since = len(worker.log_text())
        worker.start(under=under)
        subject.write()
        subject.ended(2, "Permission denied", directory, "hint: Let the user", since=since)
        os.chmod(directory, 0o755)
    subject.go_on(under)


def limited(**limits):
    return ["prlimit"] + ["--%s=%s" % item for item in limits.items()]


def test_too_few_file_descriptors_to_start(t):
    subject = Subject(t, outputs="kafka,bronze,silver").begin()
    worker = subject.worker
    assert worker.stop() == 0, worker.log_tail()
    for limit in (10, 30, 63):
        since = len(worker.log_text())
        worker.start(under=limited(nofile=limit))
        subject.ended(1, "the limit of open files is %d" % limit, "hint: Raise the limit of open files", since=since)
    subject.go_on(under=limited(nofile=64))


def test_file_descriptors_run_out(t):
    """The limit is lowered under what a running worker has: the next file or socket cannot be opened."""
    subject = Subject(t, outputs="kafka,bronze,silver").begin()
    worker = subject.worker
    for _ in range(3):
        subprocess.run(["prlimit", "--pid", str(worker.process.pid), "--nofile=4"], check=True)
        since = len(worker.log_text())
        subject.write()
        subject.ended(1, "out of open files", "Too many open files", "hint: Raise the limit of open files", since=since)
        since = len(worker.log_text())
        worker.start()
        worker.wait_log("streaming from slot", 60, since=since)
    assert worker.stop() == 0, worker.log_tail()
    subject.go_on()


def test_limit_of_threads(t):
    """A user who may have few threads: a sentence and exit code 1, or all is right."""
    if not root():
        return
    warehouse = t.dir / "theirs"
    warehouse.mkdir(mode=0o777)
    os.chmod(warehouse, 0o777)
    subject = Subject(t, outputs="kafka,bronze,silver", **{"lake.warehouse": "file://%s" % warehouse})
    user = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]
    subject.begin(user)
    worker = subject.worker
    assert worker.stop() == 0, worker.log_tail()
    outcome = {0: 0, 1: 0}
    for limit in range(1, 24):
        until = subject.write(20)
        since = len(worker.log_text())
        worker.start("--until-lsn", until, under=limited(nproc=limit) + user)
        code = worker.wait(90)
        said = worker.log_text()[since:]
        assert code in (0, 1), "with %d threads: exit code %s\n%s" % (limit, code, said)
        outcome[code] += 1
        if code == 1:
            assert "hint: Raise the limits of processes" in said, "with %d threads:\n%s" % (limit, said)
    print(outcome)
    assert outcome[0] and outcome[1], outcome
    subject.go_on(user)


def test_memory_limit(t):
    """From too little to start up to enough: a sentence and exit code 1, or all is right."""
    subject = Subject(t, outputs="kafka,bronze,silver").begin()
    worker = subject.worker
    assert worker.stop() == 0, worker.log_tail()
    outcome = {0: 0, 1: 0, -signal.SIGABRT: 0}
    for megabytes in list(range(100, 500, 20)) + [600, 700, 800]:
        until = subject.write(20000)
        since = len(worker.log_text())
        worker.start("--until-lsn", until, under=limited(**{"as": megabytes << 20}))
        try:
            code = worker.wait(60)
        except Exception:
            raise AssertionError("with %d MB:\n%s" % (megabytes, worker.log_text()[since:])) from None
        said = worker.log_text()[since:]
        # librdkafka ends the process itself when it has no memory
        assert code in (0, 1, -signal.SIGABRT), "with %d MB: exit code %s\n%s" % (megabytes, code, said)
        outcome[code] += 1
        if code != 0:
            assert re.search("emory|could not start a thread|annot allocate|shared libraries|rdkafka.*Assert", said), \
                "with %d MB:\n%s" % (megabytes, said)
    print({code: count for code, count in outcome.items() if count})
    assert outcome[0] and outcome[1], outcome
    subject.go_on()
