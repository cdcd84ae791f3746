-- bytea in its modes, bit strings
SELECT 'init' FROM pg_create_logical_replication_slot('types_bytes', 'cdc_decoder');
CREATE TABLE types_bytes (id int PRIMARY KEY, b bytea, b1 bit(1), b5 bit(5), v varbit(20));
INSERT INTO types_bytes VALUES (1, '\x010203', '1', '10101', '1100000001'), (2, '', '0', '00000', ''), (3, '\xfffefd', NULL, NULL, NULL), (4, NULL, NULL, NULL, NULL);
SELECT mode, c.after
FROM unnest('{bytes,base64,base64-url-safe,hex}'::text[]) mode,
     LATERAL (SELECT data::json ->> 'after' AS after FROM pg_logical_slot_peek_changes('types_bytes', NULL, NULL, 'binary_handling_mode', mode)) c;
DROP TABLE types_bytes;
SELECT pg_drop_replication_slot('types_bytes');
