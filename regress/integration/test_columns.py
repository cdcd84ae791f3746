"""Masks, keys and headers from the source to every output, by snapshot and by stream."""

import hashlib
import json

from lib.consumer import read_all

CONTEXT = "__debezium.context.connectorLogicalName"


def md5(text):
    return hashlib.md5(("s.alt" + text).encode("utf-8")).hexdigest()


def test_masks_reach_every_output(t):
    """What is masked shows in no output, whichever way it came; a column added later with a default included."""
    db = t.database()
    db.psql("create table person (id int primary key, email text, name varchar(20), secret text);"
            "insert into person values (1, 'old@x.y', 'Snapshot', 'hidden-old'), (2, null, 'Nobody', null)")
    worker = t.worker(db, outputs="kafka,bronze,silver", **{
        "topic.prefix": "masks",
        "column.mask.hash.v2.MD5.with.salt.s.alt": "public.person.(email|late)",
        "column.truncate.to.4.chars": "public.person.name",
        "column.mask.with.3.chars": "public.person.secret"})
    worker.run_until(db.lsn())
    db.psql("insert into person values (3, 'new@x.y', 'Streamed', 'hidden-new');"
            "alter table person add column late text default 'late-default'; update person set name = 'Changed' where id = 1")
    worker.run_until(db.lsn())

    records = [record for record in read_all(t.broker, "masks.public.person") if record.value is not None]
    after = {(record.payload["op"], record.payload["after"]["id"]): record.payload["after"] for record in records}
    assert after["r", 1] == {"id": 1, "email": md5("old@x.y"), "name": "Snap", "secret": "***"}, after
    assert after["r", 2] == {"id": 2, "email": None, "name": "Nobo", "secret": "***"}, after
    assert after["c", 3] == {"id": 3, "email": md5("new@x.y"), "name": "Stre", "secret": "***"}, after
    assert after["u", 1]["late"] == md5("late-default"), after

    lake = t.lake(worker)
    silver = {row["id"]: row for row in lake.rows("silver_person")}
    assert (silver[1]["email"], silver[1]["name"], silver[1]["secret"]) == (md5("old@x.y"), "Chan", "***"), silver
    assert silver[2]["secret"] is None and silver[3]["late"] == md5("late-default"), silver
    for text in [json.dumps(row, default=str) for row in lake.rows("bronze_person")] + [str(r) for r in records]:
        for secret in ("@x.y", "Snapshot", "Streamed", "Changed", "hidden", "late-default"):
            assert secret not in text, text
    code, output, errors = worker.command("verify")
    assert code == 0, output + errors


def test_headers_by_json_converter(t):
    """header.converter: strings quoted, keys as their JSON, with their schemas or without."""
    db = t.database()
    db.psql("create table moved (id int, note text, price numeric(5,2), primary key (id, note, price))")
    workers = {}
    for prefix, settings in (("plain", {"header.converter.schemas.enable": "false"}), ("full", {})):
        workers[prefix] = t.worker(db, outputs="kafka", **dict({
            "topic.prefix": prefix, "slot.name": prefix,
            "header.converter": "org.apache.kafka.connect.json.JsonConverter"}, **settings))
        workers[prefix].run_until(db.lsn())
    db.psql("insert into moved values (1, E'a\\n\"b', 1.25); update moved set id = 2")
    payload = '{"id":1,"note":"a\\n\\"b","price":"fQ=="}'
    headers = {}
    for prefix, worker in workers.items():
        worker.run_until(db.lsn())
        headers[prefix] = dict(read_all(t.broker, prefix + ".public.moved")[-1].headers)
    assert headers["plain"]["__debezium.oldkey"] == payload, headers
    assert headers["plain"][CONTEXT] == '"plain"', headers
    assert headers["full"]["__debezium.oldkey"] == (
        '{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"id"},'
        '{"type":"string","optional":false,"field":"note"},'
        '{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,'
        '"parameters":{"scale":"2","connect.decimal.precision":"5"},"field":"price"}],"optional":false,'
        '"name":"full.public.moved.Key"},"payload":' + payload + '}'), headers
    assert headers["full"][CONTEXT] == '{"schema":{"type":"string","optional":false},"payload":"full"}', headers


