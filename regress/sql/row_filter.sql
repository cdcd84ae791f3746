-- row filters: which rows pass, updates across the filter, and what is refused
\set SHOW_CONTEXT never
SELECT 'init' FROM pg_create_logical_replication_slot('row_filter', 'cdc_decoder');
CREATE FUNCTION rf_frames(VARIADIC options text[]) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT wire_line(type, body) FROM wire_messages('row_filter', VARIADIC options) WHERE type NOT IN ('B', 'C', 'R')
$$;
CREATE TABLE rf (id int PRIMARY KEY, total numeric, status text, note text);
ALTER TABLE rf REPLICA IDENTITY FULL;
INSERT INTO rf VALUES (1, 50, 'paid', 'low'), (2, 150, 'paid', 'in'), (3, 150, 'open', 'open'),
    (4, NULL, 'paid', 'null is no'), (5, 200, NULL, 'null is no');
UPDATE rf SET note = 'both' WHERE id = 2;
UPDATE rf SET note = 'neither' WHERE id = 1;
UPDATE rf SET total = 101 WHERE id = 1;
UPDATE rf SET status = 'open' WHERE id = 2;
UPDATE rf SET id = 6 WHERE id = 1;
UPDATE rf SET id = 7, total = 1 WHERE id = 6;
UPDATE rf SET id = 8, total = 1000 WHERE id = 7;
DELETE FROM rf WHERE id IN (3, 8);
TRUNCATE rf;
-- an update into the filter is a create, one out of it a delete with its tombstone
SELECT c FROM pg_logical_slot_peek_changes('row_filter', NULL, NULL,
    'row_filter_public.rf', 'total > 100 AND status = ''paid''', 'skipped_operations', 'none') p,
    LATERAL (SELECT p.data::json ->> 'op', p.data::json -> 'before' ->> 'note', p.data::json -> 'after' ->> 'note') c;
SELECT count(*) FROM pg_logical_slot_peek_changes('row_filter', NULL, NULL,
    'row_filters', '9:public.rf5:false');
