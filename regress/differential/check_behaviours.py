"""check_behaviours.py: whether every test that behaviours.txt names exists, and every behaviour has one."""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
REGRESS = HERE.parent
LATER = {21}  # snapshots on demand


def _function(path, pattern):
    return path.exists() and re.search(pattern, path.read_text(encoding="utf-8"), re.M) is not None


def _exists(kind, name):
    if kind == "case":
        return (REGRESS / "goldens" / "cases" / name).is_dir()
    if kind == "sql":
        return (REGRESS / "sql" / (name + ".sql")).exists()
    if kind == "spec":
        return (REGRESS / "specs" / (name + ".spec")).exists()
    file, _, function = name.partition(".")
    if kind == "unit":
        return _function(REGRESS / "unit" / (file + ".c"), r"^%s\(void \*\*state\)" % re.escape(function))
    if kind == "integration":
        return _function(REGRESS / "integration" / (file + ".py"), r"^def %s\(" % re.escape(function))
    return False


def main():
    faults = []
    seen = set()
    for line in (HERE / "behaviours.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        number, tests = int(line.split(":", 1)[0]), line.rsplit(" : ", 1)[1].split()
        seen.add(number)
        faults += ["behaviour %d names %s, which does not exist" % (number, test)
                   for test in tests if not _exists(*test.partition(":")[::2])]
    faults += ["behaviour %d has no test" % number for number in range(1, 26) if number not in seen | LATER]
    for fault in faults:
        print(fault)
    print("%d behaviours, %d faults" % (len(seen), len(faults)))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
