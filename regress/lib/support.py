"""What every other module here stands on: where things are, scratch directories, ports, waiting, and
cleaning up whatever happens.

Everything that must be undone registers with at_end(); it is undone in reverse order when the process
ends, also by SIGTERM, SIGINT or SIGHUP.  Nothing waits blindly: wait_for() polls a condition.
"""

import atexit
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = (TOP / os.environ.get("BUILD", "build")).resolve()
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "cdc-decoder"

# set by make check-sanitizers: where the worker to test was built, and with what; all takes longer then
WORKER_BUILD = (TOP / os.environ.get("WORKER_BUILD", BUILD)).resolve()
SANITIZE = os.environ.get("SANITIZE", "")
PATIENCE = 4 if SANITIZE else 1

_undo = []
_undo_lock = threading.RLock()


class Timeout(Exception):
    """wait_for() gave up."""


def at_end(action):
    """Has action() called when the process ends; returns a token for undo_now()."""
    with _undo_lock:
        _undo.append(action)
    return action


def undo_now(action):
    """Does now, once, what was registered with at_end()."""
    with _undo_lock:
        if action not in _undo:
            return
        _undo.remove(action)
    action()


def undo_all():
    """Undoes what is registered; called when the process ends."""
    while True:
        with _undo_lock:
            if not _undo:
                return
            action = _undo.pop()
        try:
            action()
        except Exception as error:  # the others must still be undone
            print("cleaning up: %s" % error, file=sys.stderr)


def begin_anew():
    """For a forked process: what was registered before is the parent's to undo."""
    with _undo_lock:
        _undo.clear()


def _signalled(number, _frame):
    sys.exit(128 + number)


atexit.register(undo_all)
if threading.current_thread() is threading.main_thread():
    for _number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(_number, _signalled)


def scratch(name):
    """A new empty directory which anybody may enter, removed at the end unless KEEP is set."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="cdc-%s-" % name))
    path.chmod(0o755)
    if not os.environ.get("KEEP"):
        at_end(lambda: shutil.rmtree(path, ignore_errors=True))
    return path


def free_port():
    """A port nobody listens on, below the range from which the kernel serves outgoing connections."""
    for _ in range(200):
        port = random.randint(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


def wait_for(condition, timeout=30, what="condition", interval=0.05):
    """Polls until condition() is true and returns its value; Timeout names what was waited for."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Timeout("waited %s s for %s" % (timeout, what() if callable(what) else what))
        time.sleep(interval)


def unprivileged():
    """The user to run a server as when we are root, else None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("a PostgreSQL server cannot run as root and there is no other user")


def as_user(command, user):
    """The command line that runs command as user (None: as we are)."""
    if user is None:
        return list(command)
    return ["setpriv", "--reuid=%d" % user.pw_uid, "--regid=%d" % user.pw_gid, "--clear-groups"] + list(command)


def pg_bindir():
    config = os.environ.get("PG_CONFIG") or "pg_config"
    return pathlib.Path(subprocess.check_output([config, "--bindir"], text=True).strip())


def tail(path, lines=30):
    """The last lines of a file, or nothing."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-lines:])
    except OSError:
        return ""
