-- whatever the database's encoding, the stream is UTF-8
SELECT current_database() AS home \gset
CREATE DATABASE cdc_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE cdc_ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
\c cdc_latin1
SET client_encoding = 'UTF8';
SELECT 'init' FROM pg_create_logical_replication_slot('encoding', 'cdc_decoder');
CREATE TYPE "größe" AS ENUM ('groß');
CREATE TABLE "tübingen" ("schlüssel" int PRIMARY KEY, "größe" "größe" DEFAULT 'groß', v text, j jsonb, a text[]);
INSERT INTO "tübingen" VALUES (1, 'groß', 'naïve', '{"k": "ü"}', '{ä,b}');
INSERT INTO "tübingen" VALUES (2, 'groß', repeat('é', 3000), NULL, NULL);
-- not as text by SQL
SELECT data FROM pg_logical_slot_peek_changes('encoding', NULL, NULL);
SELECT data FROM pg_logical_slot_peek_changes('encoding', NULL, NULL, 'format', 'record');
SELECT count(*),
       bool_or(position('\x74c3bc62696e67656e'::bytea IN data) > 0) AS table_name,
       bool_or(position('\x7363686cc3bc7373656c'::bytea IN data) > 0) AS column_name,
       bool_or(position('\x6772c3b6c39f6500'::bytea IN data) > 0) AS type_name,
       bool_or(position('\x67726fc39f'::bytea IN data) > 0) AS label,
       bool_or(position('\x6e61c3af7665'::bytea IN data) > 0) AS text,
       bool_or(position('\x7b226b223a2022c3bc227d'::bytea IN data) > 0) AS jsonb,
       bool_or(position('\x00000002c3a4'::bytea IN data) > 0) AS element,
       bool_or(position(decode(repeat('c3a9', 3000), 'hex') IN data) > 0) AS long_text
FROM pg_logical_slot_peek_binary_changes('encoding', NULL, NULL, 'format', 'frame');
SELECT pg_drop_replication_slot('encoding');
\c cdc_ascii
SET client_encoding = 'SQL_ASCII';
SELECT 'init' FROM pg_create_logical_replication_slot('encoding', 'cdc_decoder');
CREATE TABLE bytes (id int PRIMARY KEY, v text);
INSERT INTO bytes VALUES (1, convert_from('\x6162ff63c3a9e2', 'SQL_ASCII'));
-- what is UTF-8 already stays, other bytes become U+FFFD
SELECT bool_or(position('\x6162efbfbd63c3a9efbfbd'::bytea IN data) > 0) AS replaced
FROM pg_logical_slot_peek_binary_changes('encoding', NULL, NULL, 'format', 'frame');
-- or they are an error, by option
\set SHOW_CONTEXT never
SELECT data FROM pg_logical_slot_peek_binary_changes('encoding', NULL, NULL, 'format', 'frame', 'invalid_text_handling_mode', 'fail');
\set SHOW_CONTEXT errors
SELECT pg_drop_replication_slot('encoding');
\c :home
DROP DATABASE cdc_latin1;
DROP DATABASE cdc_ascii;