SELECT key, op, headers FROM records('row_filter', 'row_filter_public.rf', 'rf.total > 100 AND rf.status = ''paid'' -- end');
-- skipped operations are those of the rewritten changes; without change counts before
INSERT INTO rf VALUES (1, 1), (2, 1);
UPDATE rf SET total = 2 WHERE id = 1;
UPDATE rf SET total = 3 WHERE id = 1;
UPDATE rf SET total = 3 WHERE id = 1;
UPDATE rf SET total = 0 WHERE id = 1;
SELECT key, op FROM records('row_filter', 'row_filter_public.rf', 'total > 1', 'skip_messages_without_change', 'true', 'skipped_operations', 'c');
-- a transaction of which nothing passes writes nothing
INSERT INTO rf VALUES (3, 1), (4, 1);
SELECT count(*) FROM wire_messages('row_filter', 'row_filter_public.rf', 'total > 1');
-- the columns of a filter need not be captured, and are judged before their masks
INSERT INTO rf VALUES (11, 1, 'secret', 'in'), (12, 1, 'open', 'out');
SELECT rf_frames('row_filter_public.rf', 'status = ''secret''', 'column_mask_with_3_chars', 'public.rf.status', 'column_exclude_list', 'public.rf.note');
DROP TABLE rf;
-- TOAST: what the update left in its place comes from the old row
CREATE TABLE rf_toast (id int PRIMARY KEY, body text, note text);
ALTER TABLE rf_toast ALTER body SET STORAGE EXTERNAL, REPLICA IDENTITY FULL;
INSERT INTO rf_toast VALUES (1, repeat('long ', 1000), 'a'), (2, repeat('other ', 1000), 'a');
UPDATE rf_toast SET note = 'b';
UPDATE rf_toast SET note = 'a';
UPDATE rf_toast SET body = 'short';
SELECT left(c, 40) AS change, length(c) FROM rf_frames('row_filter_public.rf_toast', 'body LIKE ''long%'' AND note = ''b''') c;
ALTER TABLE rf_toast REPLICA IDENTITY DEFAULT;
DROP TABLE rf_toast;
-- a key that is stored elsewhere
CREATE TABLE rf_long (k text PRIMARY KEY, body text, n int);
ALTER TABLE rf_long ALTER k SET STORAGE EXTERNAL, ALTER body SET STORAGE EXTERNAL;
INSERT INTO rf_long SELECT string_agg(md5(g::text), '') || 'end', repeat('b', 3000), 1 FROM generate_series(1, 70) g;
UPDATE rf_long SET n = 2;
UPDATE rf_long SET k = left(k, -3) || 'END';
UPDATE rf_long SET k = 'end';
DELETE FROM rf_long;
SELECT left(c, 8) AS change, right(c, 20) AS ending, length(c) FROM rf_frames('row_filter_public.rf_long', 'k LIKE ''%end''') c;
DROP TABLE rf_long;
-- a row older than a column has its default there
CREATE TABLE rf_missing (id int PRIMARY KEY);
ALTER TABLE rf_missing REPLICA IDENTITY FULL;
INSERT INTO rf_missing VALUES (1), (2), (3);
ALTER TABLE rf_missing ADD COLUMN n int DEFAULT 5;
SELECT count(*) FROM wire_messages('row_filter', 'table_include_list', 'none');
UPDATE rf_missing SET n = 6 WHERE id = 1;
UPDATE rf_missing SET id = 4 WHERE id = 2;
DELETE FROM rf_missing;
SELECT rf_frames('row_filter_public.rf_missing', 'n = 5');
DROP TABLE rf_missing;
-- partitions: their own filter, or their root's; by the root's name the root's alone
CREATE TABLE rf_root (id int, k text, n int, PRIMARY KEY (id, k, n)) PARTITION BY LIST (k);
CREATE TABLE rf_a PARTITION OF rf_root FOR VALUES IN ('a');
CREATE TABLE rf_b (n int NOT NULL, gone int, k text NOT NULL, id int NOT NULL);
ALTER TABLE rf_b DROP COLUMN gone;
ALTER TABLE rf_root ATTACH PARTITION rf_b FOR VALUES IN ('b');
INSERT INTO rf_root VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 3), (4, 'b', 4);
UPDATE rf_root SET n = 0 WHERE id = 4;
UPDATE rf_root SET k = 'b' WHERE id = 2;
TRUNCATE rf_root;
CREATE FUNCTION rf_records(VARIADIC options text[]) RETURNS TABLE (topic text, op text, image text) LANGUAGE sql AS $$
    SELECT data::json ->> 'topic', (data::json ->> 'value')::json ->> 'op',
           coalesce((data::json ->> 'value')::json ->> 'after', (data::json ->> 'value')::json ->> 'before')
    FROM pg_logical_slot_peek_changes('row_filter', NULL, NULL, VARIADIC ARRAY['format', 'record', 'tombstones_on_delete', 'false', 'skipped_operations', 'none'] || options)
