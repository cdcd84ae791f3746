-- the envelope whole: field order, source block, transaction, times; positions and times are what they say
\pset format unaligned
SELECT 'init' FROM pg_create_logical_replication_slot('source', 'cdc_decoder');
CREATE TABLE source (id int PRIMARY KEY);
INSERT INTO source VALUES (1);
BEGIN;
INSERT INTO source VALUES (2);
INSERT INTO source VALUES (3);
COMMIT;
SELECT masked(replace(data, current_database(), 'db'))
FROM pg_logical_slot_peek_changes('source', NULL, NULL, 'topic_prefix', 'shop');
SELECT masked(replace(data, current_database(), 'db'))
FROM pg_logical_slot_peek_changes('source', NULL, NULL, 'topic_prefix', 'shop', 'format', 'record', 'table_include_list', 'public.source');
SELECT (s ->> 'txId')::xid = xid AS xid,
       s ->> 'lsn' IS NOT NULL AS lsn,
       (s ->> 'sequence')::json ->> 1 = s ->> 'lsn' AS sequence_lsn,
       (s ->> 'sequence')::json ->> 0 IS NULL AS first,
       (s ->> 'sequence')::json ->> 0 = lag((s ->> 'sequence')::json ->> 0) OVER () AS same_commit,
       (s ->> 'ts_us')::bigint / 1000 = (s ->> 'ts_ms')::bigint AS ms,
       (s ->> 'ts_us')::bigint * 1000 = (s ->> 'ts_ns')::bigint AS ns,
       abs((s ->> 'ts_ms')::bigint - extract(epoch FROM now()) * 1000) < 600000 AS recent
FROM (SELECT xid, data::json -> 'source' AS s FROM pg_logical_slot_get_changes('source', NULL, NULL)) c;
DROP TABLE source;
SELECT pg_drop_replication_slot('source');
