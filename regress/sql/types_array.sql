-- arrays
SELECT 'init' FROM pg_create_logical_replication_slot('types_array', 'cdc_decoder');
CREATE TYPE types_colour AS ENUM ('red', 'green');
CREATE TABLE types_array (id int PRIMARY KEY, i int[], i8 int8[], t text[], v varchar(5)[], c char(4)[], n numeric(5, 2)[], f float8[], b bool[], u uuid[], d date[], ts timestamp[], tstz timestamptz[], j jsonb[], e types_colour[], by bytea[]);
INSERT INTO types_array VALUES
    (1, '{1,NULL,3}', '{9223372036854775807}', '{"a b",NULL,"","q\"uote"}', '{x}', '{x}', '{1.10,NULL}', '{1.5,NaN}', '{t,f}', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '{2016-11-04}',
     '{2016-11-04 13:51:30.123456}', '{2016-11-04 13:51:30+02}', ARRAY['{"a": 1}'::jsonb], '{green,red}', ARRAY['\x0102'::bytea]),
    (2, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, '[0:1]={1,2}', NULL, array_fill('long element'::text, ARRAY[20]), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT data::json -> 'after' FROM pg_logical_slot_get_changes('types_array', NULL, NULL);
DROP TABLE types_array;
DROP TYPE types_colour;
SELECT pg_drop_replication_slot('types_array');
