-- logical messages as events, by SQL: transactional ones at their commit, others at once, chosen by prefix
SELECT 'init' FROM pg_create_logical_replication_slot('messages', 'cdc_decoder');
CREATE FUNCTION plain(slot name, VARIADIC options text[] DEFAULT '{}') RETURNS SETOF text
LANGUAGE sql AS $$ SELECT masked(data) FROM pg_logical_slot_peek_changes(slot, NULL, NULL, VARIADIC options) $$;
-- topic, key, and of the value what is not of every event
CREATE FUNCTION messages(slot name, VARIADIC options text[] DEFAULT '{}')
RETURNS TABLE (topic text, key text, op text, transactional boolean, message text, headers json)
LANGUAGE sql AS $$
    SELECT r ->> 'topic', r ->> 'key', v ->> 'op', v -> 'source' ->> 'txId' IS NOT NULL, v ->> 'message', r -> 'headers'
    FROM (SELECT data::json AS r, (data::json ->> 'value')::json AS v
          FROM pg_logical_slot_peek_changes(slot, NULL, NULL, VARIADIC ARRAY['format', 'record'] || options)) d
$$;
SELECT 'emitted' FROM pg_logical_emit_message(false, 'now', 'x');
BEGIN;
SELECT 'emitted' FROM pg_logical_emit_message(true, 'later', E'\\001\\377'::bytea);
SELECT 'emitted' FROM pg_logical_emit_message(false, 'not "undone"', '');
SELECT 'emitted' FROM pg_logical_emit_message(true, '', 'no prefix');
ROLLBACK;
BEGIN;
CREATE TABLE messages_t (id int PRIMARY KEY);
INSERT INTO messages_t VALUES (1);
SELECT 'emitted' FROM pg_logical_emit_message(true, 'later', E'\\001\\377'::bytea);
SELECT 'emitted' FROM pg_logical_emit_message(false, 'now', 'overtakes');
INSERT INTO messages_t VALUES (2);
SELECT 'emitted' FROM pg_logical_emit_message(true, '', 'no prefix');
COMMIT;
-- format=json: the value alone
SELECT * FROM plain('messages');
SELECT data::json -> 'schema' ->> 'name' AS schema, masked(data::json ->> 'payload') AS payload
FROM pg_logical_slot_peek_changes('messages', NULL, NULL, 'message_prefix_include_list', 'later', 'table_exclude_list', '.*',
    'schemas_enable', 'true');
-- format=record
SELECT * FROM messages('messages') WHERE op = 'm';
SELECT topic, key, transactional FROM messages('messages', 'topic_prefix', 'p', 'schemas_enable', 'false') WHERE op = 'm';
-- prefix lists: anchored, without case; the exclude list acts where there is no include list
SELECT key, message FROM messages('messages', 'message_prefix_include_list', 'NOW,not.*') WHERE op = 'm';
SELECT key, message FROM messages('messages', 'message_prefix_exclude_list', 'no') WHERE op = 'm';
SELECT key, message FROM messages('messages', 'message_prefix_exclude_list', 'now|later|') WHERE op = 'm';
SELECT key, message FROM messages('messages', 'message_prefix_include_list', 'later', 'message_prefix_exclude_list', '.*') WHERE op = 'm';
SELECT count(*) FROM messages('messages', 'message_prefix_include_list', 'none', 'table_exclude_list', '.*');
-- of transactions with metadata: a transactional one is counted
SELECT regexp_replace(masked(data), '"\d+:\d+"', '"0:0"') AS data
FROM pg_logical_slot_get_changes('messages', NULL, NULL, 'provide_transaction_metadata', 'true')
WHERE data LIKE '%"op":"m"%' OR data LIKE '%"status":%';
DROP FUNCTION plain, messages;
DROP TABLE messages_t;
SELECT pg_drop_replication_slot('messages');
