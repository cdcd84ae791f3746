-- dates and times in every precision mode, with their special values; intervals
SELECT 'init' FROM pg_create_logical_replication_slot('types_time', 'cdc_decoder');
CREATE TABLE types_time (id int PRIMARY KEY, d date, t time, t3 time(3), tz timetz, ts timestamp, ts3 timestamp(3), tstz timestamptz, tstz0 timestamptz(0), iv interval);
INSERT INTO types_time VALUES
    (1, '2016-11-04', '13:51:30.123456', '13:51:30.123', '13:51:30.123789+02', '2016-11-04 13:51:30.123456', '2016-11-04 13:51:30.123', '2016-11-04 13:51:30.123456+02', '2016-11-04 13:51:30+02', '1 year 2 mons 3 days 04:05:06.78'),
    (2, '0001-12-31 BC', '24:00', '00:00', '24:00+00', '0044-03-15 12:00 BC', '1969-12-31 23:59:59.999', '294276-12-31 23:59:59+00', '4713-12-31 00:00+00 BC', '-1 mon -00:00:00.000001'),
    (3, '5874897-12-31', NULL, NULL, '00:00-15:59', NULL, NULL, '1970-01-01 00:00+00', NULL, '0');
INSERT INTO types_time (id, d, ts, ts3, tstz) VALUES (4, 'infinity', 'infinity', 'infinity', 'infinity'), (5, '-infinity', '-infinity', '-infinity', '-infinity');
SELECT data::json -> 'after' FROM pg_logical_slot_peek_changes('types_time', NULL, NULL);
SELECT mode, c.after
FROM unnest('{adaptive_time_microseconds,microseconds,nanoseconds,connect,isostring}'::text[]) mode,
     LATERAL (SELECT data::json ->> 'after' AS after FROM pg_logical_slot_peek_changes('types_time', NULL, NULL, 'time_precision_mode', mode)) c;
SELECT data::json -> 'after' ->> 'iv' AS interval FROM pg_logical_slot_get_changes('types_time', NULL, NULL, 'interval_handling_mode', 'string');
DROP TABLE types_time;
SELECT pg_drop_replication_slot('types_time');
