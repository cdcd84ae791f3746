-- quotes, dots, upper case and Unicode in names
SELECT 'init' FROM pg_create_logical_replication_slot('names', 'cdc_decoder');
CREATE SCHEMA "Sch.ema";
CREATE TABLE "Sch.ema"."Ta""b.le\x" ("Ke y" int PRIMARY KEY, "va""l\ue" text, "日本" text, "a.b" int, " " int);
INSERT INTO "Sch.ema"."Ta""b.le\x" VALUES (1, 'v', '語', 2, 3);
CREATE TABLE "täble" (id int PRIMARY KEY);
INSERT INTO "täble" VALUES (1);
CREATE TABLE nothing_but_defaults ();
INSERT INTO nothing_but_defaults DEFAULT VALUES;
SELECT topic, key, op FROM records('names');
INSERT INTO "Sch.ema"."Ta""b.le\x" VALUES (2, 'v', '語', 2, 3);
SELECT * FROM changes('names');
INSERT INTO "Sch.ema"."Ta""b.le\x" VALUES (3, 'v', '語', 2, 3);
SELECT data::json -> 'source' ->> 'schema' AS schema, data::json -> 'source' ->> 'table' AS table,
       data::json -> 'after' ->> 'va"l\ue' AS value FROM pg_logical_slot_get_changes('names', NULL, NULL);
-- two columns that one field would hold; the slot goes on where it was, by another mode or without one of them
CREATE TABLE twins ("a-b" int, "a+b" int);
INSERT INTO twins VALUES (1, 2);
\set SHOW_CONTEXT never
SELECT data FROM pg_logical_slot_get_changes('names', NULL, NULL, 'field_name_adjustment_mode', 'avro');
\unset SHOW_CONTEXT
SELECT data::json -> 'after' AS after FROM pg_logical_slot_peek_changes('names', NULL, NULL,
    'field_name_adjustment_mode', 'avro', 'column_exclude_list', 'public.twins.a-b');
SELECT data::json -> 'after' AS after FROM pg_logical_slot_get_changes('names', NULL, NULL,
    'field_name_adjustment_mode', 'avro_unicode');
DROP TABLE twins;
DROP SCHEMA "Sch.ema" CASCADE;
DROP TABLE "täble", nothing_but_defaults;
SELECT pg_drop_replication_slot('names');
