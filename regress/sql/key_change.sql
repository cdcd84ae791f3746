-- an update of the key: delete of the old one, tombstone, create of the new one; headers name the other key
SELECT 'init' FROM pg_create_logical_replication_slot('key_change', 'cdc_decoder');
CREATE TABLE key_change (a int, b text, v text, PRIMARY KEY (b, a));
INSERT INTO key_change VALUES (1, 'x', 'v');
UPDATE key_change SET b = 'y';
UPDATE key_change SET v = 'w';
UPDATE key_change SET a = 1;
DELETE FROM key_change;
SELECT * FROM records('key_change');
-- without tombstones
INSERT INTO key_change VALUES (1, 'x', 'v');
UPDATE key_change SET b = 'y';
DELETE FROM key_change;
SELECT * FROM records('key_change', 'tombstones_on_delete', 'false');
-- with the whole old row
ALTER TABLE key_change REPLICA IDENTITY FULL;
INSERT INTO key_change VALUES (1, 'x', 'v');
UPDATE key_change SET b = 'y';
SELECT * FROM changes('key_change');
DROP TABLE key_change;
SELECT pg_drop_replication_slot('key_change');
