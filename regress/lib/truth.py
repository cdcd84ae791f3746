"""The seeded workload, and what is the same in a consumer's record and in the one that the plugin prints."""

import json
import pathlib

WORKLOAD = pathlib.Path(__file__).resolve().with_name("workload.sql")

TABLES = ["w_plain", "w_composite", "w_toast", "w_full", "w_nokey_full", "w_uuid", "W odd.Näme\"q"]


def identity(record):
    """What is the same in the consumer's record and in the plugin's: everything but the clock and the run."""
    value = None if record["value"] is None else json.loads(record["value"])
    if value is not None:
        for name in ("ts_ms", "ts_us", "ts_ns"):
            value.pop(name, None)  # a logical message has only one of them
        value["source"].pop("sequence")
    return (record["key"], json.dumps(value, ensure_ascii=False))


def first_difference(expected, seen):
    for number, (left, right) in enumerate(zip(expected, seen)):
        if left != right:
            return "record %d:\n  expected %s\n  seen     %s" % (number, left, right)
    return "expected %d records, seen %d" % (len(expected), len(seen))
