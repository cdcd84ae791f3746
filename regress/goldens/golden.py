"""One recorded case: its statements, its settings, and what Debezium made of them.

cases/<case>/, or <case>/ of the directory in the environment's CASES, holds ddl.sql (run before the connector
started), dml.sql (run while it streamed), config.properties (the connector's settings beside base.properties),
records.jsonl and records.schemas.jsonl (with schemas.enable) that it emitted, and sql.err when PostgreSQL refused
statements on purpose.  Any of them may be missing but one of the files of records.
"""

import collections
import json
import os
import pathlib
import re

from differential.messages import messages_last

HERE = pathlib.Path(__file__).resolve().parent
OWN = HERE / "cases"
CASES = pathlib.Path(os.environ.get("CASES") or OWN)

# Values that no two runs share: the columns, by case prefix and table.
_RANDOM_COLUMNS = {("defaults", "t_def_fn"): ("tsn", "cts", "d", "un", "rnd", "epoch")}

_MASKS = [
    (re.compile(r'("(?:ts_ms|ts_us|ts_ns|lsn|txId)":)-?\d+'), r'\1"#"'),
    (re.compile(r'"sequence":"\[(?:null|\\"\d+\\"),\\"\d+\\"\]"'), '"sequence":"#"'),
    (re.compile(r'"id":"\d+:\d+"'), '"id":"#tx"'),
    (re.compile(r"LogicalDecodingMessageId@[0-9a-f]+"), "LogicalDecodingMessageId@#"),
    (re.compile(r"\[Ljava\.lang\.[A-Za-z]+;@[0-9a-f]+"), "[Ljava#"),
]

# What is compared: texts as they are on the wire, run-dependent parts blotted out; headers are (name, value).
Record = collections.namedtuple("Record", "topic key value headers")


# Fields of the envelope that no two runs share, wherever a transformation puts them.
_RUN_FIELDS = ("ts_ms", "ts_us", "ts_ns", "lsn", "txId", "xmin", "sequence")

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def _unescaped(text):
    def character(found):
        escape = found.group(1)
        return chr(int(escape[1:], 16)) if len(escape) == 5 else _ESCAPES.get(escape, escape)
    plain = re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", character, text, flags=re.S)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16")


def read_properties(path):
    """The settings of a file, as java.util.Properties reads them, in UTF-8; none without the file."""
    settings = {}
    if not path.exists():
        return settings
    text = re.sub(r"\r\n?", "\n", path.read_text(encoding="utf-8"))
    # lines that an odd number of backslashes continues; comments and blank lines cannot be
    for line in re.findall(r"^[ \t\f]*(?![ \t\f#!])((?:[^\\\n]|\\[\s\S])+)", text, re.M):
        line = re.sub(r"\\\n[ \t\f]*|((?:\\[^\n])+)", lambda found: found.group(1) or "", line)
        name, value = re.match(r"((?:[^\\=: \t\f]|\\.)*)[ \t\f]*[=:]?[ \t\f]*(.*)", line, re.S).groups()
        settings[_unescaped(name)] = _unescaped(value)
    return settings


def written_property(text):
    """A name or value as read_properties() and Java read it back."""
    return re.sub(r"[\\=: \t\n\r\f#!]", lambda found: {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f"}.get(
        found.group(), "\\" + found.group()), text)


class Case:
    """A directory of cases/."""

    def __init__(self, path):
        self.path = path
        self.name = path.name
        self.database = "g_" + self.name[:50].lower().replace("-", "_")
        own = read_properties(path / "config.properties")
        # what the recorder was told is nothing that a connector is told
        self.settings = {name: value for name, value in own.items() if not name.startswith(("runner.", "dump."))}
        self.replace_null = own.get("dump.converter.replace.null.with.default")
        self.ddl = path / "ddl.sql"
        self.refuses_statements = (path / "sql.err").exists() or own.get("runner.allow.sql.errors") == "true"
        # records that come as often as the clock lets them: a topic's equal neighbours count as one
        self.paced = self.setting("heartbeat.interval.ms", "0") != "0"
        self.heartbeats = self.setting("topic.heartbeat.prefix", "__debezium-heartbeat") + "."
        self.schemas = [schemas for schemas in (False, True) if self._records(schemas).exists()]
        self._added = self._added_run_fields()

    def setting(self, name, default=""):
        return self.settings.get(name, default)

    def _added_run_fields(self):
        """The names that ExtractNewRecordState gives to what differs from run to run."""
        names = set()
        for option, value in self.settings.items():
            if re.fullmatch(r"transforms\..*\.add\.(fields|headers)", option):
                prefix = self.setting(option + ".prefix", "__")
                for item in value.split(","):
                    path, _, name = item.strip().partition(":")
                    parent, _, field = path.rpartition(".")
                    if field in _RUN_FIELDS or path in ("id", "transaction.id"):
                        names.add(prefix + (name or (parent + "_" if parent else "") + field))
        return sorted(names)

    @property
    def dml(self):
        """The statements, without the pauses that gave Debezium time."""
        path = self.path / "dml.sql"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return re.sub(r"select pg_sleep\([0-9.]+\);", "", text)

    def _records(self, schemas):
        return self.path / ("records.schemas.jsonl" if schemas else "records.jsonl")

    def expected(self, schemas):
        """What Debezium emitted."""
        with open(self._records(schemas), encoding="utf-8") as file:
            return [self.record(json.loads(line)) for line in file if line.strip()]

    def _mask(self, text, columns):
        if text is None:
            return None
        for pattern, replacement in _MASKS:
            text = pattern.sub(replacement, text)
        for name in self._added:
            text = re.sub(r'("%s":)(?:-?\d+|"(?:[^"\\]|\\.)*")(?=[,}])' % re.escape(name), r'\1"#"', text)
        for column in columns:
            text = re.sub(r'("%s":)(?:"[^"]*"|[-0-9.E]+)(?=[,}])' % column, r'\1"#"', text)
        return messages_last(text)

    def record(self, found):
        """A record, as format=record and the recorder print it, in the form that is compared."""
        table = found["topic"].rsplit(".", 1)[-1]
        columns = [c for (prefix, name), random in _RANDOM_COLUMNS.items()
                   if self.name.startswith(prefix) and name == table for c in random]
        hidden = ["__debezium.context.runId"] + self._added
        headers = [(h["k"], "#" if h["k"] in hidden and h["v"] is not None else self._mask(h["v"], columns))
                   for h in found["headers"]]
        return Record(found["topic"], self._mask(found["key"], columns), self._mask(found["value"], columns),
                      headers)


def base_settings():
    """The settings that all cases were recorded with."""
    return read_properties(HERE / "base.properties")


def all_cases(names=()):
    cases = [Case(path) for path in sorted({path.parent for path in CASES.glob("*/records*.jsonl")})]
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
