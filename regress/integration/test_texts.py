"""Texts on their way: databases in other encodings, and every character that JSON, Avro or a lake could trip over."""

import json

from lib.consumer import read_all
from lib.registry import Decoder, Registry, read_messages

# A database's encoding: what its table, its columns, a type, a label and texts are called there.
ENCODINGS = {
    "LATIN1": ("tübingen", "schlüssel", "größe", "groß", "naïve ÿ"),
    "EUC_JP": ("東京", "鍵", "大きさ", "大", "日本語 ｱ 丂"),
    "SQL_ASCII": ("tübingen", "schlüssel", "größe", "groß", "naïve 東京 \U0001F600"),
}


def _encoded(t, encoding):
    """A database in that encoding, to be spoken to in UTF-8."""
    db = t.database(encoding=encoding)

    return db


def _fill(table, key, label, text, first):
    long = "repeat('%s', 30000)" % text[-1]
    return ("set client_encoding = 'UTF8';"
            "insert into \"%s\" (\"%s\", v, j, a, e) values (%d, '%s', '{\"%s\": \"%s\"}', array['%s', null, 'b'], '{%s}'),"
            " (%d, %s, null, null, null)"
            % (table, key, first, text, text, text, text, label, first + 1, long))


def _check_encoding(t, encoding):
    table, key, kind, label, text = ENCODINGS[encoding]
    db = t.database(encoding=encoding)
    db.psql("set client_encoding = 'UTF8'; create type \"%s\" as enum ('a', '%s');"
            "create table \"%s\" (\"%s\" int primary key, v text not null default '%s', j jsonb, a text[],"
            " d \"%s\" default '%s', e \"%s\"[]);" % (kind, label, table, key, text, kind, label, kind))
    db.psql(_fill(table, key, label, text, 1))
    db.psql("set client_encoding = 'UTF8'; alter table \"%s\" add column late text default '%s'" % (table, text))
    worker = t.worker(db, outputs="kafka,bronze,silver", **{
        "schemas.enable": "true", "table.include.list": "public\\\\.%s" % table,
        "column.propagate.source.type": ".*", "topic.prefix": "enc_%s" % encoding.lower()})
    worker.run_until(db.lsn())
    db.psql(_fill(table, key, label, text, 11))
    db.psql("set client_encoding = 'UTF8'; update \"%s\" set a = '{}' where \"%s\" = 2" % (table, key))
    worker.run_until(db.lsn())

    topic = [name for name in t.broker.topics() if name.startswith("enc_%s." % encoding.lower())]
    assert len(topic) == 1, topic
    records = {record.json_key["payload"][key]: record.json for record in read_all(t.broker, topic[0])}
    row = {"v": text, "j": "{\"%s\": \"%s\"}" % (text, text), "a": [text, None, "b"], "d": label, "e": [label], "late": text}
    long = {"v": text[-1] * 30000, "j": None, "a": None, "d": label, "e": None, "late": text}
    expected = {1: row, 2: dict(long, a=[]), 11: row, 12: long}
    for number, wanted in expected.items():
        assert records[number]["payload"]["after"] == {key: number, **wanted}, (encoding, number, records[number])
    assert records[1]["schema"] == records[12]["schema"], encoding
    schema = json.dumps(records[1]["schema"], ensure_ascii=False)
    assert "a,%s" % label in schema and '"default": "%s"' % text in schema, schema
    assert records[1]["payload"]["source"]["table"] == table, records[1]
    lake = t.lake(worker)
    silver = {entry[key]: entry for name in lake.tables() if name.startswith("silver_") for entry in lake.rows(name)}
    for number, wanted in expected.items():
        found = {name: silver[number][name] for name in wanted}
        assert found == wanted, (encoding, found, wanted)
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors


def test_latin1(t):
    _check_encoding(t, "LATIN1")


def test_euc_jp(t):
    _check_encoding(t, "EUC_JP")


def test_sql_ascii(t):
    _check_encoding(t, "SQL_ASCII")


INVALID = "convert_from('\\x6162ff63c3a9e2', 'SQL_ASCII')"
VALID = "ab\ufffdc\u00e9\ufffd"


