-- a slot can be created, read and dropped; nothing is required of who creates it
SELECT slot_name, lsn IS NOT NULL AS lsn FROM pg_create_logical_replication_slot('slot', 'cdc_decoder');
SELECT slot_name, plugin, slot_type FROM pg_replication_slots;
SELECT data FROM pg_logical_slot_get_changes('slot', NULL, NULL);
-- frames are binary, which only the binary functions can return
SELECT data FROM pg_logical_slot_get_changes('slot', NULL, NULL, 'format', 'frame');
SELECT slot_name FROM pg_copy_logical_replication_slot('slot', 'slot_copy');
SELECT pg_drop_replication_slot('slot_copy');
SELECT pg_drop_replication_slot('slot');
