-- types whose Debezium form is PostgreSQL's text, and types that Debezium leaves out
SELECT 'init' FROM pg_create_logical_replication_slot('types_other', 'cdc_decoder');
CREATE TYPE types_pair AS (a int, b text);
CREATE TABLE types_other (id int PRIMARY KEY, i inet, c cidr, m macaddr, r int4range, tr tsrange, x xml, tv tsvector, l pg_lsn, p types_pair);
INSERT INTO types_other VALUES (1, '192.168.2.0/12', '10.1.0.0/16', '08:00:2b:01:02:03', '[1,5)', '[2019-03-31 15:30,infinity)', '<a>x</a>', 'fat cat', '1/ABCD', '(1,x)');
SELECT data::json -> 'after' FROM pg_logical_slot_peek_changes('types_other', NULL, NULL);
SELECT data::json -> 'after' FROM pg_logical_slot_get_changes('types_other', NULL, NULL, 'include_unknown_datatypes', 'true');
DROP TABLE types_other;
DROP TYPE types_pair;
SELECT pg_drop_replication_slot('types_other');
