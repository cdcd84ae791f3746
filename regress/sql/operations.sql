-- insert, update, delete as envelopes: op, before, after; the value's every byte but source and times
SELECT 'init' FROM pg_create_logical_replication_slot('operations', 'cdc_decoder');
CREATE TABLE operations (id int PRIMARY KEY, v text);
INSERT INTO operations VALUES (1, 'a');
UPDATE operations SET v = 'b';
UPDATE operations SET v = NULL;
DELETE FROM operations;
SELECT * FROM changes('operations');
-- nothing is left
SELECT * FROM changes('operations');
DROP TABLE operations;
SELECT pg_drop_replication_slot('operations');