def test_sql_ascii_invalid(t):
    """Bytes that are no UTF-8 become U+FFFD or are an error, by option, in a snapshot as in the stream; names that
    are none disturb only who captures them."""
    db = t.database(encoding="SQL_ASCII")
    db.psql("create table bytes (id int primary key, v text, a text[], j jsonb, r int4range);"
            "do $$ begin execute 'create table ' || quote_ident('t' || %s) || '(id int primary key)';"
            " execute 'create type bad as enum (' || quote_literal(%s) || ')';"
            " execute 'alter table bytes add column d text default ' || quote_literal(%s); end $$;"
            "alter table bytes add column e bad" % (INVALID, INVALID, INVALID))
    insert = "insert into bytes values (%%d, %s, array['x', null, %s], to_jsonb(%s), '[1,2)', %s, (enum_range(null::bad))[1])" \
        % ((INVALID,) * 4)
    db.psql(insert % 1 + "; alter table bytes add column late text default 'l'")
    worker = t.worker(db, outputs="kafka,silver", **{"table.include.list": "public.bytes"})
    strict = t.worker(db, outputs="kafka", **{"table.include.list": "public.bytes",
                                              "invalid.text.handling.mode": "fail", "snapshot.mode": "no_data"})
    strict.run_until(db.lsn())
    worker.run_until(db.lsn())
    assert "table \"public.bytes\": replaced " in worker.log_text(), worker.log_tail()
    db.psql(insert % 2)
    worker.run_until(db.lsn())
    wanted = {"v": VALID, "a": ["x", None, VALID], "j": json.dumps(VALID, ensure_ascii=False), "r": "[1,2)", "d": VALID,
              "e": VALID, "late": "l"}
    records = read_all(t.broker, t.prefix(0) + ".public.bytes")
    assert [record.payload["after"] for record in records] == [{"id": number, **wanted} for number in (1, 2)], records
    silver = {row["id"]: row for row in t.lake(worker).rows("silver_bytes")}
    for number in (1, 2):
        assert {name: silver[number][name] for name in wanted} == wanted, silver[number]
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors

    strict.run_until(db.lsn(), expect=2)
    assert "text has bytes that have no UTF-8 form" in strict.log_text(), strict.log_tail()
    again = t.worker(db, outputs="kafka", **{"table.include.list": "public.bytes",
                                             "invalid.text.handling.mode": "fail"})
    again.run_until(db.lsn(), expect=2)
    assert "of table \"public.bytes\" have bytes that are not UTF-8" in again.log_text(), again.log_tail()
    assert "invalid.text.handling.mode" in again.log_text(), again.log_tail()
    named = t.worker(db, outputs="kafka", **{"table.include.list": "public.t.*"})
    named.run_until(db.lsn(), expect=2)
    assert "has bytes that are not UTF-8" in named.log_text(), named.log_tail()


# ---- Every character ----

CHARACTERS = [chr(code) for code in (*range(0x01, 0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xD7FF, 0xE000, 0xFEFF,
                                     0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1F600, 0xFFFFF, 0x10FFFF)]
CHARACTERS += list("\"\\/'`$%<>&{}[]") + ["e\u0301", "\u202eabc", "\U0001F468\u200d\U0001F469", "\\u0041", "\\n", "</script>"]
TEXT = "".join(CHARACTERS)
# Debezium understands a default up to a quote or the end of a line, and does not undo E'\\\\'.
DEFAULT = "".join(char for char in CHARACTERS if not set(char) & set("'\\\n\r\x85\u2028\u2029"))
SCHEMA, TABLE, KEY, COLUMN = "s\"\\\x01.\u2028", "t\x1f \U0001F600'\"", "k\\\n\"\x7f", "v\t\ufeff.{\U0010FFFF"
LABELS = ["l\x01\"\\\n", "l\x9f\u2029\uffff", "l\U0001F600',"]
LETTERS = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\"": "\\\"", "\\": "\\\\"}