$$;
SELECT * FROM rf_records('row_filter_public.rf_root', 'rf_root.n > 1');
SELECT * FROM rf_records('row_filter_public.rf_root', 'n > 1', 'row_filter_public.rf_b', 'rf_b.n > 3');
SELECT * FROM rf_records('row_filter_public.rf_root', 'n > 1', 'row_filter_public.rf_b', 'n > 3', 'publish_via_partition_root', 'true');
SELECT count(*) FROM wire_messages('row_filter', 'table_include_list', 'none');
-- a partition's own replica identity counts
ALTER TABLE rf_root DROP CONSTRAINT rf_root_pkey, ADD PRIMARY KEY (id, k);
ALTER TABLE rf_a REPLICA IDENTITY FULL;
SELECT count(*) FROM rf_records('row_filter_public.rf_root', 'n > 1');
SELECT count(*) FROM rf_records('row_filter_public.rf_a', 'n > 1');
DROP TABLE rf_root;
-- DDL in between: a column renamed, another type, another place; what was there at the change counts
CREATE TABLE rf_ddl (id int PRIMARY KEY, total int);
ALTER TABLE rf_ddl REPLICA IDENTITY FULL;
INSERT INTO rf_ddl VALUES (1, 5), (2, 15);
ALTER TABLE rf_ddl ALTER total TYPE numeric USING total / 10.0;
INSERT INTO rf_ddl VALUES (3, 5), (4, 15.5);
ALTER TABLE rf_ddl RENAME total TO amount;
INSERT INTO rf_ddl VALUES (5, 100);
SELECT rf_frames('row_filter_public.rf_ddl', 'total > 10');
SELECT rf_frames('row_filter_public.rf_ddl', 'amount > 10');
SELECT rf_frames('row_filter_public.rf_ddl', 'id > 1');
INSERT INTO rf_ddl VALUES (6, 1), (7, 100);
ALTER TABLE rf_ddl RENAME TO rf_renamed;
INSERT INTO rf_renamed VALUES (8, 1), (9, 100);
SELECT rf_frames('row_filter_public.rf_ddl', 'amount > 10');
-- a dropped column, and the way out: another filter
INSERT INTO rf_renamed VALUES (10, 100), (11, 1);
ALTER TABLE rf_renamed DROP COLUMN amount;
INSERT INTO rf_renamed VALUES (12);
SELECT rf_frames('row_filter_public.rf_renamed', 'amount > 10');
SELECT rf_frames('row_filter_public.rf_renamed', 'id > 10');
DROP TABLE rf_renamed;
-- updates and deletes need the columns in the replica identity, at the start and at the change
CREATE TABLE rf_key (id int PRIMARY KEY, n int);
INSERT INTO rf_key VALUES (1, 1), (2, 2);
SELECT rf_frames('row_filter_public.rf_key', 'n > 1');
SELECT count(*) FROM pg_logical_slot_peek_changes('row_filter', NULL, NULL, 'row_filter_public.rf_key', 'id > 1');
UPDATE rf_key SET n = 3 WHERE id = 2;
ALTER TABLE rf_key REPLICA IDENTITY FULL;
SELECT rf_frames('row_filter_public.rf_key', 'n > 1');
SELECT rf_frames('row_filter_public.rf_key', 'id > 1');
DROP TABLE rf_key;
-- what is no filter, by the rules of publications
CREATE TYPE rf_mood AS ENUM ('sad', 'happy');
CREATE TABLE rf_rules (id int PRIMARY KEY, n int, t text, at timestamptz, mood rf_mood, doubled int GENERATED ALWAYS AS (n * 2) STORED);
ALTER TABLE rf_rules REPLICA IDENTITY FULL;
CREATE FUNCTION rf_function(int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT $1 > 1';
CREATE OPERATOR =#> (PROCEDURE = int4gt, LEFTARG = int, RIGHTARG = int);
CREATE COLLATION rf_collation (provider = libc, locale = 'C');
DO $do$
DECLARE
    filter text;
BEGIN
    FOREACH filter IN ARRAY ARRAY[
        'nn > 1', 'other.n > 1', 'public.rf_rules.n > 1', 'n', 'n >', 'n > 1; SELECT 1', 'n > 1;', 'n > 1; ;', 'n > 1, true', 'n > 1 AS x', 'n > 1 FROM rf',
        'true) OR (true', 'true UNION SELECT false', '*', 'n > 1 ORDER BY 1', 'n > $1', 'DEFAULT',
        'EXISTS (SELECT 1)', 'n IN (SELECT 1)', 'n > (SELECT count(*) FROM pg_class)', 'count(*) > 1', 'sum(n) OVER () > 1', 'generate_series(1, n) > 1',
        'ctid IS NOT NULL', 'xmin IS NULL', 'tableoid = 1', 'rf_rules IS NOT NULL', 'ROW(rf_rules.*) IS NULL',
        'now() > at', 'random() > 0.5', 'at > ''now''', 'at > ''  TODAY ''', 'at > $$today$$', 'at > ANY (''{yesterday}''::timestamptz[])', 'at > CURRENT_TIMESTAMP',
        'at::date > ''2020-01-01''', 'rf_function(n)', 'public.rf_function(n)', 'n OPERATOR(public.=#>) 1', 'n =#> 1',
        'mood = ''happy''', 't::public.rf_mood = ''happy''', 't < ''a'' COLLATE public.rf_collation', 't = 1', '1 / 0 = 1', 'at > ''nonsense''', ''''
    ] LOOP
        BEGIN
            PERFORM FROM pg_logical_slot_peek_changes('row_filter', NULL, NULL, 'row_filter_public.rf_rules', filter);
            RAISE NOTICE '%: accepted', filter;
        EXCEPTION WHEN OTHERS THEN
            RAISE NOTICE '%', SQLERRM;
        END;
    END LOOP;
END
$do$;
SELECT rf_frames('row_filter_public.rf_rules', 'n >');
-- and what is one
INSERT INTO rf_rules VALUES (1, 2, 'today', '2020-01-01 00:30+00', 'happy');
SET timezone = 'America/New_York';
SET search_path = rf_nowhere, public;
DO $do$
DECLARE
    filter text;
    count int;
BEGIN
    FOREACH filter IN ARRAY ARRAY[
        'true', 'n + 1 = 3 AND NOT n > 2', 't = ''today''', 'at = ''2020-01-01 00:30''', 'at > ''epoch'' AND t = ''today''', 'doubled = 4',
        '"n" IN (1, 2)', 'n = ANY (''{2,3}'')', 'n BETWEEN 1 AND 2', '(id, n) < (1, 3)', 't LIKE ''to%''', 't ~ ''^to''', 't ILIKE ''TO%''',
        'CASE WHEN n = 2 THEN true END', 'coalesce(t, '''') <> ''''', 'greatest(n, 1) = 2', 'n IS DISTINCT FROM 1', 'mood IS NULL',
        't < ''u'' COLLATE "C"', 'length(t) = 5', 'lpad(t, 7) = ''  today''', 'nullif(n, 1) = 2', '(n > 1) IS TRUE', 'n::text = ''2''',
        'NULL', 'n /* bigger */ > 1 -- than one'
    ] LOOP
        BEGIN
            SELECT count(*) INTO count FROM pg_logical_slot_peek_changes('row_filter', NULL, NULL, 'row_filter_public.rf_rules', filter);
            RAISE NOTICE '%: %', filter, count;
        EXCEPTION WHEN OTHERS THEN
            RAISE NOTICE '%', SQLERRM;
        END;
    END LOOP;
END
$do$;
RESET timezone;
RESET search_path;
-- an error of the evaluation says whose it is
INSERT INTO rf_rules VALUES (2, 0);
DO $do$
DECLARE
    context text;
BEGIN
    PERFORM FROM rf_frames('row_filter_public.rf_rules', '1 / n > 0');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RAISE NOTICE '%: %', SQLERRM, split_part(context, E'\n', 1);
END
$do$;
DROP TABLE rf_rules;
DROP FUNCTION rf_function;
DROP OPERATOR =#> (int, int);
DROP COLLATION rf_collation;
DROP TYPE rf_mood;
-- names: as they are in the catalog; one that is no captured table's is most likely a slip
CREATE SCHEMA "Rf.x";
CREATE TABLE "Rf.x"."T t" ("Id" int PRIMARY KEY);
INSERT INTO "Rf.x"."T t" VALUES (1), (2);
SELECT rf_frames('row_filter_Rf.x.T t', '"T t"."Id" > 1');
INSERT INTO "Rf.x"."T t" VALUES (3);
SELECT count(*) FROM pg_logical_slot_peek_changes('row_filter', NULL, NULL, 'row_filter_rf.x.t t', 'false',
    'row_filter_Rf.x.T t', 'wrong', 'table_exclude_list', 'Rf\.x\.T t');
DROP SCHEMA "Rf.x" CASCADE;
SELECT pg_logical_slot_peek_changes('row_filter', NULL, NULL, 'row_filter_rf', 'true');
SELECT pg_logical_slot_peek_changes('row_filter', NULL, NULL, 'row.filter.public.rf', 'true');
SELECT pg_logical_slot_peek_changes('row_filter', NULL, NULL, 'row_filters', '9:public.rf');
-- row for row what pgoutput makes of the same changes and filters
CREATE TABLE rf_judged (id int PRIMARY KEY, n int, t text, big text);
ALTER TABLE rf_judged REPLICA IDENTITY FULL, ALTER big SET STORAGE EXTERNAL;
CREATE TABLE rf_keyed (id int, part int, big text, PRIMARY KEY (id, part));
ALTER TABLE rf_keyed ALTER big SET STORAGE EXTERNAL;
CREATE PUBLICATION rf_publication FOR TABLE
    rf_judged WHERE (n % 3 = 1 AND (t <> 'b' OR big LIKE '1%')), rf_keyed WHERE (id % 2 = 0 OR part > 5);
SELECT 'init' FROM pg_create_logical_replication_slot('rf_pgoutput', 'pgoutput');
SELECT count(*) FROM wire_messages('row_filter', 'table_include_list', 'none');
SELECT setseed(0.42);
DO $$
BEGIN
    FOR i IN 1 .. 1500 LOOP
        CASE floor(random() * 8)
            WHEN 0, 1 THEN
                INSERT INTO rf_judged VALUES (floor(random() * 100), floor(random() * 6), substr('abc', floor(random() * 4)::int, 1),
                    repeat(floor(random() * 3)::text, CASE WHEN random() < 0.5 THEN 3000 ELSE 3 END)) ON CONFLICT DO NOTHING;
            WHEN 2 THEN
                UPDATE rf_judged SET n = floor(random() * 6) WHERE id = floor(random() * 100);
            WHEN 3 THEN
                UPDATE rf_judged SET t = NULLIF(substr('abc', floor(random() * 4)::int, 1), 'c'), id = id + 1000 * floor(random() * 2)::int
                WHERE id = floor(random() * 100) AND NOT EXISTS (SELECT FROM rf_judged j WHERE j.id = rf_judged.id + 1000);
            WHEN 4 THEN
                DELETE FROM rf_judged WHERE id = floor(random() * 100);
            WHEN 5 THEN
                INSERT INTO rf_keyed VALUES (floor(random() * 50), floor(random() * 10), repeat('k', CASE WHEN random() < 0.5 THEN 3000 ELSE 3 END)) ON CONFLICT DO NOTHING;
            WHEN 6 THEN
                UPDATE rf_keyed SET part = part + 20 WHERE id = floor(random() * 50) AND part < 10
                    AND NOT EXISTS (SELECT FROM rf_keyed k WHERE k.id = rf_keyed.id AND k.part = rf_keyed.part + 20);
            ELSE
                DELETE FROM rf_keyed WHERE id = floor(random() * 50) AND part < 5;
        END CASE;
    END LOOP;
END
$$;
TRUNCATE rf_keyed;
CREATE TABLE rf_ours AS SELECT row_number() OVER () AS at, type || wire_int(body, 0, 4) || wire_line(type, body) AS line
    FROM wire_messages('row_filter', 'table_include_list', 'public.rf_(judged|keyed)',
        'row_filter_public.rf_judged', 'n % 3 = 1 AND (t <> ''b'' OR big LIKE ''1%'')', 'row_filter_public.rf_keyed', 'id % 2 = 0 OR part > 5')
    WHERE type IN ('I', 'U', 'D');
CREATE TABLE rf_theirs AS SELECT row_number() OVER () AS at, chr(get_byte(data, 0)) || wire_int(data, 1, 4) || wire_line(chr(get_byte(data, 0)), substr(data, 2)) AS line
    FROM pg_logical_slot_get_binary_changes('rf_pgoutput', NULL, NULL, 'proto_version', '1', 'publication_names', 'rf_publication', 'binary', 'true')
    WHERE chr(get_byte(data, 0)) IN ('I', 'U', 'D');
SELECT left(line, 1) AS type, count(*) > 50 AS many, bool_or(line LIKE '%u)%') AS unchanged FROM rf_theirs GROUP BY 1 ORDER BY 1;
SELECT left(o.line, 60) AS ours, left(t.line, 60) AS theirs FROM rf_ours o FULL JOIN rf_theirs t USING (at) WHERE o.line IS DISTINCT FROM t.line;
DROP PUBLICATION rf_publication;
DROP TABLE rf_judged, rf_keyed, rf_ours, rf_theirs;
SELECT pg_drop_replication_slot('rf_pgoutput');
DROP FUNCTION rf_frames, rf_records;
SELECT pg_drop_replication_slot('row_filter');
