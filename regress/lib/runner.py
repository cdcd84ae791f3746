"""Runs the functions test_* of the files test_*.py and prints one line a test.

A test is a function of one argument, through which it gets what it needs, or of none:

    def test_insert(t):
        db = t.database()                       # in a cluster shared by all tests of the run
        worker = t.worker(db, outputs="silver")
        worker.run_until(db.lsn())

What it asks for is destroyed when it ends.  A test fails by any exception.  A function may set
`test_x.timeout = seconds` (default 600), and `test_x.seconds`, about what it takes, for the long ones to begin first.
JOBS=n of them run at a time (one more than there are processors: they wait a lot), each in a process that has servers of its own.

Tests lie in regress/integration/ and regress/faults/.  make check-faults runs the latter, and of the former those
that set `test_x.fault = True`; make check-integration runs the former, and of the latter those that set
`test_x.quick = True`, which is for a few seconds each.  What takes long is `test_x.slow = True`, and is left to
make check-faults alone, unless it is named.  make check-limits runs those of regress/limits/.
make check-sanitizers runs both, but for those that say why they cannot: `test_x.unsanitized = "it limits memory"`.
"""

import importlib.util
import inspect
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import re
import signal
import sys
import time
import traceback

from lib import sanitizers
from lib.broker import Broker
from lib.cluster import Cluster
from lib.lake import Lake
from lib.support import PATIENCE, TOP, at_end, begin_anew, scratch, tail, undo_all
from lib.worker import Worker

_DEFAULT_TIMEOUT = 600


class _Shared:
    """A server that tests use together, started by the first that asks; a test may have stopped it."""

    def __init__(self):
        self._cluster = None
        self._broker = None

    @property
    def cluster(self):
        if self._cluster is None:
            self._cluster = Cluster()
        if not self._cluster.running:
            self._cluster.start()
        return self._cluster

    @property
    def broker(self):
        if self._broker is None:
            self._broker = Broker()
        if self._broker.process is None or self._broker.process.poll() is not None:
            self._broker.start()
        return self._broker


class TestContext:
    """What one test has; name is unique and fit for a database, a slot and a topic prefix."""

    def __init__(self, name, shared):
        self.name = name
        self._shared = shared
        self._databases = []
        self._workers = []
        self._servers = []
        self._dir = None

    @property
    def dir(self):
        """A scratch directory of this test."""
        if self._dir is None:
            self._dir = scratch("test")
        return self._dir

    @property
    def broker(self):
        """The shared broker; use prefix() for topics of your own."""
        return self._shared.broker

    def new_broker(self, **options):
        """A broker of this test alone, not yet started, to stop or wipe."""
        self._servers.append(Broker(**options))
        return self._servers[-1]

    def new_cluster(self, **options):
        """A cluster of this test alone, not yet started."""
        self._servers.append(Cluster(**options))
        return self._servers[-1]

    def attach(self, server):
        """A server of this test alone, destroyed with it: something with destroy() and a log."""
        self._servers.append(server)
        return server

    def database(self, cluster=None, name=None, encoding=None, template=None):
        """A new database, in the shared cluster unless one is given, and in its encoding; template: one to copy."""
        name = name or "%s_%d" % (self.name[:50], len(self._databases))
        db = (cluster or self._shared.cluster).create_database(name, encoding, template)
        self._databases.append(db)
        return db

    def worker(self, db, outputs="silver", broker=None, **config):
        """A worker on db, with slot, prefix, broker and warehouse of this test; nothing is started."""
        number = len(self._workers)
        settings = {
            "slot.name": "%s_%d" % (self.name[:50], number),
            "topic.prefix": self.prefix(number),
            "outputs": outputs,
            "lake.flush.interval.ms": 500,
        }
        if "kafka" in outputs:
            settings["kafka.bootstrap.servers"] = (broker or self.broker).bootstrap
        if "bronze" in outputs or "silver" in outputs:
            settings["lake.warehouse"] = "file://%s" % (self.dir / ("lake%d" % number))
        settings.update({key.replace("__", "."): value for key, value in config.items()})
        self._workers.append(Worker(db, **settings))
        return self._workers[-1]

    def prefix(self, number=0):
        return "%s_%d" % (self.name, number)

    @staticmethod
    def lake(worker):
        return Lake(worker.config["lake.warehouse"], worker.config.get("lake.namespace", "cdc"))

    def report(self):
        """The ends of the logs, for a test that failed."""
        for worker in self._workers:
            yield ("worker (slot %s), exit code %s" % (worker.config["slot.name"], worker.exit_code), worker.log_tail(25))
        for server in self._servers:
            yield type(server).__name__.lower(), tail(server.log, 15)

    def close(self):
        for worker in self._workers:
            worker.kill()
        for db in self._databases:
            if db.cluster.running and db.cluster not in self._servers:
                db.drop()
        for server in self._servers:
            server.destroy()


class _Expired(Exception):
    pass


def _expire(_number, _frame):
    raise _Expired("the test took too long")


