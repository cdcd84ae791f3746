"""What sanitizers find in the worker that make check-sanitizers has built with them.

Each process writes what it finds to a file of its own, at once, so that also one that is killed then, or is expected
to fail, has told.  The runner fails a test in which there was anything.
"""

import os

from lib.support import SANITIZE, TOP, scratch

_FILES = TOP / "regress" / "sanitizers"

_OPTIONS = {
    # a small quarantine: two workers, a broker and a database share the machine
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:quarantine_size_mb=64",
    "LSAN_OPTIONS": "print_suppressions=0:suppressions=%s" % (_FILES / "lsan.supp"),
    "UBSAN_OPTIONS": "print_stacktrace=1",
    # all that a process finds, not only the first
    "TSAN_OPTIONS": "halt_on_error=0:second_deadlock_stack=1:suppressions=%s" % (_FILES / "tsan.supp"),
}

# with which neither the worker nor a signal ends it
_EXIT_CODE = 86


def collect():
    """Has the processes that are started from now on report to a directory of their own; returns a function that
    gives the reports so far."""
    if not SANITIZE:
        return lambda: ()
    directory = scratch("reports")
    directory.chmod(0o777)  # some of them run as another user
    for name, options in _OPTIONS.items():
        os.environ[name] = "%s:exitcode=%d:log_path=%s" % (options, _EXIT_CODE, directory / "report")
    return lambda: [file.read_text(encoding="utf-8", errors="replace") for file in sorted(directory.iterdir())]
