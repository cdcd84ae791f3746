-- types whose Debezium form is PostgreSQL's text, and types that Debezium leaves out
SELECT 'init' FROM pg_create_logical_replication_slot('types_other', 'cdc_decoder');
CREATE TYPE types_pair AS (a int, b text);
CREATE TABLE types_other (id int PRIMARY KEY, i inet, c cidr, m macaddr, r int4range, tr tsrange, x xml, tv tsvector, l pg_lsn, p types_pair);
INSERT INTO types_other VALUES (1, '192.168.2.0/12', '10.1.0.0/16', '08:00:2b:01:02:03', '[1,5)', '[2019-03-31 15:30,infinity)', '<a>x</a>', 'fat cat', '1/ABCD', '(1,x)');
SELECT data::json -> 'after' FROM pg_logical_slot_peek_changes('types_other', NULL, NULL);
SELECT data::json -> 'after' FROM pg_logical_slot_get_changes('types_other', NULL, NULL, 'include_unknown_datatypes', 'true');
DROP TABLE types_other;
DROP TYPE types_pair;
-- contrib's types, domains of domains, and an enum whose labels are not in the order they were made in
SET client_min_messages = warning;
CREATE EXTENSION isn;
CREATE EXTENSION ltree;
CREATE EXTENSION hstore;
RESET client_min_messages;
CREATE DOMAIN types_d1 AS numeric(8, 3);
CREATE DOMAIN types_d2 AS types_d1 NOT NULL;
CREATE DOMAIN types_d3 AS types_d2;
CREATE DOMAIN types_ds AS int[];
CREATE TYPE types_size AS ENUM ('small', 'large');
ALTER TYPE types_size ADD VALUE 'medium' BEFORE 'large';
ALTER TYPE types_size ADD VALUE 'tiny' BEFORE 'small';
CREATE TABLE types_more (
    id int PRIMARY KEY, b isbn, l ltree, h hstore, d types_d3, ds types_ds, s types_size, ss types_size[], ls ltree[], m macaddr8,
    vb varbit, b3 bit(3), mr int4multirange, tz timetz, mo money, ir int8range, nr numrange, dr daterange, tzr tstzrange);
INSERT INTO types_more VALUES (1, '0-393-04002-X', 'Top.Science', 'a=>1, b=>NULL', 12.5, '{1,NULL}', 'medium', '{tiny,large}', '{A.B,NULL}',
    '08:00:2b:01:02:03:04:05', B'0000000011', B'101', '{[1,3)}', '23:59:59.999999-15:59', -1234.11, '[1,5]', '(1.5,)', '[2020-01-01,)', '["2020-01-01 00:00+02",)');
SELECT data::json -> 'after' FROM pg_logical_slot_peek_changes('types_other', NULL, NULL, 'table_include_list', 'public.types_more');
SELECT field FROM pg_logical_slot_get_changes('types_other', NULL, NULL, 'table_include_list', 'public.types_more', 'schemas_enable', 'true') r,
    jsonb_array_elements(r.data::jsonb #> '{schema,fields,1,fields}') field WHERE field ->> 'field' IN ('d', 'ds', 's', 'ss', 'vb', 'b');
DROP TABLE types_more;
DROP TYPE types_size;
DROP DOMAIN types_ds, types_d3, types_d2, types_d1;
SET client_min_messages = warning;
DROP EXTENSION hstore, ltree, isn;
SELECT pg_drop_replication_slot('types_other');
