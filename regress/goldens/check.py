"""check.py [CASE...]: replays the cases through the plugin's format=record and compares with Debezium.

cases/ holds what Debezium 3.6.1 emitted (records.jsonl, and with schemas.enable records.schemas.jsonl), the
statements that it saw (ddl.sql before, dml.sql after the slot was made) and its settings (config.properties).
Each case runs in a database g_<case>; topic, key, value and headers must be equal byte for byte, except

  * what differs from run to run (times, LSNs, transaction and run ids), which is masked;
  * the columns of RANDOM_COLUMNS, whose values are random or the time of day;
  * the fields that ../differential/deliberate.txt names (see deliberate.py there).

uncovered.txt lists the cases that are not replayed, and why.
"""

import json
import pathlib
import re
import sys

from differential.deliberate import Context, Rules, column_types
from lib.cluster import Cluster
from lib.support import BUILD

HERE = pathlib.Path(__file__).resolve().parent
SLOT = "golden"

# Settings of the connector that have no meaning for a plugin.
NOT_FOR_THE_PLUGIN = re.compile(r"(runner|publication|replica\.identity|slot|snapshot|errors)\.")
RENAMED = {"dump.converter.replace.null.with.default": "replace.null.with.default"}

# Values that no two runs share: the columns, by case prefix and table.
RANDOM_COLUMNS = {("defaults", "t_def_fn"): ("tsn", "cts", "d", "un", "rnd", "epoch")}

MASKS = [
    (re.compile(r'("(?:ts_ms|ts_us|ts_ns|lsn|txId)":)-?\d+'), r'\1"#"'),
    (re.compile(r'"sequence":"\[(?:null|\\"\d+\\"),\\"\d+\\"\]"'), '"sequence":"#"'),
    (re.compile(r"\[Ljava\.lang\.[A-Za-z]+;@[0-9a-f]+"), "[Ljava#"),
]


def read_properties(path):
    """The settings of a .properties file."""
    settings = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.strip().partition("=")
        if separator and not name.startswith("#"):
            settings[name.strip()] = value.strip()
    return settings


def plugin_options(case, schemas):
    """The plugin's options for a case."""
    options = {"format": "record", "topic_prefix": "g", "schemas_enable": "true" if schemas else "false"}
    for name, value in read_properties(case / "config.properties").items():
        if not NOT_FOR_THE_PLUGIN.match(name):
            options[RENAMED.get(name, name).replace(".", "_")] = value
    return options


def mask(text, columns):
    """Blot out what differs from run to run."""
    if text is None:
        return None
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    for column in columns:
        text = re.sub(r'("%s":)(?:"[^"]*"|[-0-9.E]+)(?=[,}])' % column, r'\1"#"', text)
    return text


def comparable(case, line):
    """A record as the tuple of what is compared."""
    record = json.loads(line)
    table = record["topic"].rsplit(".", 1)[-1]
    columns = [c for (prefix, name), found in RANDOM_COLUMNS.items()
               if case.name.startswith(prefix) and name == table for c in found]
    headers = [(h["k"], "#" if h["k"] == "__debezium.context.runId" else mask(h["v"], columns))
               for h in record["headers"]]
    return (record["topic"], mask(record["key"], columns), mask(record["value"], columns), headers)


def expected_records(case, schemas):
    """What Debezium emitted, but for its logical messages, which the plugin's formats leave to the worker."""
    name = "records.schemas.jsonl" if schemas else "records.jsonl"
    with open(case / name, encoding="utf-8") as file:
        return [comparable(case, line) for line in file if json.loads(line)["topic"] != "g.message"]


def compare(rules, context, golden, ours):
    """The differences between two lists of records that no rule excuses."""
    found = []
    for theirs, mine in zip(golden, ours):
        found += ["a record of %s: %s" % (theirs[0], d) for d in rules.unexpected(context, theirs, mine)]
    if len(golden) != len(ours):
        found.append("debezium has %d records, we have %d" % (len(golden), len(ours)))
    return found


def peek(database, options):
    """The slot's records under options, without consuming them."""
    arguments = [text for pair in options.items() for text in pair]
    with database.connect() as connection:
        rows = connection.execute(
            "select data from pg_logical_slot_peek_changes(%s, null, null, variadic %s::text[])",
            (SLOT + "_" + database.name[2:][:50], arguments)).fetchall()
    return [row[0] for row in rows]


def prepare(cluster, case):
    """Run a case's statements; its changes are then in the slot."""
    allow_errors = (case / "sql.err").exists()
    database = cluster.create_database("g_" + case.name)
    settings = read_properties(case / "config.properties")
    if settings.get("publication.autocreate.mode", "all_tables") == "all_tables":
        database.psql("create publication dbz_pub for all tables")
    database.psql_file(case / "ddl.sql")
    identity = settings.get("replica.identity.autoset.values", "")
    for table, value in (item.split(":") for item in identity.split(",") if item):
        database.psql("alter table %s replica identity %s" % (table, value))
    database.psql("select pg_create_logical_replication_slot('%s_%s', 'cdc_decoder')"
                  % (SLOT, case.name[:50]))
    dml = (case / "dml.sql").read_text(encoding="utf-8")
    database.psql(re.sub(r"select pg_sleep\([0-9.]+\);", "", dml), stop=not allow_errors)
    return database


def run(cluster, rules, case):
    """Compare a case, without and with schemas; returns the differences."""
    database = prepare(cluster, case)
    found = []
    try:
        with database.connect() as connection:
            types = column_types(connection, "g")
        context = Context(case.name, "plugin", read_properties(case / "config.properties"), types)
        for schemas in (False, True):
            ours = [comparable(case, line) for line in peek(database, plugin_options(case, schemas))]
            found += compare(rules, context, expected_records(case, schemas), ours)
    finally:
        database.drop()
    return found


def main(names):
    cases = sorted(path.parent for path in (HERE / "cases").glob("*/ddl.sql"))
    cases = [case for case in cases if not names or case.name in names]
    rules = Rules()
    failed = 0
    cluster = Cluster(wal_sender_timeout=0)
    cluster.start()
    for case in cases:
        try:
            found = run(cluster, rules, case)
        except Exception as error:  # a case that cannot run is a failure of that case
            found = ["%s: %s" % (type(error).__name__, str(error).strip())]
        failed += bool(found)
        print("%-42s %s" % (case.name, "FAILED" if found else "ok"), flush=True)
        for difference in found[:3]:
            print("  " + difference)
        if len(found) > 3:
            print("  ... and %d more" % (len(found) - 3))
    if not names:
        for line in (HERE / "uncovered.txt").read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                print("not yet covered: %s" % line)
        for rule in rules.unused(BUILD / "deliberate", "goldens"):
            print("deliberate.txt:%d matched nothing: %s" % (rule.number, rule.line))
    print("%d passed, %d failed" % (len(cases) - failed, failed))
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
