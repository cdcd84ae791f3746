-- an option that is not recognized, given twice, or has a bad value is an error that says what to do
SELECT 'init' FROM pg_create_logical_replication_slot('options', 'cdc_decoder');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'fromat', 'json');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'topic_prefx', 'x');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'topic.prefix', 'x');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'zzzzzzzzzzzzzzzzzzzzz', 'x');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, repeat('long', 100), 'x');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, '', 'x');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'format', 'xml');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'format', 'json', 'format', 'json');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'topic_prefix', 'a', 'topic_prefix', 'a');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'decimal_handling_mode', 'exact');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'time_precision_mode', 'seconds');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'schemas_enable', 'maybe');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'skipped_operations', 'c,x');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'table_include_list', 'public.(a');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'table_include_list', 'public.(?=a)');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'table_include_list', '((a{1000}){1000})');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'table_include_list', 'a**');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'event_processing_failure_handling_mode', 'ignore');
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL, 'invalid_text_handling_mode', 'warn');
-- every one of these is fine
SELECT data FROM pg_logical_slot_get_changes('options', NULL, NULL,
    'format', 'JSON', 'topic_prefix', 'p', 'topic_delimiter', '-',
    'table_include_list', 'public.users, public.(orders|items)', 'column_exclude_list', '',
    'decimal_handling_mode', 'string', 'time_precision_mode', 'connect', 'binary_handling_mode', 'hex',
    'interval_handling_mode', 'string', 'tombstones_on_delete', 'false', 'skipped_operations', 'none',
    'schemas_enable', 'true', 'replace_null_with_default', 'false', 'extended_headers_enabled', 'false',
    'event_processing_failure_handling_mode', 'warn', 'invalid_text_handling_mode', 'fail',
    'include_unknown_datatypes', 'true', 'unavailable_value_placeholder', 'gone');
SELECT pg_drop_replication_slot('options');
