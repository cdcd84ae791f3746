-- the key: the primary key in its own order, else the first unique index over plain columns, else none
SELECT 'init' FROM pg_create_logical_replication_slot('keys', 'cdc_decoder');
CREATE TABLE k_order (a int, b int, c int, PRIMARY KEY (c, a));
CREATE TABLE k_unique (a int, b int NOT NULL, c int NOT NULL);
CREATE UNIQUE INDEX k_unique_z ON k_unique (c);
CREATE UNIQUE INDEX k_unique_a ON k_unique (b, c);
CREATE TABLE k_clustered (a int, b int NOT NULL, c int NOT NULL);
CREATE UNIQUE INDEX k_clustered_a ON k_clustered (b);
CREATE UNIQUE INDEX k_clustered_z ON k_clustered (c);
CLUSTER k_clustered USING k_clustered_z;
CREATE TABLE k_unsuited (a int NOT NULL, b int NOT NULL);
CREATE UNIQUE INDEX k_unsuited_expression ON k_unsuited ((a + 1));
CREATE UNIQUE INDEX k_unsuited_partial ON k_unsuited (a) WHERE b > 0;
CREATE INDEX k_unsuited_plain ON k_unsuited (a);
CREATE TABLE k_include (a int NOT NULL, b int);
CREATE UNIQUE INDEX k_include_a ON k_include (a) INCLUDE (b);
CREATE TABLE k_none (a int, b int);
CREATE TABLE k_only (a int PRIMARY KEY);
INSERT INTO k_order VALUES (1, 2, 3);
INSERT INTO k_unique VALUES (1, 2, 3);
INSERT INTO k_clustered VALUES (1, 2, 3);
INSERT INTO k_unsuited VALUES (1, 2);
INSERT INTO k_include VALUES (1, 2);
INSERT INTO k_none VALUES (1, 2);
INSERT INTO k_only VALUES (1);
SELECT topic, key, op FROM records('keys');
-- an excluded key column stays in the key
INSERT INTO k_order VALUES (4, 5, 6);
SELECT data::json ->> 'key' AS key, (data::json ->> 'value')::json -> 'after' AS after
FROM pg_logical_slot_get_changes('keys', NULL, NULL, 'format', 'record', 'column_exclude_list', 'public.k_order.a');
-- a key that comes, changes and goes
ALTER TABLE k_none ADD PRIMARY KEY (b);
INSERT INTO k_none VALUES (1, 3);
ALTER TABLE k_none DROP CONSTRAINT k_none_pkey, ADD PRIMARY KEY (a, b);
INSERT INTO k_none VALUES (1, 4);
ALTER TABLE k_none DROP CONSTRAINT k_none_pkey;
INSERT INTO k_none VALUES (1, 5);
SELECT topic, key, op FROM records('keys');
DROP TABLE k_order, k_unique, k_clustered, k_unsuited, k_include, k_none, k_only;
SELECT pg_drop_replication_slot('keys');
