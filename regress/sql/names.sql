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
DROP SCHEMA "Sch.ema" CASCADE;
DROP TABLE "täble", nothing_but_defaults;
SELECT pg_drop_replication_slot('names');
