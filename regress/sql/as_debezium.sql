-- oddities of Debezium that make check-debezium found, one by one
SELECT 'init' FROM pg_create_logical_replication_slot('as_debezium', 'cdc_decoder');
-- a key in a header is Kafka Connect's text of a struct, not JSON: decimals and dates written out, NaN bare, control characters raw
CREATE TABLE odd_key (n numeric(12, 10), m numeric(6, 2), t text, d date, f float8, PRIMARY KEY (n, m, t, d, f));
INSERT INTO odd_key VALUES (0, 39500.60 / 10, E'tab\there "quoted" \\ \U0001F389\u0001', '2020-02-29', 'NaN');
UPDATE odd_key SET n = 0.0000001200, m = -0.50;
UPDATE odd_key SET n = 0.000001, f = 1;
SELECT key, op, headers FROM records('as_debezium', 'time_precision_mode', 'connect');
DROP TABLE odd_key;
-- what is skipped of an update that moves its key: all of it with u, as Debezium's publication has no updates then, else its delete or its create
CREATE TABLE odd_skip (id int PRIMARY KEY);
INSERT INTO odd_skip VALUES (1);
SELECT count(*) FROM changes('as_debezium');
UPDATE odd_skip SET id = 2;
SELECT key, op, headers FROM records('as_debezium', 'skipped_operations', 'u');
UPDATE odd_skip SET id = 3;
SELECT key, op, headers FROM records('as_debezium', 'skipped_operations', 'c');
UPDATE odd_skip SET id = 4;
SELECT key, op, headers FROM records('as_debezium', 'skipped_operations', 'd');
DROP TABLE odd_skip;
-- a key of types that are left out is a struct without fields
CREATE TABLE odd_none (id pg_lsn PRIMARY KEY, v int);
INSERT INTO odd_none VALUES ('0/1', 1);
SELECT key, op FROM records('as_debezium');
INSERT INTO odd_none VALUES ('0/2', 1);
SELECT key, op FROM records('as_debezium', 'schemas_enable', 'true');
DROP TABLE odd_none;
-- an unchanged TOAST value of most arrays is null
CREATE TABLE odd_toast (id int PRIMARY KEY, v int, a macaddr[], r int4range[], t text[], c "char"[], q path, n numeric);
ALTER TABLE odd_toast ALTER a SET STORAGE EXTERNAL, ALTER r SET STORAGE EXTERNAL, ALTER t SET STORAGE EXTERNAL, ALTER c SET STORAGE EXTERNAL, ALTER q SET STORAGE EXTERNAL, ALTER n SET STORAGE EXTERNAL;
INSERT INTO odd_toast SELECT 1, 1, array_agg('08:00:2b:01:02:03'::macaddr), array_agg(int4range(i, i + 1)), array_agg(i::text), array_agg('x'::"char"),
       ('[' || string_agg(format('(%s,%s)', i, random()), ',') || ']')::path, repeat('123', 10000)::numeric FROM generate_series(1, 3000) i;
SELECT count(*) FROM changes('as_debezium');
UPDATE odd_toast SET v = 2;
SELECT * FROM changes('as_debezium', 'include_unknown_datatypes', 'true', 'unavailable_value_placeholder', 'gone');
UPDATE odd_toast SET v = 3;
SELECT data::json -> 'after' ->> 'n' AS n FROM pg_logical_slot_get_changes('as_debezium', NULL, NULL, 'decimal_handling_mode', 'string');
DROP TABLE odd_toast;
-- arrays of unknown types: bytes of each element's text, numbers of geometric types as Java prints them
CREATE DOMAIN odd_int AS int;
CREATE DOMAIN odd_money AS money;
CREATE TABLE odd_array (id int PRIMARY KEY, m odd_int[], b box[], p polygon[], l pg_lsn[], o oidvector, c odd_money[]);
INSERT INTO odd_array VALUES (1, NULL, '{(2,3),(1,1);(1,1),(0,0)}', '{"((0,0),(1,1.5))"}', '{{0/1},{NULL}}', '', '{1.5,-1234567.89,-92233720368547758.08}'),
                             (2, '{12}', '{}', NULL, '{NULL}', '1 2', '{0.05}');
SELECT * FROM changes('as_debezium', 'include_unknown_datatypes', 'true', 'binary_handling_mode', 'hex');
DROP TABLE odd_array;
DROP DOMAIN odd_int;
DROP DOMAIN odd_money;
-- a default that would have to be rounded is none; the zero of json is no JSON
CREATE TABLE odd_default (id int PRIMARY KEY, n numeric(5, 0) DEFAULT -0.1, m numeric(5, 1) DEFAULT 0.500, j json NOT NULL, jb jsonb NOT NULL);
INSERT INTO odd_default VALUES (1, NULL, NULL, '[]', '[]');
DELETE FROM odd_default;
SELECT * FROM changes('as_debezium', 'decimal_handling_mode', 'string');
DROP TABLE odd_default;
-- a default has no line breaks but those outside its first quotes, nor is it rounded
CREATE TABLE odd_default (id int PRIMARY KEY, a varchar(30) DEFAULT E'line\nbreak', b text DEFAULT E'a\nb''c d', c text DEFAULT E'a\u2028b', d text DEFAULT lower(E'A\nB'),
                          e text DEFAULT lower('A') || E'\n', f text NOT NULL DEFAULT E'a\r', g timestamptz(0) DEFAULT '2020-01-02 03:04:05.5+00', h timestamptz(1) DEFAULT '2020-01-02 03:04:05.999+00',
                          i numeric(5, 0) DEFAULT 120.0, j numeric DEFAULT 1.50, k time DEFAULT '24:00', l time(3) DEFAULT '24:00');
INSERT INTO odd_default (id, f) VALUES (1, 'f');
UPDATE odd_default SET a = NULL, b = NULL, c = NULL, d = NULL, e = NULL, g = NULL, h = NULL, i = NULL, j = NULL, k = NULL, l = NULL;
DELETE FROM odd_default;
SELECT * FROM changes('as_debezium', 'decimal_handling_mode', 'string');
DROP TABLE odd_default;
-- elements of time[] and timetz[] keep what Debezium loses
CREATE TABLE odd_time (id int PRIMARY KEY, t time[], z timetz[]);
INSERT INTO odd_time VALUES (1, '{12:34:56.789012,24:00}', '{12:34:56.789012+02}');
SELECT * FROM changes('as_debezium');
DROP TABLE odd_time;
SELECT pg_drop_replication_slot('as_debezium');
