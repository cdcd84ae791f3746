-- Helpers of the tests: what a slot gives, one row a message, with what differs from run to run masked.

-- format=json: envelopes without their source block (source.sql shows that one)
CREATE FUNCTION changes(slot name, VARIADIC options text[] DEFAULT '{}') RETURNS SETOF text
LANGUAGE sql AS $$
    SELECT regexp_replace(
               regexp_replace(
                   regexp_replace(data, '"source":\{[^}]*\},', ''),
                   ',"transaction":null', ''),
               ',"ts_ms":\d+,"ts_us":\d+,"ts_ns":\d+', '')
    FROM pg_logical_slot_get_changes(slot, NULL, NULL, VARIADIC options)
$$;

-- positions, transaction ids and times as 0
CREATE FUNCTION masked(data text) RETURNS text
LANGUAGE sql AS $$
    SELECT regexp_replace(
               regexp_replace(
                   regexp_replace(data, '(\\?"(ts_ms|ts_us|ts_ns|txId|lsn)\\?"):\d+', '\1:0', 'g'),
                   '(\\?"sequence\\?":)\\?"\[.*?\]\\?"', '\1"[]"', 'g'),
               '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}', 'a run', 'g')
$$;

-- format=record: topic, key, whether there is a value, and the headers that are not of every record
CREATE FUNCTION records(slot name, VARIADIC options text[] DEFAULT '{}')
RETURNS TABLE (topic text, key text, op text, headers text)
LANGUAGE sql AS $$
    SELECT data::json ->> 'topic', data::json ->> 'key',
           coalesce((data::json ->> 'value')::json ->> 'op', 'tombstone'),
           (SELECT string_agg((h ->> 'k') || '=' || (h ->> 'v'), ' ')
            FROM json_array_elements(data::json -> 'headers') h
            WHERE h ->> 'k' NOT LIKE '\_\_debezium.context.%')
    FROM pg_logical_slot_get_changes(slot, NULL, NULL, VARIADIC ARRAY['format', 'record'] || options)
$$;

-- ---- format=frame, by decoder/envelope/wire.h ----

CREATE FUNCTION wire_int(bytes bytea, at int, len int) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    result bigint := 0;
BEGIN
    FOR i IN 0 .. len - 1 LOOP
        result := (result << 8) | get_byte(bytes, at + i);
    END LOOP;
    RETURN result;
END
$$;

CREATE FUNCTION wire_messages(slot name, VARIADIC options text[] DEFAULT '{}')
RETURNS TABLE (frame int, type text, lsn bigint, body bytea)
LANGUAGE plpgsql AS $$
DECLARE
    data bytea;
    at int;
    len int;
BEGIN
    frame := 0;
    FOR data IN
        SELECT c.data
        FROM pg_logical_slot_get_binary_changes(slot, NULL, NULL, VARIADIC ARRAY['format', 'frame'] || options) c
    LOOP
        frame := frame + 1;
        ASSERT get_byte(data, 0) = 1, 'frame version';
        at := 1;
        WHILE at < length(data) LOOP
            len := wire_int(data, at, 4);
            lsn := wire_int(data, at + 4, 8);
            type := chr(get_byte(data, at + 12));
            body := substr(data, at + 14, len - 9);
            RETURN NEXT;
            at := at + 4 + len;
        END LOOP;
        ASSERT at = length(data), 'frame length';
    END LOOP;
END
$$;

-- the entries of the tuples in the body of an I, U or D
CREATE FUNCTION wire_values(body bytea) RETURNS TABLE (tuple text, at int, kind text, bytes bytea)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    pos int := 4;
    len int;
BEGIN
    WHILE pos < length(body) LOOP
        tuple := chr(get_byte(body, pos));
        FOR i IN 1 .. wire_int(body, pos + 1, 2) LOOP
            IF i = 1 THEN
                pos := pos + 3;
            END IF;
            at := i;
            kind := chr(get_byte(body, pos));
            bytes := NULL;
            pos := pos + 1;
            IF kind IN ('t', 'b') THEN
                len := wire_int(body, pos, 4);
                bytes := substr(body, pos + 5, len);
                pos := pos + 4 + len;
            END IF;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;

-- a message on one line: its type, then for rows each tuple's entries, text where it is printable
CREATE FUNCTION wire_line(type text, body bytea) RETURNS text
LANGUAGE sql AS $$
    SELECT type || coalesce((
        SELECT ' ' || string_agg(line, ' ' ORDER BY tuple)
        FROM (SELECT tuple, tuple || '(' || string_agg(
                         CASE WHEN kind IN ('n', 'u') THEN kind
                              WHEN get_byte(bytes || '\x00', 0) >= 32 THEN kind || ':' || convert_from(bytes, 'UTF8')
                              ELSE kind || ':' || encode(bytes, 'hex') END, ' ' ORDER BY at) || ')' AS line
              FROM wire_values(body)
              WHERE type IN ('I', 'U', 'D')
              GROUP BY tuple) tuples), '')
$$;
