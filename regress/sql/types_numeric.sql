-- integers, floating point, numeric in its three modes, money
SELECT 'init' FROM pg_create_logical_replication_slot('types_numeric', 'cdc_decoder');
CREATE TABLE types_numeric (id int PRIMARY KEY, i2 int2, i8 int8, o oid, f4 float4, f8 float8, n numeric, n5 numeric(5, 2), n0 numeric(10, 0), m money);
INSERT INTO types_numeric VALUES
    (1, -32768, -9223372036854775808, 4294967295, 3.3, 4.44, 10.1111, 1.10, 10, 12.34),
    (2, 32767, 9223372036854775807, 0, 1e10, 1e100, 123456789012345678901234567890.0123456789, -999.99, -9999999999, -12.34),
    (3, 0, 0, 1, 0, '-0', 0, 0, 0, 0),
    (4, 1, 1, 1, 1e-45, 4.9e-324, 1e-20, 0.01, 1, 92233720368547758.07),
    (5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO types_numeric (id, f4, f8, n, n5) VALUES (6, 'NaN', 'NaN', 'NaN', 'NaN'), (7, 'Infinity', '-Infinity', 'Infinity', NULL), (8, '-Infinity', 'Infinity', '-Infinity', NULL);
SELECT data::json -> 'after' FROM pg_logical_slot_peek_changes('types_numeric', NULL, NULL);
SELECT data::json -> 'after' FROM pg_logical_slot_peek_changes('types_numeric', NULL, NULL, 'decimal_handling_mode', 'double');
SELECT data::json -> 'after' FROM pg_logical_slot_get_changes('types_numeric', NULL, NULL, 'decimal_handling_mode', 'string');
DROP TABLE types_numeric;
SELECT pg_drop_replication_slot('types_numeric');
