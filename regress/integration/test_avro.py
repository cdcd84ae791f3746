"""Avro with a schema registry: every message decoded by fastavro and compared with the JSON of the same event.

The registry is lib/registry.py's, which checks every request; with REGISTRY=apicurio it is a real one where a
test does not need its refusals (make check-registry).
"""

import base64
import os

from lib.consumer import read_all
from lib.registry import Apicurio, Decoder, Registry, read_messages

AVRO = "io.confluent.connect.avro.AvroConverter"
JSON = "org.apache.kafka.connect.json.JsonConverter"

TYPES = """
create extension if not exists hstore;
create type mood as enum ('sad', 'ok "quoted"', 'happy');
create table all_types (
    id bigint primary key, b boolean, i2 smallint, i4 integer default 7, i8 bigint, r real, d double precision,
    n numeric(12,2) default 1.50, nu numeric, m money, t text default 'tx"t', v varchar(20), c char(5), by bytea,
    bt bit(1), bs bit(20), vb varbit(30), dt date, tm time, tm3 time(3), tmz timetz, ts timestamp, ts3 timestamp(3),
    tsz timestamptz, iv interval, j json, jb jsonb, x xml, u uuid, mo mood, ip inet, mac macaddr, ir int4range,
    p point, h hstore, ia int[], ta text[], na numeric(8,3)[], "nn" text not null default 'n');
create table plain (a integer, b text, primary key (b, a));
"""

ROWS = r"""
insert into all_types values (1, true, -32768, 2147483647, -9223372036854775808, 1.5, 1e300, -12345.67, 1e-20,
    12.34, E'line\n"q" \\ \U0001F600', 'v', 'c', '\x00ff7f80', B'1', B'10000000000000000001', B'101', '2020-02-29',
    '12:34:56.789012', '12:34:56.789', '12:34:56+02', '2020-02-29 12:34:56.789012', '2020-02-29 12:34:56.789',
    '2020-02-29 12:34:56.789012+00', '1 year 2 mons 3 days', '{"a": [1, null]}', '{"b": 2}', '<x/>',
    '6b9a5a3e-8d3c-4f7e-9d5f-1f4f5f6f7f8f', 'ok "quoted"', '10.0.0.1/8', '08:00:2b:01:02:03', '[1,5)', '(1.5,-2)',
    'a=>1, b=>NULL', '{1,NULL,-3}', '{x,NULL,"y,z"}', '{1.5,NULL}', 'nn');
insert into all_types (id) values (2);
insert into all_types (id, i4, n, t, r, d) values (3, null, null, null, 'NaN', '-Infinity');
insert into plain values (1, 'one'), (2, '');
update all_types set i4 = 8, t = null where id = 2;
update plain set b = 'uno' where a = 1;
delete from all_types where id = 1;
alter table plain add column c integer default 5, add column d numeric(6,1);
insert into plain values (3, 'three', null, 2.5);
alter table plain alter column c drop default;
insert into plain values (4, 'four');
delete from plain where a = 2;
select pg_logical_emit_message(true, 'prefix', 'content');
"""
TOPICS = ("public.all_types", "public.plain", "transaction", "message")


def _registry(t):
    """One for the test; a real one when REGISTRY says so."""
    return t.attach(Apicurio() if os.environ.get("REGISTRY") == "apicurio" else Registry()).start()


def _avro(registry, **more):
    settings = {"outputs": "kafka"}
    for side in ("key", "value"):
        settings["%s.converter" % side] = AVRO
        settings["%s.converter.schema.registry.url" % side] = registry.url
    settings.update(more)
    return settings


def _expected(schema, value):
    """What Avro has for a value of JsonConverter's: the same, with bytes decoded and nulls as defaults."""
    if value is None:
        return _expected(schema, schema["default"]) if "default" in schema else None
    kind = schema["type"]
    if kind == "struct":
        return {field["field"]: _expected(field, value[field["field"]]) for field in schema["fields"]}
    if kind == "array":
        return [_expected(schema["items"], item) for item in value]
    if kind == "map":
        return {name: _expected(schema["values"], item) for name, item in value.items()}
    if kind == "bytes":
        return base64.b64decode(value)
    return float(value) if kind in ("float", "double") else value