def test_columns_of_one_field(t):
    """Columns that field.name.adjustment.mode gives one name stop check and run, at the snapshot and in the stream, where
    another mode lets them go on."""
    db = t.database()
    db.psql("create table twins (id int primary key, \"a-b\" int, \"a+b\" int); insert into twins values (1, 2, 3)")
    worker = t.worker(db, outputs="kafka", **{"field.name.adjustment.mode": "avro", "topic.prefix": "twins"})
    said = 'columns "a-b" and "a+b" of table "public"."twins" both become field "a_b"'
    for _ in range(2):
        worker.config["field.name.adjustment.mode"] = "avro"
        code, output, errors = worker.command("check")
        assert code == 1 and "fix   table \"public.twins\" has no events: " + said in output, output + errors
        worker.start()
        worker.ends(2, said, "Exclude one of them, rename it, or use another field.name.adjustment.mode.")
        worker.config["field.name.adjustment.mode"] = "avro_unicode"
        worker.run_until(db.lsn())
        db.psql("insert into twins select max(id) + 1, 2, 3 from twins")
    worker.run_until(db.lsn())
    assert [record.json["after"] for record in read_all(t.broker, "twins.public.twins")] == [
        {"id": number, "a_u002db": 2, "a_u002bb": 3} for number in (1, 2, 3)]


def test_lists_that_name_no_column(t):
    """They are warned of once at the start, by name, and check notes them; those that name one are not."""
    db = t.database()
    db.psql("create table listed (id int primary key, a text)")
    worker = t.worker(db, outputs="kafka", **{
        "topic.prefix": "listed", "column.exclude.list": "public.listed.nothing", "message.key.columns": "public.listed:a",
        "column.mask.with.1.chars": "public.listde.a", "datatype.propagate.source.type": ".*\\\\.text"})
    code, output, errors = worker.command("check")
    assert code == 0, output + errors
    for property_name, named in (("column.exclude.list", True), ("column.mask.with.1.chars", True),
                                 ("message.key.columns", False), ("datatype.propagate.source.type", False)):
        assert (property_name + " names no column" in output) == named, output
    worker.run_until(db.lsn())
    log = worker.log_text()
    assert log.count("column.exclude.list names no column of the captured tables as they are now: \"public.listed.nothing\"") == 1, log
    assert log.count("column.mask.with.1.chars names no column of the captured tables as they are now: \"public.listde.a\"") == 1, log
    assert log.count("names no column") == 2, log
    worker.config["message.key.columns"] = "public.listed:a;(.*).listed: b ,none;public.listed:id"
    output = worker.command("check")[1]
    for named in ("(.*).listed:b", "(.*).listed:none"):
        assert output.count("message.key.columns names no column of the captured tables as they are now: \"%s\"" % named) == 1, output


def test_lists_that_name_no_table(t):
    """Each expression of table.include.list that names no table is warned of, and a property that a file has twice;
    check says so, too."""
    db = t.database()
    db.psql("create table here (id int primary key)")
    worker = t.worker(db, outputs="kafka", **{
        "topic.prefix": "tables", "table.include.list": "public.here,public.hear,public.later.*"})
    properties = worker.write_config().read_text(encoding="utf-8")
    lines = len(properties.splitlines())
    worker.config["#\nschema.include.list"] = "public\nschema.include.list=pub.*"
    twice = "property \"schema.include.list\" in file \"%s\" line %d is given again in file \"%s\" line %d, which counts" \
        % (worker.file, lines + 2, worker.file, lines + 3)
    sentences = ["table.include.list names no table that exists now by \"%s\"" % named
                 for named in ("public.hear", "public.later.*")]
    code, output, errors = worker.command("check")
    assert code == 0 and twice in errors and all(sentence in output for sentence in sentences), output + errors
    worker.run_until(db.lsn())
    log = worker.log_text()
    assert log.count(twice) == 1 and all(log.count(sentence) == 1 for sentence in sentences), log
    assert log.count("names no table") == 2, log
    worker.config["table.include.list"] = "public.her"
    worker.config["slot.name"] = "tables_none"
    output = worker.command("check")[1]
    assert "table.include.list names no table that exists now by \"public.her\"." in output, output
