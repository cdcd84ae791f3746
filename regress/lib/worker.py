"""The worker as a process: started from the build tree, killed, waited for, measured.

    worker = Worker(db, outputs="kafka,silver", **{"lake.warehouse": "file:///dir"})
    worker.run_until(db.lsn())
"""

import os
import re
import signal
import subprocess
import threading
import time

from lib.support import PATIENCE, SANITIZE, WORKER_BUILD, Timeout, at_end, scratch, wait_for

BINARY = WORKER_BUILD / "cdc-sink"


class Worker:
    """One configuration file and the processes that were started with it; config stays changeable
    between starts."""

    def __init__(self, database=None, binary=BINARY, name="sink", **config):
        self.binary = binary
        self.dir = scratch(name)
        self.config = dict(database.properties() if database else {})
        if database:
            self.config["message.prefix.exclude.list"] = "test"  # the messages of Database.lsn()
        self.config.update(config)
        self.file = self.dir / "cdc-sink.properties"
        self.log = self.dir / "cdc-sink.log"
        self.process = None
        self.exit_code = None
        self.begun = 0  # of its log, where that of the last start begins
        self.rss_peak = 0  # bytes, over all processes
        self.cpu_seconds = 0.0
        self._ended = threading.Event()
        at_end(self.kill)

    @staticmethod
    def _environment():
        return {name: value for name, value in os.environ.items()
                if not name.startswith(("CDC_SINK_", "PG"))}

    def write_config(self):
        # by rename: a worker that has just been started may be reading it
        whole = self.file.with_suffix(".new")
        whole.write_text("".join("%s=%s\n" % item for item in self.config.items() if item[1] is not None),
                         encoding="utf-8")
        whole.replace(self.file)
        return self.file

    def command(self, *arguments, timeout=120):
        """Runs another subcommand (check, verify, status ...) to its end: (exit code, output, messages)."""
        self.write_config()
        done = subprocess.run([str(self.binary), arguments[0], "-c", str(self.file), *arguments[1:]],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout * PATIENCE,
                              env=self._environment())
        return done.returncode, done.stdout, done.stderr

    def start(self, *arguments, subcommand="run", under=()):
        """Starts it; output is appended to self.log.  under: a command to run it with (prlimit ...)."""
        assert self.process is None, "already running"
        self.write_config()
        self.begun = len(self.log_text())
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*under, str(self.binary), subcommand, "-c", str(self.file), *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self._environment(),
                start_new_session=True)
        self.exit_code = None
        self._ended.clear()
        threading.Thread(target=self._attend, args=(self.process.pid,), daemon=True).start()
        threading.Thread(target=self._watch_memory, args=(self.process.pid,), daemon=True).start()
        return self

    def _attend(self, pid):
        """Reaps the process; its own usage, not that of all children, tells the CPU time."""
        _, status, usage = os.wait4(pid, 0)
        self.exit_code = os.waitstatus_to_exitcode(status)
        self.process.returncode = self.exit_code
        self.cpu_seconds += usage.ru_utime + usage.ru_stime
        self._ended.set()

    def _watch_memory(self, pid):
        """VmHWM, because ru_maxrss counts what the parent held before exec."""
        while not self._ended.wait(0.05):
            try:
                with open("/proc/%d/status" % pid, encoding="ascii") as file:
                    found = re.search(r"VmHWM:\s*(\d+) kB", file.read())
            except OSError:
                return
            if found:
                self.rss_peak = max(self.rss_peak, int(found.group(1)) * 1024)

    def used_at_most(self, bytes_):
        """Its memory stayed below; one built with sanitizers, which have much of their own, is not asked."""
        assert SANITIZE or self.rss_peak < bytes_, (self.rss_peak, bytes_)

    @property
    def running(self):
        return self.process is not None and not self._ended.is_set()

    def wait(self, timeout=120):
        """Waits for the end and returns the exit code (negative: the signal's number)."""
        if not self._ended.wait(timeout * PATIENCE):
            raise Timeout("waited %s s for the worker to end" % timeout)
        self.process = None
        return self.exit_code

    def ends(self, code, *parts, timeout=60):
        """It ends by itself with this exit code, and its error and hint say these parts."""
        found = self.wait(timeout)
        assert found == code, "exit code %s, not %s:\n%s" % (found, code, self.log_tail())
        words = self.log_text().rpartition("cdc-sink: error: ")[2]
        for part in parts:
            assert part in words, "no \"%s\" in:\n%s" % (part, words)

    def signal(self, number):
        if self.running:
            os.kill(self.process.pid, number)

    def stop(self, timeout=60):
        """SIGTERM: it drains, then ends."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        """SIGKILL, at whatever it is doing."""
        if self.process is not None:
            self.signal(signal.SIGKILL)
            self.wait(30)

    def run_until(self, lsn, timeout=300, expect=0):
        """Runs until everything up to lsn is durable in every output."""
        self.start("--until-lsn", lsn)
        code = self.wait(timeout)
        if code != expect:
            raise AssertionError("exit code %s, not %s:\n%s" % (code, expect, self.log_tail()))
        return code

    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def log_tail(self, lines=30):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def wait_log(self, pattern, timeout=30, since=0):
        """Waits until a line of the log (from character since on) matches; the worker must stay alive."""
        def look():
            found = re.search(pattern, self.log_text()[since:])
            if not found and not self.running:
                raise AssertionError("the worker ended with %s before it logged \"%s\":\n%s"
                                     % (self.exit_code, pattern, self.log_tail()))
            return found
        return wait_for(look, timeout, lambda: "\"%s\" in the log:\n%s" % (pattern, self.log_tail()))

    def run_for(self, seconds):
        """Lets it run for a while, for tests that kill at random moments; false if it ended by itself."""
        started = time.monotonic()
        while self.running and time.monotonic() - started < seconds:
            self._ended.wait(seconds - (time.monotonic() - started))
        return self.running
