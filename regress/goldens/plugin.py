"""The leg of check.py that reads a case by SQL: the plugin's format=record."""

import json
import re

LEG = "plugin"

# Settings of the connector that have no meaning for a plugin.
_NOT_FOR_THE_PLUGIN = re.compile(
    r"(publication|replica\.identity|slot|snapshot|errors|heartbeat|topic\.heartbeat|database|offset|poll|max|tasks"
    r"|connector|topic\.creation|status\.update|xmin\.fetch|lsn\.flush|retriable|query|read\.only|min\.row|flush)\."
    r"|(name|plugin\.name)$")

# Settings by which the records are made elsewhere than in a plugin.
_WORKERS = ((re.compile(r"(transforms|predicates)(\.|$)"), "transformations are the worker's"),
            (re.compile(r"(key|value|header)\.converter(\.|$)"), "converters are the worker's"),
            (re.compile(r"signal\."), "signals are the worker's"),
            (re.compile(r"heartbeat\.action\.query$"), "the changes are those that the worker's heartbeats make"))

# What a salt or a table's name follows, which keep their dots.
_NAMED = re.compile(r"(column\.mask\.hash\.(?:v2\.)?[^.]+\.with\.salt\.|row\.filter\.)(.+)", re.S)

# What the worker makes, and a plugin cannot: the rows that were there before, and heartbeats.
_READ = re.compile(r'"op":"r"')


def reason(case):
    """Why a plugin alone cannot replay the case; None: it can."""
    if case.setting("publication.autocreate.mode") in ("disabled", "no_tables"):
        return "publications are the worker's"
    return next((why for option in case.settings for pattern, why in _WORKERS if pattern.match(option)), None)


def _option(name):
    """The plugin's name of a setting."""
    named = _NAMED.fullmatch(name)
    return named.group(1).replace(".", "_") + named.group(2) if named else name.replace(".", "_")


def _options(case, schemas):
    """The case's settings in the plugin's names."""
    options = {"format": "record", "topic_prefix": "g", "schemas_enable": "true" if schemas else "false"}
    for name, value in case.settings.items():
        if not _NOT_FOR_THE_PLUGIN.match(name):
            options[_option(name)] = value
    if case.replace_null:
        options["replace_null_with_default"] = case.replace_null
    return options


def expected(case, schemas):
    """What Debezium emitted, but for what it read from tables and its heartbeats, which are the worker's."""
    return [record for record in case.expected(schemas)
            if not _READ.search(record.value or "") and not record.topic.startswith(case.heartbeats)]


def records(database, slot, case, schemas):
    """The slot's records, without consuming them."""
    arguments = [text for pair in _options(case, schemas).items() for text in pair]
    with database.connect() as connection:
        rows = connection.execute(
            "select data from pg_logical_slot_peek_changes(%s, null, null, variadic %s::text[])",
            (slot, arguments)).fetchall()
    return [case.record(json.loads(row[0])) for row in rows]
