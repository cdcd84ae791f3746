-- each row has the columns that its table had when it was written
SELECT 'init' FROM pg_create_logical_replication_slot('ddl', 'cdc_decoder');
CREATE TABLE ddl (id int PRIMARY KEY, v text);
INSERT INTO ddl VALUES (1, 'a');
ALTER TABLE ddl ADD COLUMN n int;
INSERT INTO ddl VALUES (2, 'b', 2);
ALTER TABLE ddl ADD COLUMN d int NOT NULL DEFAULT 7;
UPDATE ddl SET n = 3 WHERE id = 1;
ALTER TABLE ddl DROP COLUMN v;
INSERT INTO ddl VALUES (3, 3, 3);
ALTER TABLE ddl RENAME COLUMN n TO m;
INSERT INTO ddl VALUES (4, 4, 4);
ALTER TABLE ddl ALTER COLUMN m TYPE text;
INSERT INTO ddl VALUES (5, 'five', 5);
ALTER TABLE ddl RENAME TO ddl_renamed;
INSERT INTO ddl_renamed VALUES (6, 'six', 6);
-- all in one transaction, and a part that is rolled back
BEGIN;
INSERT INTO ddl_renamed VALUES (7, 'seven', 7);
SAVEPOINT s;
ALTER TABLE ddl_renamed ADD COLUMN never int;
INSERT INTO ddl_renamed VALUES (8, 'eight', 8, 8);
ROLLBACK TO s;
ALTER TABLE ddl_renamed ADD COLUMN always int;
INSERT INTO ddl_renamed VALUES (9, 'nine', 9, 9);
ALTER TABLE ddl_renamed DROP COLUMN always;
DELETE FROM ddl_renamed WHERE id = 9;
CREATE TABLE ddl_new AS SELECT 1 AS one;
INSERT INTO ddl_new VALUES (2);
DROP TABLE ddl_new;
COMMIT;
-- the table is gone before anything is read
DROP TABLE ddl_renamed;
SELECT * FROM changes('ddl');
SELECT pg_drop_replication_slot('ddl');