def _comparable(value):
    """Without what differs between two workers: prefix, clock, the commit before; NaN by its name."""
    if isinstance(value, dict):
        left_out = ("ts_ms", "ts_us", "ts_ns") if "op" in value else ("name", "sequence") if "connector" in value else ()
        return {name: _comparable(item) for name, item in value.items() if name not in left_out}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    return "NaN" if isinstance(value, float) and value != value else value


def test_decodes(t):
    """Keys and values of a table of all types, with nulls, defaults, DDL in between and every kind of event."""
    registry = _registry(t)
    db = t.database()
    db.psql(TYPES)
    common = {"decimal.handling.mode": "precise", "hstore.handling.mode": "map",
              "provide.transaction.metadata": "true"}
    avro = t.worker(db, **_avro(registry, **common, **{"topic.prefix": "av", "slot.name": "avro_slot"}))
    json = t.worker(db, outputs="kafka", **common,
                    **{"topic.prefix": "js", "slot.name": "json_slot", "schemas.enable": "true",
                       "replace.null.with.default": "false"})
    for worker in (avro, json):
        worker.run_until(db.lsn())
    db.psql(ROWS)
    for worker in (avro, json):
        worker.run_until(db.lsn())
    decoder = Decoder(registry)
    compared = 0
    for topic in TOPICS:
        ours = read_messages(t.broker, "av." + topic)
        theirs = read_all(t.broker, "js." + topic)
        assert len(ours) == len(theirs), (len(ours), len(theirs))
        for our, their in zip(ours, theirs):
            for data, text in ((our.key(), their.json_key), (our.value(), their.json)):
                found = decoder.decode(data)
                wanted = None if text is None else _expected(text["schema"], text["payload"])
                assert _comparable(found) == _comparable(wanted), (found, wanted)
                compared += 1
            names = [name for name, _ in our.headers() or []]
            assert names == [name for name, _ in their.headers], (names, their.headers)
    assert compared > 30, compared
    subjects = registry.subjects
    assert set(subjects) == {"av.%s-%s" % (topic, side) for topic in TOPICS for side in ("key", "value")}, \
        sorted(subjects)
    assert len(subjects["av.public.plain-value"]) == 3, subjects["av.public.plain-value"]


test_decodes.seconds = 18


def test_incompatible(t):
    """A change that the subject's compatibility forbids stops the worker, which says so; nothing is lost."""
    registry = _registry(t)
    db = t.database()
    db.psql("create table thing (id integer primary key, a text)")
    worker = t.worker(db, **_avro(registry, **{"topic.prefix": t.name}))
    worker.run_until(db.lsn())
    db.psql("insert into thing values (1, 'a'); alter table thing add column b text not null default clock_timestamp();"
            "alter table thing alter column b drop default; insert into thing values (2, 'b', 'c')")
    worker.run_until(db.lsn(), expect=2)
    log = worker.log_text()
    assert "refused the schema of subject \"%s.public.thing-value\"" % t.name in log, log
    db.psql("alter table thing alter column b set default 'x'")
    assert len(read_messages(t.broker, "%s.public.thing" % t.name)) == 1


def test_down(t):
    """Without a registry nothing is produced and nothing confirmed; when it comes it goes on."""
    registry = t.attach(Registry())
    db = t.database()
    db.psql("create table thing (id integer primary key, a text)")
    worker = t.worker(db, **_avro(registry, **{"topic.prefix": t.name, "errors.retry.delay.max.ms": "200"}))
    worker.run_until(db.lsn())
    db.psql("insert into thing values (1, 'a'), (2, 'b')")
    lsn = db.lsn()
    status, output, _ = worker.command("check")
    assert status == 1 and "schema registry %s: could not reach" % registry.url in output, output
    worker.start("--until-lsn", lsn)
    worker.wait_log("cannot register the schema of subject")
    registry.start()
    assert worker.wait(60) == 0, worker.log_tail()
    decoder = Decoder(registry)
    found = [decoder.decode(message.value())["after"]["id"]
             for message in read_messages(t.broker, "%s.public.thing" % t.name)]
    assert found == [1, 2], found


