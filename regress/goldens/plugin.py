"""The leg of check.py that reads a case by SQL: the plugin's format=record."""

import json
import re

LEG = "plugin"

# Settings of the connector that have no meaning for a plugin.
_NOT_FOR_THE_PLUGIN = re.compile(r"(publication|replica\.identity|slot|snapshot|errors|heartbeat|topic\.heartbeat)\.")

# What the worker makes, and a plugin cannot: the rows that were there before, and heartbeats.
_READ = re.compile(r'"op":"r"')
_HEARTBEAT = re.compile(r"__(debezium-heartbeat|hb)\.")


def _options(case, schemas):
    """The case's settings in the plugin's names; backslashes are doubled in a file of properties."""
    options = {"format": "record", "topic_prefix": "g", "schemas_enable": "true" if schemas else "false"}
    for name, value in case.settings.items():
        if not _NOT_FOR_THE_PLUGIN.match(name):
            options[name.replace(".", "_")] = value.replace("\\\\", "\\")
    if case.replace_null:
        options["replace_null_with_default"] = case.replace_null
    return options


def expected(case, schemas):
    """What Debezium emitted, but for what it read from tables and its heartbeats, which are the worker's."""
    return [record for record in case.expected(schemas)
            if not _READ.search(record.value or "") and not _HEARTBEAT.match(record.topic)]


def records(database, slot, case, schemas):
    """The slot's records, without consuming them."""
    arguments = [text for pair in _options(case, schemas).items() for text in pair]
    with database.connect() as connection:
        rows = connection.execute(
            "select data from pg_logical_slot_peek_changes(%s, null, null, variadic %s::text[])",
            (slot, arguments)).fetchall()
    return [case.record(json.loads(row[0])) for row in rows]
