-- a table that is rewritten: told once in frames, after the table's new columns, and of no row
SELECT 'init' FROM pg_create_logical_replication_slot('rewrites', 'cdc_decoder');
CREATE FUNCTION told(VARIADIC options text[] DEFAULT '{}') RETURNS TABLE (line text) LANGUAGE sql AS $$
SELECT CASE WHEN type = 'M' AND get_byte(body, 0) & 2 = 2
            THEN convert_from(substr(body, 10, 18), 'UTF8') || ' ' || wire_int(body, 28, 4) || ' '
                 || (SELECT oid::regclass FROM pg_class WHERE oid = wire_int(body, 32, 4)) || ' flags ' || get_byte(body, 0)
            WHEN type = 'R' THEN 'R ' || (SELECT coalesce(min(relname), '') FROM pg_class WHERE oid = wire_int(body, 0, 4))
            ELSE wire_line(type, body) END
FROM wire_messages('rewrites', VARIADIC options)
$$;
CREATE FUNCTION rewritten_one() RETURNS int VOLATILE LANGUAGE sql AS 'SELECT 65';
CREATE TABLE rewritten (id int PRIMARY KEY, v text, n int);
INSERT INTO rewritten SELECT g, 'a', g FROM generate_series(1, 3) g;
SELECT * FROM told();
ALTER TABLE rewritten ALTER v TYPE text USING upper(v);
SELECT * FROM told();
ALTER TABLE rewritten ALTER n TYPE bigint, ADD w int DEFAULT rewritten_one(), ADD g int GENERATED ALWAYS AS (id * 2) STORED;
SELECT * FROM told();
-- a table that comes back from being unlogged, what it was told meanwhile with it
ALTER TABLE rewritten SET UNLOGGED;
UPDATE rewritten SET v = 'unlogged';
SELECT * FROM told();
ALTER TABLE rewritten SET LOGGED;
SELECT * FROM told();
-- one message a rewrite, changes before and after in their places; values in TOAST
BEGIN;
INSERT INTO rewritten (id, v) VALUES (4, 'before');
SAVEPOINT two;
ALTER TABLE rewritten ALTER v TYPE text USING repeat(md5(v), 1000);
RELEASE two;
UPDATE rewritten SET v = 'after' WHERE id = 4;
CREATE TABLE rewritten_too AS SELECT g AS id FROM generate_series(1, 2) g;
ALTER TABLE rewritten_too ALTER id TYPE bigint;
ALTER TABLE rewritten ALTER n TYPE numeric;
COMMIT;
SELECT * FROM told();
BEGIN;
ALTER TABLE rewritten ALTER n TYPE int;
ROLLBACK;
SELECT * FROM told();
BEGIN;
SAVEPOINT one;
ALTER TABLE rewritten ALTER n TYPE int;
ROLLBACK TO one;
INSERT INTO rewritten (id) VALUES (5);
COMMIT;
SELECT count(*) FROM told() WHERE line LIKE 'cdc_sink%';
-- a table of many rows is one message
CREATE TABLE rewritten_large (id int);
INSERT INTO rewritten_large SELECT generate_series(1, 3000);
SELECT count(*) FROM told();
ALTER TABLE rewritten_large ALTER id TYPE bigint;
SELECT * FROM told();
-- nothing of what changes no value, of no rows, of tables that are not captured, of materialized views
CREATE TABLE rewritten_empty (id int);
ALTER TABLE rewritten_empty ALTER id TYPE bigint;
VACUUM FULL rewritten;
CLUSTER rewritten USING rewritten_pkey;
ALTER TABLE rewritten ADD c int DEFAULT 7;
CREATE MATERIALIZED VIEW rewritten_view AS SELECT id FROM rewritten;
REFRESH MATERIALIZED VIEW rewritten_view;
ALTER TABLE rewritten_large ALTER id TYPE int;
SELECT * FROM told('table_exclude_list', 'public.rewritten_large');
-- partitions: each by itself
CREATE TABLE rewritten_parts (id int, v text) PARTITION BY RANGE (id);
CREATE TABLE rewritten_low PARTITION OF rewritten_parts FOR VALUES FROM (0) TO (10);
CREATE TABLE rewritten_high PARTITION OF rewritten_parts FOR VALUES FROM (10) TO (20);
INSERT INTO rewritten_parts VALUES (1, 'a'), (11, 'b');
SELECT count(*) FROM told();
ALTER TABLE rewritten_parts ALTER v TYPE varchar(10) USING upper(v);
SELECT * FROM told();
-- other formats hear nothing of it
ALTER TABLE rewritten ALTER v TYPE text USING lower(v);
SELECT count(*) FROM pg_logical_slot_peek_changes('rewrites', NULL, NULL, 'format', 'json');
SELECT count(*) FROM pg_logical_slot_get_changes('rewrites', NULL, NULL, 'format', 'record', 'provide_transaction_metadata', 'true');
DROP MATERIALIZED VIEW rewritten_view;
DROP TABLE rewritten, rewritten_too, rewritten_large, rewritten_empty, rewritten_parts;
DROP FUNCTION told, rewritten_one;
SELECT pg_drop_replication_slot('rewrites');
