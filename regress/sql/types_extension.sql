-- types of PostGIS and pgvector, made here by name and text: what they look like on the wire is all that counts
SELECT 'init' FROM pg_create_logical_replication_slot('types_extension', 'cdc_decoder');
CREATE SCHEMA ext;
SET client_min_messages = warning;
CREATE PROCEDURE ext.make(name text, delimiter text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TYPE ext.%I', name);
    EXECUTE format('CREATE FUNCTION ext.%I(cstring) RETURNS ext.%I LANGUAGE internal IMMUTABLE STRICT AS ''textin''', name || '_in', name);
    EXECUTE format('CREATE FUNCTION ext.%I(ext.%I) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS ''textout''', name || '_out', name);
    EXECUTE format('CREATE TYPE ext.%I (INPUT = ext.%I, OUTPUT = ext.%I, LIKE = text, DELIMITER = %L)', name, name || '_in', name || '_out', delimiter);
END $$;
CALL ext.make('geometry', ':');
CALL ext.make('geography', ':');
CALL ext.make('vector', ',');
CALL ext.make('halfvec', ',');
CALL ext.make('sparsevec', ',');
RESET client_min_messages;
CREATE TABLE types_extension (
    id int PRIMARY KEY, g ext.geometry NOT NULL, gg ext.geography, gs ext.geometry[],
    v ext.vector, h ext.halfvec, s ext.sparsevec, vs ext.vector[]);
INSERT INTO types_extension VALUES
    (1, '0101000020730C00001C7C613255DE6540787AA52C435C42C0', '0101000000000000000000F03F000000000000F03F',
     '{0101000000000000000000F03F000000000000F03F:NULL:010700000000000000}', '[1,2.5,-3e-05]', '[101,0.1]', '{1:201,9:209}/3000', '{"[1]"}'),
    -- big-endian, with a reference system; the order of a HashMap with eight and sixteen buckets; too many dimensions
    (2, '0020000001000010E63FF00000000000003FF0000000000000', NULL, '{}', '[1]', NULL, '{8:1,9:2,16:3,17:4}/20', NULL),
    (3, '010700000000000000', NULL, NULL, NULL, NULL, '{}/5', NULL),
    (4, 'no geometry', NULL, NULL, 'no vector', '[]', '{1:1}/40000', NULL);
DELETE FROM types_extension WHERE id = 3;
SELECT c FROM changes('types_extension') c;
INSERT INTO types_extension VALUES (5, '010700000000000000');
SELECT field - 'fields' AS field FROM pg_logical_slot_get_changes('types_extension', NULL, NULL, 'schemas_enable', 'true') r,
    jsonb_array_elements(r.data::jsonb #> '{schema,fields,1,fields}') field;
DROP TABLE types_extension;
SET client_min_messages = warning;
DROP SCHEMA ext CASCADE;
SELECT pg_drop_replication_slot('types_extension');