def _jackson(text):
    """A JSON string as Jackson writes it: control characters below space escaped, surrogates for what is beyond
    U+FFFF, all else as it is."""
    def one(char):
        code = ord(char)
        if char in LETTERS:
            return LETTERS[char]
        if code < 0x20:
            return "\\u%04X" % code
        if code > 0xFFFF:
            return "\\u%04X\\u%04X" % (0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF))
        return char
    return "\"%s\"" % "".join(map(one, text))


def _quoted(name):
    return '"%s"' % name.replace('"', '""')


def _literal(text):
    return "'%s'" % text.replace("'", "''")


def _make_table(connection):
    connection.execute("set standard_conforming_strings = on; create schema %s; create type %s.odd as enum (%s)"
                       % (_quoted(SCHEMA), _quoted(SCHEMA), ", ".join(map(_literal, LABELS))))
    connection.execute("create table %s.%s (%s text primary key, %s text, a text[], j json, jb jsonb, d text default %s,"
                       " e %s.odd default %s, es %s.odd[])"
                       % (_quoted(SCHEMA), _quoted(TABLE), _quoted(KEY), _quoted(COLUMN), _literal(DEFAULT), _quoted(SCHEMA),
                          _literal(LABELS[0]), _quoted(SCHEMA)))
    connection.execute("alter table %s.%s replica identity full" % (_quoted(SCHEMA), _quoted(TABLE)))


def _insert(connection, key):
    connection.execute("insert into %s.%s values (%%s, %%s, %%s, to_json(%%s::text), to_jsonb(%%s::text), default, default, %%s)"
                       % (_quoted(SCHEMA), _quoted(TABLE).replace("%", "%%")),
                       (key, TEXT, CHARACTERS, TEXT, TEXT, LABELS))


def _row(key):
    return {KEY: key, COLUMN: TEXT, "a": CHARACTERS, "j": TEXT, "jb": TEXT, "d": DEFAULT, "e": LABELS[0], "es": LABELS}


def _parsed(row):
    """A record's row with its JSON columns read, since their text is PostgreSQL's."""
    return row and dict(row, j=json.loads(row["j"]), jb=json.loads(row["jb"]))


def _check_records(records, key_of, value_of, names=(KEY, COLUMN)):
    """What the five events of the table's two rows must be, whoever decoded them."""
    def named(row):
        return row and {{KEY: names[0], COLUMN: names[1]}.get(name, name): value for name, value in row.items()}
    first, second = _row(TEXT), _row(TEXT + "2")
    changed = dict(first, **{COLUMN: TEXT[::-1]})
    expected = [(None, first), (None, second), (first, changed), (second, None)]
    values = [value_of(record) for record in records]
    assert [key_of(record) for record in records] == [{names[0]: TEXT}, {names[0]: TEXT + "2"}, {names[0]: TEXT}] \
        + [{names[0]: TEXT + "2"}] * 2
    assert values[4] is None, values[4]
    for value, (before, after) in zip(values, expected):
        assert _parsed(value["before"]) == named(before), value["before"]
        assert _parsed(value["after"]) == named(after), value["after"]
        assert (value["source"]["schema"], value["source"]["table"]) == (SCHEMA, TABLE), value["source"]


def _check_plugin(connection, kafka):
    """The plugin's own JSON: the bytes of the worker's."""
    query = "select data from pg_logical_slot_peek_changes('every_character', null, null, 'topic_prefix', %s, 'format', %s," \
            " 'message_prefix_exclude_list', 'test')"
    found = [row[0] for row in connection.execute(query, (kafka[0].topic.split(".")[0], "json")).fetchall()]
    wanted = [record for record in kafka[1:] if record.value is not None]
    assert len(found) == len(wanted) == 3, found
    for text, record in zip(found, wanted):
        for side in ("before", "after"):
            assert json.loads(text)[side] == json.loads(record.value)[side]
        assert _jackson(TEXT) in text and _jackson(SCHEMA) in text and _jackson(TABLE) in text, text
    found = [json.loads(row[0]) for row in connection.execute(query, (kafka[0].topic.split(".")[0], "record")).fetchall()]
    assert [entry["key"] for entry in found] == [record.key for record in kafka[1:]]


