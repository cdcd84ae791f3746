-- TRUNCATE is skipped by default, as Debezium does; else one event a table
SELECT 'init' FROM pg_create_logical_replication_slot('truncate', 'cdc_decoder');
CREATE TABLE t_one (id int PRIMARY KEY);
CREATE TABLE t_two (id int PRIMARY KEY, one int REFERENCES t_one);
TRUNCATE t_one, t_two;
SELECT * FROM changes('truncate');
TRUNCATE t_one CASCADE;
SELECT * FROM changes('truncate', 'skipped_operations', 'none');
TRUNCATE t_one CASCADE;
SELECT * FROM records('truncate', 'skipped_operations', 'none');
-- only what is captured; frames carry it always
TRUNCATE t_one, t_two RESTART IDENTITY;
SELECT type, CASE WHEN type = 'T' THEN substr(body, 1, 5) END AS head FROM wire_messages('truncate', 'table_include_list', 'public.t_two');
DROP TABLE t_one, t_two;
SELECT pg_drop_replication_slot('truncate');
