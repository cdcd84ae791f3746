-- a partition's changes are its own, and say whose partition it is
SELECT 'init' FROM pg_create_logical_replication_slot('partitions', 'cdc_decoder');
CREATE TABLE p_root (id int, k text, v text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE p_a PARTITION OF p_root FOR VALUES IN ('a');
CREATE TABLE p_b PARTITION OF p_root FOR VALUES IN ('b') PARTITION BY RANGE (id);
CREATE TABLE p_b1 PARTITION OF p_b FOR VALUES FROM (0) TO (100);
INSERT INTO p_root VALUES (1, 'a', 'v'), (2, 'b', 'v');
UPDATE p_root SET k = 'b' WHERE id = 1;
SELECT * FROM records('partitions');
-- with publish_via_partition_root filters know partitions by their root's name
INSERT INTO p_root VALUES (6, 'a', 'v');
SELECT count(*) FROM pg_logical_slot_peek_changes('partitions', NULL, NULL, 'publish_via_partition_root', 'true', 'table_include_list', 'public.p_a');
SELECT * FROM changes('partitions', 'publish_via_partition_root', 'true', 'table_include_list', 'public.p_root', 'column_exclude_list', 'public.p_root.v');
INSERT INTO p_root VALUES (3, 'b', 'v');
ALTER TABLE p_root RENAME TO p_renamed;
INSERT INTO p_renamed VALUES (4, 'b', 'v');
TRUNCATE p_renamed;
SELECT wire_line(type, body),
       CASE WHEN type = 'R' THEN position(convert_to('p_root', 'UTF8') IN body) > 0 END AS root,
       CASE WHEN type = 'R' THEN position(convert_to('p_renamed', 'UTF8') IN body) > 0 END AS renamed,
       CASE WHEN type = 'T' THEN wire_int(body, 0, 4) END AS truncated
FROM wire_messages('partitions') WHERE type NOT IN ('B', 'C');
DROP TABLE p_renamed;
SELECT pg_drop_replication_slot('partitions');
