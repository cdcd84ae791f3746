-- values travel as their types' send functions print them, in UTF-8; other types as their output text
SELECT 'init' FROM pg_create_logical_replication_slot('wire_types', 'cdc_decoder');
CREATE TYPE wire_mood AS ENUM ('sad', 'ok');
CREATE DOMAIN wire_cents AS numeric(12, 2);
CREATE TABLE wire_types (
    b bool, i2 int2, i4 int4, i8 int8, o oid, f4 float4, f8 float8, n numeric, cents wire_cents, m money,
    t text, v varchar(10), c char(5), q "char", nm name, by bytea, u uuid, j json,
    d date, tm time, tz timetz, ts timestamp, tstz timestamptz, iv interval, bi bit(5), vb varbit,
    ai int4[], at text[], an numeric[], ab bool[], ai8 int8[], au uuid[], aj json[]);
CREATE TABLE wire_rows AS TABLE wire_types;
INSERT INTO wire_rows VALUES
    (true, -2, -4, -8, 4000000000, 1.5, -2.25, 1234567890.0123456789, -0.05, -12.34,
     'naïve 日本', 'x', 'ab', 'q', 'a name', '\x00ff10', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a" : [1, 2]}',
     '2024-02-29', '23:59:59.999999', '24:00:00+15:59:59', '2000-01-01 00:00:00.000001', '1999-12-31 23:59:59+00',
     '-1 year 2 days -00:00:00.5', '10101', '1011011101111',
     '{{1,NULL},{3,4}}', '[5:6]={"a b",NULL}', '{1.10,NaN}', '{t,f,NULL}', '{}', ARRAY['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid], ARRAY['[]'::json]),
    (false, 32767, 2147483647, 9223372036854775807, 0, 'NaN', 'Infinity', 'NaN', 'NaN', 0,
     '', '', '', '', '', '', '00000000-0000-0000-0000-000000000000', 'null',
     'infinity', '00:00', '00:00-15:59:59', 'infinity', '-infinity', '0', '00000', '',
     '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
    (NULL, -32768, -2147483648, -9223372036854775808, 1, '-0', '-Infinity', 'Infinity', NULL, NULL,
     repeat('é', 200), NULL, NULL, E'\\351', NULL, NULL, NULL, NULL,
     '-infinity', NULL, NULL, '4714-11-24 BC', '294276-12-31', NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (NULL, 0, 0, 0, 1, 1e-45, 5e-324, '-Infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     '4714-11-24 BC', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO wire_rows (i4, n) SELECT g, v FROM unnest(ARRAY[0, 0.0, -0.00001, 1e-16383, 1e131071, 10000, 9999.9999, 0.0001, 123e100, -1e-100, 1e300, 1.500, 100000000]::numeric[])
    WITH ORDINALITY AS x(v, g);
INSERT INTO wire_types TABLE wire_rows;

CREATE TABLE wire_sent AS SELECT * FROM wire_messages('wire_types', 'table_include_list', 'public.wire_types');
CREATE TABLE wire_expected AS
    SELECT row_number() OVER () AS row, a.at, a.bytes
    FROM (SELECT row_number() OVER () AS r, * FROM wire_types) w, LATERAL (VALUES
        (1, boolsend(b)), (2, int2send(i2)), (3, int4send(i4)), (4, int8send(i8)), (5, oidsend(o)), (6, float4send(f4)),
        (7, float8send(f8)), (8, numeric_send(n)), (9, numeric_send(cents)), (10, cash_send(m)), (11, textsend(t)),
        (12, varcharsend(v)), (13, bpcharsend(c)), (14, CASE WHEN charsend(q) = '\xe9' THEN '\x5c333531' ELSE charsend(q) END),
        (15, namesend(nm)), (16, byteasend(by)), (17, uuid_send(u)),
        (18, json_send(j)), (19, date_send(d)), (20, time_send(tm)), (21, timetz_send(tz)), (22, timestamp_send(ts)),
        (23, timestamptz_send(tstz)), (24, interval_send(iv)), (25, bit_send(bi)), (26, varbit_send(vb)),
        (27, array_send(ai)), (28, array_send(at)), (29, array_send(an)), (30, array_send(ab)), (31, array_send(ai8)),
        (32, array_send(au)), (33, array_send(aj))) a (at, bytes);
-- every value the same, in order; anything listed here is a difference
WITH sent AS (
    SELECT row_number() OVER () AS row, v.at, v.kind, v.bytes
    FROM (SELECT body FROM wire_sent WHERE type = 'I') m, LATERAL wire_values(m.body) v)
SELECT s.row, s.at, s.kind, s.bytes, e.bytes AS expected
FROM sent s FULL JOIN wire_expected e ON s.row = e.row
WHERE s.at IS DISTINCT FROM e.at OR s.bytes IS DISTINCT FROM e.bytes OR s.kind <> CASE WHEN e.bytes IS NULL THEN 'n' ELSE 'b' END;
SELECT count(*) FROM wire_expected;

-- labels and text where the send function would say something else, and output text
CREATE TABLE wire_others (e wire_mood, ae wire_mood[], jb jsonb, ajb jsonb[], r int4range, tr tstzrange, x xml, i inet, tv tsvector,
    p point, iv int2vector, rec wire_cents[], ln pg_lsn);
SET datestyle = 'German';
SET timezone = 'Asia/Tokyo';
INSERT INTO wire_others VALUES ('ok', '{sad,NULL,ok}', '{"b": "é", "a": [1, null]}', ARRAY['1'::jsonb, '{"x": "y"}'::jsonb], '[1,5)',
    '[2020-01-01 00:00+00,)', '<a/>', '10.1.0.0/16', 'cat fat', '(1,2)', '1 2 3', '{1.5,NULL}', '1/ABCD');
SELECT v.at, v.kind,
    -- an array's element type may have any OID
    CASE WHEN v.at IN (2, 4, 12) THEN overlay(v.bytes PLACING '\x00000000' FROM 9)::text ELSE convert_from(v.bytes, 'UTF8') END AS value
FROM wire_messages('wire_types', 'table_include_list', 'public.wire_others') m, LATERAL wire_values(m.body) v WHERE m.type = 'I';
-- the settings of whoever reads are as they were
SHOW datestyle;
SHOW timezone;
RESET datestyle;
RESET timezone;
DROP TABLE wire_types, wire_rows, wire_sent, wire_expected, wire_others;
DROP DOMAIN wire_cents;
DROP TYPE wire_mood;
SELECT pg_drop_replication_slot('wire_types');
