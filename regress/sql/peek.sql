-- reading twice gives the same; reading in pieces gives the same
SELECT 'init' FROM pg_create_logical_replication_slot('peek', 'cdc_decoder');
CREATE TABLE peek (id int PRIMARY KEY, v text);
INSERT INTO peek SELECT g, 'v' FROM generate_series(1, 3) g;
UPDATE peek SET id = 10 WHERE id = 1;
ALTER TABLE peek ADD COLUMN w int DEFAULT 1;
DELETE FROM peek;
CREATE TABLE peek_first AS
    SELECT lsn, xid, regexp_replace(data, ',"ts_ms":\d+,"ts_us":\d+,"ts_ns":\d+\}$', '') AS data, row_number() OVER () AS n
    FROM pg_logical_slot_peek_changes('peek', NULL, NULL, 'table_include_list', 'public.peek');
CREATE TABLE peek_second AS
    SELECT lsn, xid, regexp_replace(data, ',"ts_ms":\d+,"ts_us":\d+,"ts_ns":\d+\}$', '') AS data, row_number() OVER () AS n
    FROM pg_logical_slot_peek_changes('peek', NULL, NULL, 'table_include_list', 'public.peek');
SELECT count(*) FROM peek_first;
SELECT * FROM (TABLE peek_first EXCEPT ALL TABLE peek_second) a;
SELECT * FROM (TABLE peek_second EXCEPT ALL TABLE peek_first) b;
-- frames, too
SELECT (SELECT string_agg(data, '') FROM pg_logical_slot_peek_binary_changes('peek', NULL, NULL, 'format', 'frame', 'table_include_list', 'public.peek'))
     = (SELECT string_agg(data, '') FROM pg_logical_slot_peek_binary_changes('peek', NULL, NULL, 'format', 'frame', 'table_include_list', 'public.peek')) AS same;
-- two slots in one backend keep apart what they know
SELECT 'init' FROM pg_copy_logical_replication_slot('peek', 'peek_copy');
SELECT a.n = b.n AS same, a.n FROM
    (SELECT count(*) AS n FROM pg_logical_slot_peek_changes('peek', NULL, NULL, 'table_include_list', 'public.peek')) a,
    (SELECT count(*) AS n FROM pg_logical_slot_peek_changes('peek_copy', NULL, NULL, 'table_include_list', 'public.peek')) b;
-- one transaction at a time
SELECT count(*) FROM pg_logical_slot_get_changes('peek', NULL, 1, 'table_include_list', 'public.peek');
SELECT count(*) FROM pg_logical_slot_get_changes('peek', NULL, 1, 'table_include_list', 'public.peek');
SELECT pg_drop_replication_slot('peek_copy');
DROP TABLE peek, peek_first, peek_second;
SELECT pg_drop_replication_slot('peek');