def _load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _collect(directory, words):
    """(name, function), in the order of files and definitions; words select by part of the name."""
    for path in sorted(pathlib.Path(directory).glob("test_*.py")):
        file = path.stem.removeprefix("test_")
        for name, function in vars(_load(path)).items():
            full = "%s.%s" % (file, name.removeprefix("test_"))
            if name.startswith("test_") and callable(function) and function.__module__ == path.stem \
                    and (not words or any(word in full for word in words)):
                yield full, function


def _chosen(arguments, words):
    """The tests of make check-integration, or those of make check-faults: each takes some of the other's; or limits'."""
    if "--limits" in arguments:
        return list(_collect(TOP / "regress" / "limits", words))
    integration = _collect(TOP / "regress" / "integration", words)
    of_faults = _collect(TOP / "regress" / "faults", words)
    if "--sanitizers" in arguments:
        return list(_sanitized([*integration, *of_faults]))
    if "--faults" in arguments:
        return [*of_faults, *((name, function) for name, function in integration
                              if hasattr(function, "fault") or hasattr(function, "slow"))]
    return [*((name, function) for name, function in integration if words or not hasattr(function, "slow")),
            *((name, function) for name, function in of_faults if words or hasattr(function, "quick"))]


def _sanitized(tests):
    """Those that can run so; the others are named with their reasons."""
    for name, function in tests:
        if hasattr(function, "unsanitized"):
            print("# %s is not run: %s" % (name, function.unsanitized))
        else:
            yield name, function


def _comment(text):
    return "".join("#   %s\n" % line for line in text.rstrip("\n").splitlines())


def _run_one(name, function, shared):
    """Returns the text of the failure, or None."""
    reports = sanitizers.collect()
    context = TestContext(re.sub(r"[^a-z0-9_]", "_", name.lower()), shared)
    signal.signal(signal.SIGALRM, _expire)
    failure = None
    try:
        signal.alarm(getattr(function, "timeout", _DEFAULT_TIMEOUT) * PATIENCE)
        function(*([context] if inspect.signature(function).parameters else []))
    except Exception:
        failure = _comment(traceback.format_exc())
    finally:
        signal.alarm(0)
    if failure:
        for what, log in context.report():
            failure += "#\n# %s\n%s" % (what, _comment(log))
    try:
        context.close()
    except Exception:
        failure = (failure or "") + "# cleaning up:\n" + _comment(traceback.format_exc())
    for report in reports():
        failure = (failure or "") + "# a sanitizer's report:\n" + _comment(report)
    return failure


def _run_next(chosen, taken, results):
    """In a process of its own, with servers of its own: runs the tests that no other has taken, tells each by a line."""
    begin_anew()
    shared = _Shared()
    while True:
        with taken.get_lock():
            number = taken.value
            taken.value += 1
        if number >= len(chosen):
            break
        started = time.monotonic()
        failure = _run_one(*chosen[number], shared)
        results.send((number, failure, time.monotonic() - started))
    results.close()


def _start(chosen, jobs):
    """Starts the processes; {connection: process}."""
    taken = multiprocessing.Value("i", 0)
    started = {}
    for _ in range(jobs):
        receiver, sender = multiprocessing.Pipe(duplex=False)
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            receiver.close()
            try:
                _run_next(chosen, taken, sender)
            except Exception:
                traceback.print_exc()
            undo_all()
            sys.stdout.flush()
            os._exit(0)  # the threads of what was imported have no other way to end
        sender.close()
        started[receiver] = pid
    at_end(lambda: _end(started.values()))
    return started


def _end(processes):
    """Those that have not ended yet undo what they did."""
    for pid in processes:
        os.kill(pid, signal.SIGTERM)
    for pid in processes:
        os.waitpid(pid, 0)


def _results(started):
    """What the processes tell, in the order in which tests end."""
    while started:
        for connection in multiprocessing.connection.wait(started):
            try:
                yield connection.recv()
            except EOFError:
                os.waitpid(started.pop(connection), 0)


def main(arguments):
    words = [a for a in arguments if not a.startswith("-")]
    chosen = _chosen(arguments, words)
    if "--list" in arguments:
        for name, _ in chosen:
            print(name)
        return 0
    # the longest first, so that none is waited for at the end
    chosen.sort(key=lambda test: -getattr(test[1], "seconds", 0))
    jobs = min(int(os.environ.get("JOBS", os.cpu_count() + 1)), len(chosen))
    passed = failed = 0
    left = dict(enumerate(name for name, _ in chosen))
    for number, failure, elapsed in _results(_start(chosen, jobs)):
        print("%s %d - %s (%.1f s)" % ("not ok" if failure else "ok", passed + failed + 1, left.pop(number), elapsed),
              flush=True)
        if failure:
            failed += 1
            print(failure, end="", flush=True)
        else:
            passed += 1
    for name in left.values():
        failed += 1
        print("not ok %d - %s (its process ended)" % (passed + failed, name), flush=True)
    if passed + failed == 0:
        print("no test matches", file=sys.stderr)
        failed = 1 if words else 0
    print("%d passed, %d failed" % (passed, failed), flush=True)
    return 1 if failed else 0
