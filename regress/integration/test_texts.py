"""Texts on their way: databases in other encodings, and every character that JSON, Avro or a lake could trip over."""

import json

from lib.consumer import read_all

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
