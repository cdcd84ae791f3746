-- the Relation message: sent once, sent again when the table changes, right as of each row
SELECT 'init' FROM pg_create_logical_replication_slot('relation', 'cdc_decoder');
CREATE TABLE relation (id int PRIMARY KEY, v text);
INSERT INTO relation VALUES (1, 'a');
INSERT INTO relation VALUES (2, 'b');
-- in one transaction, rows of three shapes
BEGIN;
INSERT INTO relation VALUES (3, 'c');
ALTER TABLE relation ADD COLUMN n int DEFAULT 7;
UPDATE relation SET v = 'd' WHERE id = 1;
ALTER TABLE relation DROP COLUMN v;
INSERT INTO relation VALUES (4, 8);
COMMIT;
-- nothing changed: not sent again
ANALYZE relation;
INSERT INTO relation VALUES (5, 9);
-- what changes the description
ALTER TABLE relation RENAME COLUMN n TO m;
INSERT INTO relation VALUES (6, 9);
ALTER TABLE relation ALTER COLUMN m TYPE bigint;
INSERT INTO relation VALUES (7, 9);
ALTER TABLE relation ALTER COLUMN m SET DEFAULT 10;
INSERT INTO relation VALUES (8);
ALTER TABLE relation REPLICA IDENTITY FULL;
DELETE FROM relation WHERE id = 8;
ALTER TABLE relation DROP CONSTRAINT relation_pkey;
DELETE FROM relation WHERE id = 7;
ALTER TABLE relation RENAME TO relation_renamed;
DELETE FROM relation_renamed WHERE id = 6;
CREATE SCHEMA relation_schema;
ALTER TABLE relation_renamed SET SCHEMA relation_schema;
DELETE FROM relation_schema.relation_renamed WHERE id = 5;
ALTER SCHEMA relation_schema RENAME TO relation_other;
DELETE FROM relation_other.relation_renamed WHERE id = 4;
-- rolled back DDL changes nothing
BEGIN;
ALTER TABLE relation_other.relation_renamed ADD COLUMN never int;
ROLLBACK;
DELETE FROM relation_other.relation_renamed WHERE id = 3;
SELECT wire_line(type, body),
       CASE WHEN type = 'R' THEN convert_from(substr(body, 5, position('\x00'::bytea IN substr(body, 5)) - 1), 'UTF8') END AS schema,
       CASE WHEN type = 'R' THEN length(body) END AS length
FROM wire_messages('relation') WHERE type NOT IN ('B', 'C');
DROP SCHEMA relation_other CASCADE;

-- types: a label, a label renamed, a domain, a type renamed
CREATE TYPE relation_mood AS ENUM ('sad', 'happy');
CREATE TABLE relation (e relation_mood, ae relation_mood[]);
INSERT INTO relation VALUES ('sad', '{happy}');
ALTER TYPE relation_mood ADD VALUE 'ok' BEFORE 'happy';
INSERT INTO relation VALUES ('ok', '{ok,sad}');
ALTER TYPE relation_mood RENAME VALUE 'sad' TO 'blue';
INSERT INTO relation VALUES ('blue', '{blue,happy}');
ALTER TYPE relation_mood RENAME TO relation_feeling;
INSERT INTO relation VALUES ('happy', '{}');
SELECT type,
       CASE WHEN type = 'R' THEN array_remove(ARRAY[
           CASE WHEN position(convert_to('sad', 'UTF8') IN body) > 0 THEN 'sad' END,
           CASE WHEN position(convert_to('blue', 'UTF8') IN body) > 0 THEN 'blue' END,
           CASE WHEN position(convert_to('relation_mood', 'UTF8') IN body) > 0 THEN 'relation_mood' END,
           CASE WHEN position(convert_to('relation_feeling', 'UTF8') IN body) > 0 THEN 'relation_feeling' END,
           CASE WHEN position('\x6f6b00'::bytea IN body) < position('\x686170707900'::bytea IN body)
                 AND position('\x6f6b00'::bytea IN body) > 0 THEN 'ok, then happy' END], NULL)
       ELSE (SELECT array_agg(CASE WHEN at = 1 THEN convert_from(bytes, 'UTF8') ELSE overlay(bytes PLACING '\x00000000' FROM 9)::text END) FROM wire_values(body)) END
FROM wire_messages('relation') WHERE type NOT IN ('B', 'C');
DROP TABLE relation;
DROP TYPE relation_feeling;
SELECT pg_drop_replication_slot('relation');
