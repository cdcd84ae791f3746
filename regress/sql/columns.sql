-- columns that are not sent, and what the catalog says of those that are
SELECT 'init' FROM pg_create_logical_replication_slot('columns', 'cdc_decoder');
CREATE DOMAIN c_inner AS numeric(10, 2) DEFAULT 5;
CREATE DOMAIN c_outer AS c_inner CHECK (VALUE > 0);
CREATE TABLE columns (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gone int,
    twice int GENERATED ALWAYS AS (length(v) * 2) STORED,
    v text DEFAULT 'x',
    d c_outer,
    n numeric DEFAULT 1.10 + 2);
ALTER TABLE columns DROP COLUMN gone;
INSERT INTO columns DEFAULT VALUES;
UPDATE columns SET v = 'changed', d = 7;
SELECT * FROM changes('columns', 'decimal_handling_mode', 'string');
-- defaults do not depend on the reader's settings, nor does the description
CREATE TABLE c_defaults (id int PRIMARY KEY, ts timestamptz DEFAULT '2020-06-01 12:00:00+00', iv interval DEFAULT '1 day 2 hours', b bytea DEFAULT '\x00ff');
INSERT INTO c_defaults (id) VALUES (1);
CREATE TABLE c_plain AS SELECT body FROM pg_logical_slot_peek_binary_changes('columns', NULL, NULL, 'format', 'frame', 'table_include_list', 'public.c_defaults') AS p (lsn, xid, body);
SET datestyle = 'SQL, DMY';
SET intervalstyle = 'iso_8601';
SET bytea_output = 'escape';
SET timezone = 'Asia/Tokyo';
SELECT p.body = c.body AS same FROM c_plain p, LATERAL (
    SELECT data AS body FROM pg_logical_slot_peek_binary_changes('columns', NULL, NULL, 'format', 'frame', 'table_include_list', 'public.c_defaults')) c;
RESET datestyle;
RESET intervalstyle;
RESET bytea_output;
RESET timezone;
DROP TABLE columns, c_defaults, c_plain;
DROP DOMAIN c_outer, c_inner;
SELECT pg_drop_replication_slot('columns');
