-- values that their Connect type cannot hold: null, or an error, as event_converting_failure_handling_mode says
SELECT 'init' FROM pg_create_logical_replication_slot('converting', 'cdc_decoder');
CREATE TABLE converting (id int PRIMARY KEY, n numeric(8, 2), v numeric, a numeric[], b varbit(1), bs bit(3)[]);
ALTER TABLE converting ALTER v SET STORAGE EXTERNAL;
CREATE FUNCTION strictly(options text[] DEFAULT '{}') RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT data::json ->> 'after' FROM pg_logical_slot_peek_changes('converting', NULL, NULL,
        VARIADIC ARRAY['event_converting_failure_handling_mode', 'fail'] || options);
EXCEPTION WHEN OTHERS THEN
    RETURN NEXT sqlerrm;
END $$;
INSERT INTO converting VALUES (1, 1, 2, '{3}', '1', NULL);
SELECT strictly();
INSERT INTO converting VALUES (2, 'NaN', 2, '{3}', '1', NULL);
SELECT strictly();
-- as text it has a form
SELECT strictly('{decimal_handling_mode,string}');
SELECT changes('converting');
INSERT INTO converting (id, v) VALUES (3, 'Infinity');
SELECT strictly();
SELECT changes('converting', 'event_converting_failure_handling_mode', 'skip');
INSERT INTO converting (id, a) VALUES (4, '{1,NaN}');
SELECT strictly();
SELECT changes('converting', 'event_converting_failure_handling_mode', 'warn');
INSERT INTO converting (id, b) VALUES (5, '');
SELECT strictly();
SELECT changes('converting');
INSERT INTO converting (id, bs) VALUES (6, '{101}');
SELECT strictly();
SELECT changes('converting');
-- an unchanged TOAST value of a type without a place for the placeholder
INSERT INTO converting (id, v) VALUES (7, ('1' || repeat('0123456789', 1500))::numeric);
SELECT count(*) FROM changes('converting');
UPDATE converting SET n = 1 WHERE id = 7;
SELECT strictly();
SELECT changes('converting');
DROP FUNCTION strictly;
DROP TABLE converting;
SELECT pg_drop_replication_slot('converting');
