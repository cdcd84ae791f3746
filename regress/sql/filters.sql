-- tables, schemas and columns that are captured or not
SELECT 'init' FROM pg_create_logical_replication_slot('filters', 'cdc_decoder');
CREATE SCHEMA f_other;
CREATE TABLE f_users (id int PRIMARY KEY, name text, secret text);
CREATE TABLE f_orders (id int PRIMARY KEY, secret text);
CREATE TABLE f_other.f_users (id int PRIMARY KEY, secret text);
INSERT INTO f_users VALUES (1, 'n', 's');
INSERT INTO f_orders VALUES (1, 's');
INSERT INTO f_other.f_users VALUES (1, 's');
CREATE FUNCTION captured(VARIADIC options text[] DEFAULT '{}') RETURNS SETOF text LANGUAGE sql AS $$
    SELECT (data::json -> 'source' ->> 'schema') || '.' || (data::json -> 'source' ->> 'table') || ' ' || (data::json ->> 'after')
    FROM pg_logical_slot_peek_changes('filters', NULL, NULL, VARIADIC options)
$$;
SELECT * FROM captured('table_include_list', 'public.f_users');
SELECT * FROM captured('table_include_list', '.*\.F_USERS , public\.f_ord.*');
SELECT * FROM captured('table_include_list', 'f_users');
SELECT * FROM captured('table_exclude_list', 'public\..*');
SELECT * FROM captured('schema_include_list', 'f_.*');
SELECT * FROM captured('schema_exclude_list', 'f_other', 'table_exclude_list', 'public.f_orders');
SELECT * FROM captured('column_exclude_list', '.*\.secret');
SELECT * FROM captured('column_include_list', 'public.f_users.(id|name)');
-- what is excluded does not leave the server
SELECT count(*) FILTER (WHERE position('\x736563726574'::bytea IN data) > 0)
FROM pg_logical_slot_peek_binary_changes('filters', NULL, NULL, 'format', 'frame', 'column_exclude_list', '.*\.secret');
-- never captured: system tables, materialized views, sequences, unlogged and temporary tables
CREATE MATERIALIZED VIEW f_view AS SELECT * FROM f_users;
CREATE UNIQUE INDEX ON f_view (id);
INSERT INTO f_users VALUES (2, 'n', 's');
REFRESH MATERIALIZED VIEW f_view;
INSERT INTO f_users VALUES (3, 'n', 's');
REFRESH MATERIALIZED VIEW CONCURRENTLY f_view;
CREATE UNLOGGED TABLE f_unlogged (id int);
INSERT INTO f_unlogged VALUES (1);
CREATE TEMP TABLE f_temporary (id int);
INSERT INTO f_temporary VALUES (1);
BEGIN;
UPDATE information_schema.sql_sizing SET comments = 'x' WHERE sizing_id = 34;
COMMIT;
-- a table that is rewritten is no change of its rows
ALTER TABLE f_orders ALTER COLUMN id TYPE bigint;
VACUUM FULL f_users;
SELECT * FROM captured();
DROP FUNCTION captured;
DROP MATERIALIZED VIEW f_view;
DROP TABLE f_users, f_orders, f_unlogged, f_temporary;
DROP SCHEMA f_other CASCADE;
SELECT pg_drop_replication_slot('filters');
