"""Limits of the system around the worker: disks, permissions, file descriptors, memory, threads, other writers."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

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
        self.db.psql("insert into t select %d * 1000000 + n, md5(n::text) from generate_series(1, %d) n;"
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


def fill_but(disk, room):
    """A file that leaves so many bytes free; returns its path."""
    path = disk.dir / "filler"
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk.dir).free - room)
    return path


def test_warehouse_disk_fills_in_mid_commit(t):
    """There is room for a part of what a commit writes, a little more each time: whatever it was, nothing that no
    snapshot has stays once there is room."""
    if not root():
        return
    disk = Disk(64)
    subject = Subject(t, **{"lake.warehouse": "file://%s/lake" % disk.dir, "errors.max.retries": -1,
                            "errors.retry.delay.max.ms": 300, "lake.flush.interval.ms": 50}).begin()
    worker, lake = subject.worker, t.lake(subject.worker)
    failed = set()
    for pages in range(0, 72, 2):
        filler = fill_but(disk, pages * 4096)
        since = len(worker.log_text())
        until = subject.write(20)
        wait_for(lambda start=since: re.search(r"file \".*\": No space left on device", worker.log_text()[start:])
                 or subject.db.psql("select confirmed_flush_lsn >= '%s' from pg_replication_slots where slot_name = '%s'"
                                    % (until, worker.config["slot.name"])) == "t", 60, "a failure, or a cut")
        failed.update(kind for kind in (".parquet", ".avro", ".tmp-")
                      if re.search(r"file \"[^\"]*%s[^\"]*\": No space" % re.escape(kind), worker.log_text()[since:]))
        filler.unlink()
        subject.db.wait_confirmed(worker.config["slot.name"], until, 60)
    assert failed == {".parquet", ".avro", ".tmp-"}, failed
    wait_for(lambda: not lake.orphans(), 60, lambda: "orphans to go: %s" % lake.orphans())
    assert worker.stop() == 0, worker.log_tail()
    subject.judge.look(subject.db.lsn())
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
    """From too little to start up to enough: a sentence and exit code 1, or all is right; with librdkafka, too, which aborts."""
    for outputs, limits in (("bronze,silver", [*range(110, 500, 40), 700, 1000]),
                            ("kafka,bronze,silver", [*range(210, 460, 25), 700, 1000])):
        subject = Subject(t, outputs=outputs).begin()
        worker = subject.worker
        assert worker.stop() == 0, worker.log_tail()
        outcome = {0: 0, 1: 0}
        for megabytes in limits:
            until = subject.write(20000)
            since = len(worker.log_text())
            worker.start("--until-lsn", until, under=limited(**{"as": megabytes << 20}))
            code = worker.wait(90)
            said = worker.log_text()[since:]
            assert code in (0, 1), "with %d MB: exit code %s\n%s" % (megabytes, code, said)
            outcome[code] += 1
            if code == 1:
                assert re.search("emory|could not start a thread|shared libraries", said), "with %d MB:\n%s" % (megabytes, said)
                assert "nothing stored is lost" in said, "with %d MB:\n%s" % (megabytes, said)
        print(outputs, outcome)
        assert outcome[0] and outcome[1], outcome
        subject.go_on()


def test_library_aborts(t):
    """As librdkafka does when it gets no memory: a sentence and exit code 1, and the next start goes on."""
    subject = Subject(t, outputs="kafka,bronze,silver").begin()
    subject.write()
    subject.worker.signal(signal.SIGABRT)
    subject.ended(1, "a library ended the process by abort(), most likely for want of memory",
                  "hint: Raise the memory limit or lower max.memory and start again; nothing stored is lost")
    subject.go_on()


def memory_cgroup():
    """A control group of our own with a limit of memory, or None."""
    root_of = pathlib.Path("/sys/fs/cgroup/memory")
    mine = [line.split(":", 2)[2].strip() for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()
            if line.split(":", 2)[1] == "memory"]
    group = root_of / mine[0].lstrip("/") / ("cdc-%d" % os.getpid()) if mine else None
    try:
        group.mkdir()
    except (OSError, AttributeError):
        return None
    at_end(lambda: group.exists() and group.rmdir())
    return group


def test_memory_limit_of_a_container(t):
    """The defaults fit into it.  With settings that do not, of which it warns, the kernel kills it (137 for a supervisor),
    as kill -9: with the defaults, or more memory, it goes on."""
    group = memory_cgroup() if os.geteuid() == 0 else None
    if group is None:
        print("this takes root and a memory controller; it runs in CI")
        return
    subject = Subject(t, outputs="kafka,bronze,silver").begin()
    worker = subject.worker
    assert worker.stop() == 0, worker.log_tail()
    (group / "memory.limit_in_bytes").write_text(str(128 << 20))
    enter = ["sh", "-c", "echo $$ >%s/tasks && exec \"$@\"" % group, "sh"]
    worker.config.update({"max.memory": "256MB", "lake.flush.bytes": "64MB"})
    subject.write(150000)
    worker.start(under=enter)
    code = worker.wait(120)
    assert code in (-9, 1), worker.log_tail()
    for name, value, fits in (("max.memory", "256MB", 32), ("lake.flush.bytes", "64MB", 8)):
        assert re.search("WARNING config: %s=%s in file .* is much for a memory limit of 128 MB.* set %dMB" % (name, value, fits),
                         worker.log_text()), worker.log_tail()
        del worker.config[name]
    subject.go_on(under=enter)
    assert "the memory limit is 128 MB; max.memory is 32MB, lake.flush.bytes is 8MB" in worker.log_text()
    (group / "memory.limit_in_bytes").write_text(str(1000 << 20))
    subject.go_on(under=enter)


def test_disk_full_on_the_server(t):
    """No room for WAL: the server ends in a PANIC and does not come up before there is room; the worker waits."""
    if not root():
        return
    disk = Disk(320)
    was, tempfile.tempdir = tempfile.tempdir, str(disk.dir)
    try:
        cluster = t.new_cluster(max_wal_size="64MB", min_wal_size="32MB", fsync="on", restart_after_crash="off").start()
    finally:
        tempfile.tempdir = was
    subject = Subject(t, cluster, outputs="kafka,bronze,silver", **{"errors.max.retries": -1})
    subject.begin()
    worker, db = subject.worker, subject.db
    db.wait_confirmed(worker.config["slot.name"], subject.write())
    filler = disk.dir / "filler"
    free = shutil.disk_usage(disk.dir).free
    filler.write_bytes(bytes(max(0, free - (40 << 20))))
    written = 0
    try:
        while written < 200:
            db.psql("insert into t select 900000000 + %d * 10000 + n, repeat('x', 100) from generate_series(1, 10000) n"
                    % written)
            written += 1
    except Exception as error:
        print("the server said: %s" % str(error).splitlines()[0])
    assert written < 200, "the disk never filled"
    worker.wait_log("trying again", 60)
    assert "PANIC" in cluster.log.read_text(errors="replace")
    cluster.running = False
    wait_for(lambda: not (cluster.data / "postmaster.pid").exists(), 30, "the server to end")
    filler.unlink()
    disk.remount("size=900m")
    cluster.start()
    until = subject.write()
    db.wait_confirmed(worker.config["slot.name"], until, 120)
    assert worker.stop() == 0, worker.log_tail()
    subject.judge.look(until)
    cluster.stop()
    undo_now(disk.unmount)


test_warehouse_becomes_read_only.quick = True
test_memory_limit.unsanitized = "sanitizers map terabytes, and nothing starts with a limit of memory"
test_memory_limit_of_a_container.unsanitized = "its limit is measured for the worker that is shipped, sanitizers need more"
test_file_descriptors_run_out.unsanitized = "sanitizers open files to look at the process and to report"
test_limit_of_threads.unsanitized = "sanitizers have threads of their own, and end the process when they cannot start one"
