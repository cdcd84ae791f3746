#!/usr/bin/env python3
"""valgrind-errors.py OBJECT FILE...: prints the errors in whose stack OBJECT is, and counts the others.

The files are memcheck's, in XML; that of a process which was killed has no end.  Exit status 1 if there was any.
"""

import pathlib
import re
import sys


def errors(text):
    return re.findall(r"<error>.*?</error>", text, re.S)


def field(text, name):
    found = re.search(r"<%s>(.*?)</%s>" % (name, name), text, re.S)
    return found.group(1) if found else "?"


def describe(error):
    """What memcheck says, and the stack."""
    what = field(error, "text" if "<xwhat>" in error else "what")
    lines = ["%s: %s" % (field(error, "kind"), what)]
    for frame in re.findall(r"<frame>.*?</frame>", error, re.S):
        lines.append("    %s (%s:%s)" % (field(frame, "fn"), field(frame, "file"), field(frame, "line")))
    return "\n".join(lines)


def main(name, files):
    ours = {}
    others = processes = 0
    for file in files:
        text = pathlib.Path(file).read_text(encoding="utf-8", errors="replace")
        processes += 1
        for error in errors(text):
            if field(error, "kind").startswith("Leak_"):  # with XML it looks for them all the same
                continue
            if "/%s</obj>" % name in error:
                ours.setdefault(describe(error), file)
            else:
                others += 1
    for text, file in ours.items():
        print("# %s\n%s" % (file, text))
    print("# %d processes; %d errors with %s in the stack, %d in the server's own code"
          % (processes, len(ours), name, others))
    return 1 if ours or not processes else 0


sys.exit(main(sys.argv[1], sys.argv[2:]))
