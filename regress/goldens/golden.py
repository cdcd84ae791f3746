"""One recorded case: its statements, its settings, and what Debezium made of them.

cases/<case>/, or <case>/ of the directory in the environment's CASES, holds ddl.sql (run before the connector
started), dml.sql (run while it streamed), config.properties (the connector's settings beside base.properties),
records.jsonl and records.schemas.jsonl (with schemas.enable) that it emitted, and sql.err when PostgreSQL refused
statements on purpose.
"""

import collections
import json
import os
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
CASES = pathlib.Path(os.environ.get("CASES") or HERE / "cases")

# Values that no two runs share: the columns, by case prefix and table.
_RANDOM_COLUMNS = {("defaults", "t_def_fn"): ("tsn", "cts", "d", "un", "rnd", "epoch")}

# Cases whose records come as often as the clock lets them: a topic's equal neighbours count as one.
_PACED = ("heartbeat", "heartbeat_action")

_MASKS = [
    (re.compile(r'("(?:ts_ms|ts_us|ts_ns|lsn|txId|__lsn|__source_ts_ms|__ts_ms)":)-?\d+'), r'\1"#"'),
    (re.compile(r'"sequence":"\[(?:null|\\"\d+\\"),\\"\d+\\"\]"'), '"sequence":"#"'),
    (re.compile(r'"id":"\d+:\d+"'), '"id":"#tx"'),
    (re.compile(r"LogicalDecodingMessageId@[0-9a-f]+"), "LogicalDecodingMessageId@#"),
    (re.compile(r"\[Ljava\.lang\.[A-Za-z]+;@[0-9a-f]+"), "[Ljava#"),
]

# What is compared: texts as they are on the wire, run-dependent parts blotted out; headers are (name, value).
Record = collections.namedtuple("Record", "topic key value headers")


def read_properties(path):
    """The settings of a .properties file, whose backslashes escape the next character."""
    settings = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.strip().partition("=")
        if separator and not name.startswith("#"):
            settings[name.strip()] = re.sub(r"\\(.)", r"\1", value.strip())
    return settings


class Case:
    """A directory of cases/."""

    def __init__(self, path):
        self.path = path
        self.name = path.name
        self.database = "g_" + self.name[:50].lower()
        own = read_properties(path / "config.properties")
        # what the recorder was told is nothing that a connector is told
        self.settings = {name: value for name, value in own.items() if not name.startswith(("runner.", "dump."))}
        self.replace_null = own.get("dump.converter.replace.null.with.default")
        self.ddl = path / "ddl.sql"
        self.refuses_statements = (path / "sql.err").exists()
        self.paced = self.name in _PACED

    def setting(self, name, default=""):
        return self.settings.get(name, default)

    @property
    def dml(self):
        """The statements, without the pauses that gave Debezium time."""
        text = (self.path / "dml.sql").read_text(encoding="utf-8")
        return re.sub(r"select pg_sleep\([0-9.]+\);", "", text)

    def expected(self, schemas):
        """What Debezium emitted."""
        name = "records.schemas.jsonl" if schemas else "records.jsonl"
        with open(self.path / name, encoding="utf-8") as file:
            return [self.record(json.loads(line)) for line in file]

    def _mask(self, text, columns):
        if text is None:
            return None
        for pattern, replacement in _MASKS:
            text = pattern.sub(replacement, text)
        for column in columns:
            text = re.sub(r'("%s":)(?:"[^"]*"|[-0-9.E]+)(?=[,}])' % column, r'\1"#"', text)
        return text

    def record(self, found):
        """A record, as format=record and the recorder print it, in the form that is compared."""
        table = found["topic"].rsplit(".", 1)[-1]
        columns = [c for (prefix, name), random in _RANDOM_COLUMNS.items()
                   if self.name.startswith(prefix) and name == table for c in random]
        headers = [(h["k"], "#" if h["k"] == "__debezium.context.runId" else self._mask(h["v"], columns))
                   for h in found["headers"]]
        return Record(found["topic"], self._mask(found["key"], columns), self._mask(found["value"], columns),
                      headers)


def base_settings():
    """The settings that all cases were recorded with."""
    return read_properties(HERE / "base.properties")


def all_cases(names=()):
    cases = [Case(path.parent) for path in sorted(CASES.glob("*/ddl.sql"))]
    return [case for case in cases if not names or case.name in names]


def uncovered():
    """{(case, leg): reason}, from uncovered.txt."""
    found = {}
    for line in (HERE / "uncovered.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            place, reason = line.split(": ", 1)
            case, leg = place.split()
            found[case, leg] = reason
    return found


def by_topic(records):
    """The records of each topic in order; between topics Kafka has none."""
    topics = collections.defaultdict(list)
    for record in records:
        topics[record.topic].append(record)
    return topics


def without_repeats(records):
    """The records without those that equal the one before them."""
    return [record for i, record in enumerate(records) if i == 0 or record != records[i - 1]]