def test_credentials(t):
    """USER_INFO is sent; without it the registry's answer is told."""
    registry = t.attach(Registry(user="me:pass:word")).start()
    db = t.database()
    db.psql("create table thing (id integer primary key); insert into thing values (1)")
    worker = t.worker(db, **_avro(registry, **{"topic.prefix": t.name}))
    worker.run_until(db.lsn(), expect=2)
    assert "Unauthorized" in worker.log_text(), worker.log_tail()
    for side in ("key", "value"):
        worker.config["%s.converter.basic.auth.credentials.source" % side] = "USER_INFO"
        worker.config["%s.converter.basic.auth.user.info" % side] = "me:pass:word"
    output = worker.command("check")[1]
    assert "ok schema registry %s\n" % registry.url in output, output
    worker.run_until(db.lsn())
    assert "pass:word" not in worker.log_text()
    assert len(read_messages(t.broker, "%s.public.thing" % t.name)) == 1


def test_lookup(t):
    """Without auto.register.schemas only what is registered already can be written."""
    registry = t.attach(Registry()).start()
    db = t.database()
    db.psql("create table thing (id integer primary key); insert into thing values (1)")
    worker = t.worker(db, **_avro(registry, **{"topic.prefix": t.name, "value.converter.auto.register.schemas": "false"}))
    worker.run_until(db.lsn(), expect=2)
    assert "Schema not found" in worker.log_text(), worker.log_tail()


def test_key_json_value_json_with_schema(t):
    """Key and value each have their own converter and schemas.enable."""
    db = t.database()
    db.psql("create table thing (id integer primary key, a text default 'd'); insert into thing values (1, null)")
    worker = t.worker(db, outputs="kafka", **{
        "topic.prefix": t.name, "key.converter": JSON, "key.converter.schemas.enable": "false",
        "value.converter": JSON, "value.converter.schemas.enable": "true"})
    worker.run_until(db.lsn())
    db.psql("update thing set id = 2")
    worker.run_until(db.lsn())
    records = read_all(t.broker, "%s.public.thing" % t.name)
    assert [record.key for record in records] == ['{"id":1}', '{"id":1}', '{"id":1}', '{"id":2}'], records
    assert records[0].json["payload"]["after"] == {"id": 1, "a": "d"}, records[0]
    assert records[0].json["schema"]["name"] == "%s.public.thing.Envelope" % t.name
    assert records[2].value is None
    assert [dict(record.headers).get("__debezium.newkey") for record in records[1:3]] == ['{"id":2}'] * 2
    assert dict(records[3].headers)["__debezium.oldkey"] == '{"id":1}'


def test_key_headers(t):
    """A key in a header is SimpleHeaderConverter's text, whoever writes the record: decimals as numbers, nothing
    escaped but quotes and backslashes."""
    db = t.database()
    db.psql("create table thing (n numeric(6,2), s text, primary key (n, s));")
    plain = t.worker(db, outputs="kafka")
    modelled = t.worker(db, outputs="kafka", **{"key.converter.schemas.enable": "true"})
    for worker in (plain, modelled):
        worker.run_until(db.lsn())
    db.psql("insert into thing values (1.5, E'a\\n\"\U0001F600\\\\'); update thing set n = -0.01")
    for worker in (plain, modelled):
        worker.run_until(db.lsn())
        records = read_all(t.broker, "%s.public.thing" % worker.config["topic.prefix"])
        headers = dict(records[1].headers), dict(records[3].headers)
        assert headers[0]["__debezium.newkey"] == '{"n":-0.01,"s":"a\n\\"\U0001F600\\\\"}', headers
        assert headers[1]["__debezium.oldkey"] == '{"n":1.50,"s":"a\n\\"\U0001F600\\\\"}', headers
