-- a transaction larger than logical_decoding_work_mem, with subtransactions, comes whole and in order
SET logical_decoding_work_mem = '64kB';
SELECT 'init' FROM pg_create_logical_replication_slot('spill', 'cdc_decoder');
CREATE TABLE spill (id int PRIMARY KEY, v text, big text);
ALTER TABLE spill ALTER COLUMN big SET STORAGE EXTERNAL;
BEGIN;
INSERT INTO spill SELECT g, 'row ' || g FROM generate_series(1, 5000) g;
SAVEPOINT s;
INSERT INTO spill SELECT g, 'row ' || g FROM generate_series(5001, 9000) g;
ROLLBACK TO s;
INSERT INTO spill SELECT g, 'row ' || g, repeat('big', 2000) FROM generate_series(9001, 9050) g;
UPDATE spill SET v = 'changed' WHERE id % 2 = 0 AND id <= 5000;
COMMIT;
SELECT op, count(*), min(id), max(id), bool_and(id > before) AS in_order, min(big), max(big)
FROM (SELECT data::json ->> 'op' AS op, (data::json -> 'after' ->> 'id')::int AS id, length(data::json -> 'after' ->> 'big') AS big,
             lag((data::json -> 'after' ->> 'id')::int, 1, 0) OVER (PARTITION BY data::json ->> 'op') AS before
      FROM pg_logical_slot_peek_changes('spill', NULL, NULL)) c
GROUP BY op ORDER BY op;
SELECT type, count(*) FROM wire_messages('spill') GROUP BY type ORDER BY type;
DROP TABLE spill;
SELECT pg_drop_replication_slot('spill');
