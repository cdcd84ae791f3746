-- frames: a version byte, messages of one transaction, about 64 KiB, nothing for empty transactions
SELECT 'init' FROM pg_create_logical_replication_slot('frame', 'cdc_decoder');
CREATE TABLE frame (id int PRIMARY KEY, v text);
INSERT INTO frame VALUES (1, 'a'), (2, 'b');
UPDATE frame SET v = 'c' WHERE id = 1;
UPDATE frame SET id = 3 WHERE id = 1;
DELETE FROM frame WHERE id = 2;
TRUNCATE frame;
SELECT frame, wire_line(type, body) FROM wire_messages('frame');

-- positions: a row's own, the commit record's start and end, and one transaction id
BEGIN;
INSERT INTO frame VALUES (1, 'a');
INSERT INTO frame VALUES (2, 'b');
COMMIT;
CREATE TABLE frame_kept AS SELECT *, row_number() OVER () AS n FROM wire_messages('frame');
SELECT string_agg(type, '' ORDER BY n) AS types,
       max(wire_int(body, 0, 8)) FILTER (WHERE type = 'B') = max(wire_int(body, 1, 8)) FILTER (WHERE type = 'C') AS commit_lsn,
       max(wire_int(body, 8, 8)) FILTER (WHERE type = 'B') = max(wire_int(body, 17, 8)) FILTER (WHERE type = 'C') AS commit_time,
       max(lsn) FILTER (WHERE type = 'C') = max(wire_int(body, 9, 8)) FILTER (WHERE type = 'C') AS end_lsn,
       max(lsn) FILTER (WHERE type = 'B') = min(lsn) FILTER (WHERE type = 'I') AS first_lsn,
       count(DISTINCT lsn) FILTER (WHERE type = 'I') AS row_lsns,
       bool_and(lsn < (SELECT lsn FROM frame_kept WHERE type = 'C')) FILTER (WHERE type = 'I') AS before_end
FROM frame_kept;
DROP TABLE frame_kept;

-- a transaction of 100,000 rows in frames of 64 KiB, and one value that needs a frame of its own
INSERT INTO frame SELECT g, 'x' FROM generate_series(100, 100099) g;
SELECT count(*) > 50 AS many, min(length(data)) FILTER (WHERE n < last) >= 65536 AS full_ones, max(length(data)) < 70000 AS bounded
FROM (SELECT data, row_number() OVER () AS n, count(*) OVER () AS last
      FROM pg_logical_slot_get_binary_changes('frame', NULL, NULL, 'format', 'frame', 'table_include_list', 'public.frame')) f;
INSERT INTO frame VALUES (10, 'small'), (11, repeat('large', 100000)), (12, 'small');
SELECT length(data) > 500000 AS large FROM pg_logical_slot_get_binary_changes('frame', NULL, NULL, 'format', 'frame');

-- messages: a non-transactional one goes out at once, by itself
BEGIN;
INSERT INTO frame VALUES (20, 'before');
SELECT 'emitted' FROM pg_logical_emit_message(false, 'now', 'x');
SELECT 'emitted' FROM pg_logical_emit_message(true, 'later', E'\\001'::bytea);
COMMIT;
SELECT frame, type, CASE WHEN type = 'M' THEN get_byte(body, 0) END AS transactional, CASE WHEN type = 'M' THEN substr(body, 10) END AS rest
FROM wire_messages('frame');

-- rolled back, empty, filtered: nothing
BEGIN;
INSERT INTO frame VALUES (30, 'never');
ROLLBACK;
CREATE TABLE frame_other (id int);
INSERT INTO frame_other VALUES (1);
DROP TABLE frame_other;
SELECT * FROM wire_messages('frame', 'table_include_list', 'public.frame');

-- where a change came from
SELECT 'origin' FROM pg_replication_origin_create('frame_origin');
SELECT pg_replication_origin_session_setup('frame_origin');
BEGIN;
SELECT pg_replication_origin_xact_setup('1/ABCD', '2020-01-01');
INSERT INTO frame VALUES (40, 'from elsewhere');
COMMIT;
SELECT pg_replication_origin_session_reset();
SELECT frame, wire_line(type, body), CASE WHEN type = 'O' THEN body END AS origin FROM wire_messages('frame');
SELECT pg_replication_origin_drop('frame_origin');
DROP TABLE frame;
SELECT pg_drop_replication_slot('frame');
