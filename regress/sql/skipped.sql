-- operations that nobody wants
SELECT 'init' FROM pg_create_logical_replication_slot('skipped', 'cdc_decoder');
CREATE TABLE skipped (id int PRIMARY KEY);
INSERT INTO skipped VALUES (1);
UPDATE skipped SET id = 1;
UPDATE skipped SET id = 2;
DELETE FROM skipped;
SELECT data::json ->> 'op' AS op FROM pg_logical_slot_peek_changes('skipped', NULL, NULL, 'skipped_operations', 'c');
SELECT data::json ->> 'op' AS op FROM pg_logical_slot_peek_changes('skipped', NULL, NULL, 'skipped_operations', 'u,d');
SELECT count(*) FROM pg_logical_slot_peek_changes('skipped', NULL, NULL, 'skipped_operations', 'c,u,d');
-- not in frames, which silver needs whole
SELECT string_agg(type, '') FROM wire_messages('skipped', 'skipped_operations', 'c,u,d');
DROP TABLE skipped;
SELECT pg_drop_replication_slot('skipped');
