-- an unchanged TOAST value is the placeholder, neither null nor absent
SELECT 'init' FROM pg_create_logical_replication_slot('toast', 'cdc_decoder');
CREATE TABLE toast (id int PRIMARY KEY, big text, packed text, bytes bytea, list text[]);
ALTER TABLE toast ALTER COLUMN big SET STORAGE EXTERNAL, ALTER COLUMN bytes SET STORAGE EXTERNAL, ALTER COLUMN list SET STORAGE EXTERNAL;
INSERT INTO toast VALUES (1, repeat('x', 5000), repeat('packed ', 1000), repeat('b', 3000)::bytea, array_fill('element'::text, ARRAY[500]));
SELECT length((data::json -> 'after' ->> 'big')) AS big, length((data::json -> 'after' ->> 'packed')) AS packed,
       length(decode(data::json -> 'after' ->> 'bytes', 'base64')) AS bytes, json_array_length(data::json -> 'after' -> 'list') AS list
FROM pg_logical_slot_get_changes('toast', NULL, NULL);
UPDATE toast SET id = id;
SELECT replace(changes, repeat('packed ', 1000), '1000 packed') FROM changes('toast');
UPDATE toast SET packed = 'now small';
SELECT * FROM changes('toast', 'unavailable_value_placeholder', 'gone');
-- in a frame the bytes are not there
UPDATE toast SET packed = 'smaller';
SELECT wire_line(type, body) FROM wire_messages('toast') WHERE type = 'U';
-- one of them changes
UPDATE toast SET big = repeat('y', 3000);
SELECT replace(changes, repeat('y', 3000), '3000 y') FROM changes('toast');
-- under FULL the old row has it, and so has the new one
ALTER TABLE toast REPLICA IDENTITY FULL;
UPDATE toast SET packed = 'again', list = NULL, bytes = NULL;
SELECT count(*) FROM changes('toast');
UPDATE toast SET packed = 'and again';
SELECT replace(changes, repeat('y', 3000), '3000 y') FROM changes('toast');
DROP TABLE toast;
SELECT pg_drop_replication_slot('toast');
