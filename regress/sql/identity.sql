-- before and after by replica identity
SELECT 'init' FROM pg_create_logical_replication_slot('identity', 'cdc_decoder');
CREATE TABLE i_default (id int PRIMARY KEY, k int NOT NULL, v text);
CREATE TABLE i_full (LIKE i_default INCLUDING ALL);
CREATE TABLE i_index (LIKE i_default INCLUDING ALL);
CREATE TABLE i_nothing (LIKE i_default INCLUDING ALL);
CREATE TABLE i_nokey (id int, k int NOT NULL, v text);
CREATE TABLE i_nokey_full (LIKE i_nokey);
CREATE UNIQUE INDEX i_index_k ON i_index (k);
ALTER TABLE i_full REPLICA IDENTITY FULL;
ALTER TABLE i_index REPLICA IDENTITY USING INDEX i_index_k;
ALTER TABLE i_nothing REPLICA IDENTITY NOTHING;
ALTER TABLE i_nokey_full REPLICA IDENTITY FULL;

INSERT INTO i_default VALUES (1, 1, 'a'); UPDATE i_default SET v = 'b'; UPDATE i_default SET id = 2; DELETE FROM i_default;
SELECT * FROM records('identity');
INSERT INTO i_default VALUES (1, 1, 'a'); UPDATE i_default SET v = 'b'; UPDATE i_default SET id = 2; DELETE FROM i_default;
SELECT * FROM changes('identity');

INSERT INTO i_full VALUES (1, 1, 'a'); UPDATE i_full SET v = 'b'; UPDATE i_full SET id = 2; UPDATE i_full SET v = v; DELETE FROM i_full;
SELECT * FROM changes('identity');

INSERT INTO i_index VALUES (1, 1, 'a'); UPDATE i_index SET v = 'b'; UPDATE i_index SET k = 2; UPDATE i_index SET id = 2; DELETE FROM i_index;
SELECT * FROM changes('identity');

-- a delete that does not say of what is no event
INSERT INTO i_nothing VALUES (1, 1, 'a'); UPDATE i_nothing SET v = 'b'; UPDATE i_nothing SET id = 2; DELETE FROM i_nothing;
SELECT * FROM changes('identity');
INSERT INTO i_nokey VALUES (1, 1, 'a'); UPDATE i_nokey SET v = 'b'; DELETE FROM i_nokey;
SELECT * FROM changes('identity');
INSERT INTO i_nokey_full VALUES (1, 1, 'a'); UPDATE i_nokey_full SET v = 'b'; DELETE FROM i_nokey_full;
SELECT * FROM changes('identity');
DROP TABLE i_default, i_full, i_index, i_nothing, i_nokey, i_nokey_full;
SELECT pg_drop_replication_slot('identity');
