-- schemas_enable: key and value carry their Connect schema
\pset format unaligned
SELECT 'init' FROM pg_create_logical_replication_slot('schemas', 'cdc_decoder');
CREATE TYPE schemas_mood AS ENUM ('sad', 'ok');
CREATE TABLE schemas (id serial PRIMARY KEY, v varchar(10) NOT NULL DEFAULT 'x', n numeric(10, 2), e schemas_mood DEFAULT 'ok', a int[], t timestamptz);
INSERT INTO schemas (n, a) VALUES (1.5, '{1,NULL}');
DELETE FROM schemas;
SELECT masked(replace(data, current_database(), 'db')) FROM pg_logical_slot_peek_changes('schemas', NULL, NULL, 'schemas_enable', 'true');
SELECT data::json ->> 'key' AS key FROM pg_logical_slot_get_changes('schemas', NULL, NULL, 'schemas_enable', 'true', 'format', 'record');
DROP TABLE schemas;
DROP TYPE schemas_mood;
SELECT pg_drop_replication_slot('schemas');