def _check_lake(lake):
    name = next(name for name in lake.tables() if name.startswith("silver_"))
    rows = lake.rows(name)
    assert lake.rows(name, reader="duckdb") == rows
    assert [{column: _parsed(row)[column] for column in _row("")} for row in rows] == [dict(_row(TEXT), **{COLUMN: TEXT[::-1]})]
    events = sorted(lake.rows(name.replace("silver_", "bronze_", 1)), key=lambda row: (row["commit_lsn"], row["ordinal"]))
    assert [row["op"] for row in events] == ["r", "c", "u", "d"], events
    assert json.loads(events[3]["before"])[COLUMN] == TEXT and json.loads(events[2]["after"])[COLUMN] == TEXT[::-1]
    assert _jackson(TEXT + "2") in events[1]["key"], events[1]["key"]


def test_every_character(t):
    """Control characters, quotes, separators, non-characters, code points beyond U+FFFF in keys, values, arrays, before
    images, defaults, labels and names: the same in JSON with and without schema, Avro, the plugin's JSON and the lake."""
    registry = t.attach(Registry()).start()
    db = t.database()
    connection = db.connect()
    _make_table(connection)
    _insert(connection, TEXT)
    connection.execute("select pg_create_logical_replication_slot('every_character', 'cdc_decoder')")
    avro = {"schema.name.adjustment.mode": "avro", "field.name.adjustment.mode": "avro"}
    for side in ("key", "value"):
        avro["%s.converter" % side] = "io.confluent.connect.avro.AvroConverter"
        avro["%s.converter.schema.registry.url" % side] = registry.url
    workers = [t.worker(db, outputs="kafka,bronze,silver"), t.worker(db, outputs="kafka", **{"schemas.enable": "true"}),
               t.worker(db, outputs="kafka", **avro)]
    for worker in workers:
        worker.run_until(db.lsn())
    _insert(connection, TEXT + "2")
    connection.execute("update %s.%s set %s = %%s where %s = %%s" % tuple(map(_quoted, (SCHEMA, TABLE, COLUMN, KEY))),
                       (TEXT[::-1], TEXT))
    connection.execute("delete from %s.%s where %s = %%s" % tuple(map(_quoted, (SCHEMA, TABLE, KEY))), (TEXT + "2",))
    for worker in workers:
        worker.run_until(db.lsn())
    topics = [next(name for name in t.broker.topics() if name.startswith(t.prefix(number) + ".")) for number in range(3)]

    plain = read_all(t.broker, topics[0])
    _check_records(plain, lambda record: record.json_key, lambda record: record.json)
    for record in plain[:4]:
        assert record.key == "{%s:%s}" % (_jackson(KEY), _jackson(record.json_key[KEY])), record.key
        assert "%s:%s," % (_jackson(COLUMN), _jackson(TEXT)) in record.value, record.value
        assert "\"a\":[%s]" % ",".join(map(_jackson, CHARACTERS)) in record.value, record.value
        assert "\"d\":%s" % _jackson(DEFAULT) in record.value and "\"e\":%s" % _jackson(LABELS[0]) in record.value
    full = read_all(t.broker, topics[1])
    _check_records(full, lambda record: record.json_key["payload"], lambda record: record.payload)
    assert "\"default\":%s" % _jackson(DEFAULT) in full[0].value, full[0].value
    assert "\"allowed\":%s" % _jackson(",".join(LABELS)) in full[0].value, full[0].value
    assert "\"field\":%s" % _jackson(COLUMN) in full[0].value, full[0].value
    decoder = Decoder(registry)
    messages = read_messages(t.broker, topics[2])
    names = list(decoder.decode(messages[0].value())["after"])[:2]
    _check_records(messages, lambda message: decoder.decode(message.key()), lambda message: decoder.decode(message.value()),
                   names)
    _check_lake(t.lake(workers[0]))
    _check_plugin(connection, plain)
    connection.close()
    code, output, errors = workers[0].command("verify")
    assert code == 0, output + errors
