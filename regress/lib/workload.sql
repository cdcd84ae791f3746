-- A seeded random workload over tables of every shape.
--
--     CALL workload_run(changes => 500000, seed => 42)
--     CALL workload_run(changes => 500, seed => 42, messages => true)    -- with logical messages in between
--
-- commits as it goes, in transactions of 1 to about 200 changes with one large one in between; about one in twelve is
-- rolled back, whole or to a savepoint.  The same seed gives the same changes.
--
--     CALL workload_bulk(rows => 20000, seed => 42)    -- one transaction, in subtransactions of which some roll back

CREATE TYPE w_mood AS ENUM ('sad', 'ok', 'happy');

CREATE TABLE w_plain (id bigint PRIMARY KEY, name text, amount numeric(12, 2), free numeric, ok boolean,
                      at timestamptz, plain_at timestamp, day date, price float8);
CREATE TABLE w_composite (a int, b text, c uuid, v int, mood w_mood, tags text[], PRIMARY KEY (b, a));
CREATE TABLE w_toast (id int PRIMARY KEY, big text, doc jsonb, bytes bytea, n int);
ALTER TABLE w_toast ALTER COLUMN big SET STORAGE EXTERNAL;
ALTER TABLE w_toast ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE w_full (id int PRIMARY KEY, v text, n int);
ALTER TABLE w_full REPLICA IDENTITY FULL;
CREATE TABLE w_nokey_full (a int, b text);
ALTER TABLE w_nokey_full REPLICA IDENTITY FULL;
CREATE TABLE w_uuid (id uuid PRIMARY KEY, t time, span interval, small smallint);
CREATE TABLE "W odd.Näme""q" ("Id" int PRIMARY KEY, "the value" text, "a""b" int);

-- its key is a numeric, the rest what has no type of its own in the lake, or values that it cannot hold
CREATE DOMAIN w_positive AS int CHECK (VALUE > 0);
CREATE TYPE w_pair AS (left_side int, right_side text);
CREATE TABLE w_numeric (id numeric(20, 5) PRIMARY KEY, positive w_positive, twice int GENERATED ALWAYS AS (positive * 2) STORED,
                        pair w_pair, span int4range, address inet, ints int[], moods w_mood[], bits bit(4), free numeric,
                        day date, price float8, fixed char(8));
-- identified by an index that is no primary key
CREATE TABLE w_index (code text NOT NULL, n int, v text);
CREATE UNIQUE INDEX w_index_code ON w_index (code);
ALTER TABLE w_index REPLICA IDENTITY USING INDEX w_index_code;
-- the old row has what lies outside of it, too
CREATE TABLE w_full_toast (id int PRIMARY KEY, big text, n int);
ALTER TABLE w_full_toast ALTER COLUMN big SET STORAGE EXTERNAL, REPLICA IDENTITY FULL;
-- rows move between partitions, of which one is partitioned itself
CREATE TABLE w_part (region text, id int, v text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE w_part_r0 PARTITION OF w_part FOR VALUES IN ('r0');
CREATE TABLE w_part_r1 PARTITION OF w_part FOR VALUES IN ('r1') PARTITION BY RANGE (id);
CREATE TABLE w_part_r1_low PARTITION OF w_part_r1 FOR VALUES FROM (MINVALUE) TO (1000);
CREATE TABLE w_part_r1_high PARTITION OF w_part_r1 FOR VALUES FROM (1000) TO (MAXVALUE);
CREATE TABLE w_part_rest PARTITION OF w_part DEFAULT;
-- COPY writes many rows in one record of WAL
CREATE TABLE w_copy (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
DO $$ BEGIN EXECUTE format('CREATE TABLE w_wide (id int PRIMARY KEY, %s)',
    (SELECT string_agg(format('c%s %s', i, CASE i % 3 WHEN 0 THEN 'int' WHEN 1 THEN 'text' ELSE 'timestamptz' END), ', ')
     FROM generate_series(1, 150) AS i)); END $$;
-- never in the stream
CREATE UNLOGGED TABLE w_unlogged (id int PRIMARY KEY, v text);

CREATE FUNCTION w_text(n int) RETURNS text LANGUAGE sql VOLATILE AS
$$ SELECT CASE n % 7 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'tab\t"quote" \\ ' || n
                     WHEN 3 THEN 'häßlich 日本 😀 ' || n ELSE 'plain text ' || n END $$;

CREATE PROCEDURE w_change(kind int, n int) LANGUAGE plpgsql AS
$$
#variable_conflict use_column
DECLARE
    k int := n % 5000;
BEGIN
    CASE kind
        WHEN 0 THEN
            INSERT INTO w_plain VALUES (k, w_text(n), n / 100.0, n / 7.0, n % 2 = 0, to_timestamp(n), to_timestamp(n) AT TIME ZONE 'UTC',
                                        date '2000-01-01' + k, n / 3.0)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, amount = excluded.amount, free = excluded.free;
        WHEN 1 THEN UPDATE w_plain SET name = w_text(n), price = n WHERE id = k;
        WHEN 2 THEN DELETE FROM w_plain WHERE id = k;
        WHEN 3 THEN
            INSERT INTO w_composite VALUES (k % 100, 'b' || k % 50, md5(k::text)::uuid, n, 'ok', ARRAY['x', NULL, w_text(n)])
            ON CONFLICT (b, a) DO UPDATE SET v = excluded.v, mood = 'happy';
        WHEN 4 THEN
            UPDATE w_composite SET a = 1000 + n % 1000, v = n WHERE a = k % 100 AND b = 'b' || k % 50
               AND NOT EXISTS (SELECT FROM w_composite AS o WHERE o.b = w_composite.b AND o.a = 1000 + n % 1000);
        WHEN 5 THEN DELETE FROM w_composite WHERE a % 10 = n % 10 AND b = 'b' || k % 50;
        WHEN 6 THEN
            INSERT INTO w_toast VALUES (k % 300, repeat(md5(n::text), 100), jsonb_build_object('n', n, 'x', repeat('y', 50)),
                                        decode(repeat(md5(n::text), 80), 'hex'), n)
            ON CONFLICT (id) DO UPDATE SET n = excluded.n;
        WHEN 7 THEN UPDATE w_toast SET n = n + 1 WHERE id = k % 300;
        WHEN 8 THEN UPDATE w_toast SET big = repeat('z', 3000) WHERE id = k % 300;
        WHEN 9 THEN UPDATE w_toast SET id = id + 1000 WHERE id = k % 300 AND NOT EXISTS (SELECT FROM w_toast WHERE id = k % 300 + 1000);
        WHEN 10 THEN DELETE FROM w_toast WHERE id IN (k % 300, k % 300 + 1000);
        WHEN 11 THEN INSERT INTO w_full VALUES (k, w_text(n), n) ON CONFLICT (id) DO UPDATE SET v = excluded.v, n = excluded.n;
        WHEN 12 THEN DELETE FROM w_full WHERE id = k;
        WHEN 13 THEN INSERT INTO w_nokey_full VALUES (n % 20, w_text(n));
        WHEN 14 THEN UPDATE w_nokey_full SET b = 'changed ' || n WHERE ctid = (SELECT ctid FROM w_nokey_full WHERE a = n % 20 LIMIT 1);
        WHEN 15 THEN DELETE FROM w_nokey_full WHERE ctid = (SELECT ctid FROM w_nokey_full WHERE a = n % 20 LIMIT 1);
        WHEN 16 THEN
            INSERT INTO w_uuid VALUES (md5((k % 800)::text)::uuid, time '00:00' + n * interval '1 second', n * interval '1 minute', n % 1000)
            ON CONFLICT (id) DO UPDATE SET small = excluded.small;
        WHEN 17 THEN DELETE FROM w_uuid WHERE id = md5((k % 800)::text)::uuid;
        WHEN 18 THEN
            INSERT INTO "W odd.Näme""q" VALUES (k % 500, w_text(n), n)
            ON CONFLICT ("Id") DO UPDATE SET "the value" = excluded."the value", "a""b" = excluded."a""b";
        WHEN 19 THEN UPDATE "W odd.Näme""q" SET "Id" = "Id" + 1000 WHERE "Id" = k % 500
               AND NOT EXISTS (SELECT FROM "W odd.Näme""q" WHERE "Id" = k % 500 + 1000);
        WHEN 20 THEN
            INSERT INTO w_numeric VALUES (k % 200 + 0.5, 1 + n % 10, DEFAULT, (n, w_text(n)), int4range(n, n + 5), '10.0.0.0/16'::inet + k,
                                          ARRAY[n, NULL, -n], ARRAY['sad', 'happy']::w_mood[], (n % 16)::bit(4),
                                          CASE n % 5 WHEN 0 THEN 'NaN' ELSE n / 3.0 END, CASE n % 5 WHEN 1 THEN 'infinity' ELSE date '2000-01-01' + k END,
                                          CASE n % 5 WHEN 2 THEN '-Infinity' ELSE n / 3.0 END, 'f' || k)
            ON CONFLICT (id) DO UPDATE SET positive = excluded.positive, ints = excluded.ints, free = excluded.free;
        WHEN 21 THEN UPDATE w_numeric SET id = id + 1000, pair = NULL WHERE id = k % 200 + 0.5
               AND NOT EXISTS (SELECT FROM w_numeric WHERE id = k % 200 + 1000.5);
        WHEN 22 THEN DELETE FROM w_numeric WHERE id IN (k % 200 + 0.5, k % 200 + 1000.5);
        WHEN 23 THEN INSERT INTO w_index VALUES ('c' || k % 300, n, w_text(n)) ON CONFLICT (code) DO UPDATE SET n = excluded.n;
        WHEN 24 THEN DELETE FROM w_index WHERE code = 'c' || k % 300;
        WHEN 25 THEN
            INSERT INTO w_full_toast VALUES (k % 100, repeat(md5(n::text), 100), n) ON CONFLICT (id) DO UPDATE SET n = excluded.n;
        WHEN 26 THEN DELETE FROM w_full_toast WHERE id = k % 100;
        WHEN 27 THEN
            INSERT INTO w_part VALUES ('r' || n % 4, k % 2000, w_text(n)) ON CONFLICT (region, id) DO UPDATE SET v = excluded.v;
        WHEN 28 THEN UPDATE w_part SET region = 'r' || (n + 1) % 4 WHERE region = 'r' || n % 4 AND id = k % 2000
               AND NOT EXISTS (SELECT FROM w_part WHERE region = 'r' || (n + 1) % 4 AND id = k % 2000);
        WHEN 29 THEN DELETE FROM w_part WHERE id = k % 2000;
        WHEN 30 THEN
            IF n % 10 = 0 THEN
                COPY w_copy (v) FROM PROGRAM 'seq 1 20';
            ELSE
                DELETE FROM w_copy WHERE id = (SELECT min(id) FROM w_copy);
            END IF;
        WHEN 31 THEN
            INSERT INTO w_wide (id, c1, c3, c149) VALUES (k % 50, w_text(n), n, to_timestamp(n)) ON CONFLICT (id) DO UPDATE SET c3 = excluded.c3;
        WHEN 32 THEN UPDATE w_wide SET c147 = n, c148 = w_text(n), c150 = k WHERE id = k % 50;
        WHEN 33 THEN INSERT INTO w_unlogged VALUES (k, w_text(n)) ON CONFLICT (id) DO UPDATE SET v = excluded.v;
    END CASE;
END
$$;

CREATE PROCEDURE workload_run(changes int, seed int, messages boolean DEFAULT false) LANGUAGE plpgsql AS
$$
DECLARE
    kinds int := 34;
    done int := 0;
    size int;
    n int;
    fate float8;
BEGIN
    PERFORM setseed(seed / 1000.0);
    WHILE done < changes LOOP
        size := 1 + floor(random() * random() * random() * 200)::int;
        fate := random();
        IF fate < 0.0005 THEN
            INSERT INTO w_plain (id, name, amount) SELECT 100000 + i, 'bulk', i FROM generate_series(1, 2000) AS i
            ON CONFLICT (id) DO UPDATE SET amount = excluded.amount + 1;
            done := done + 2000;
        ELSIF fate < 0.0008 THEN
            TRUNCATE w_uuid, w_copy;
            done := done + 1;
        END IF;
        FOR i IN 1..size LOOP
            n := floor(random() * 1000000)::int;
            CALL w_change(floor(random() * kinds)::int, n);
        END LOOP;
        done := done + size;
        IF messages THEN
            PERFORM pg_logical_emit_message(fate < 0.5 OR fate > 0.95, 'w', 'after ' || done);
        END IF;
        IF fate > 0.96 THEN
            ROLLBACK;
        ELSIF fate > 0.92 THEN
            BEGIN
                FOR i IN 1..5 LOOP
                    CALL w_change(floor(random() * kinds)::int, floor(random() * 1000000)::int);
                END LOOP;
                RAISE EXCEPTION 'undo the savepoint';
            EXCEPTION WHEN raise_exception THEN
                NULL;
            END;
            COMMIT;
        ELSE
            COMMIT;
        END IF;
    END LOOP;
END
$$;

CREATE PROCEDURE workload_bulk(rows int, seed int) LANGUAGE plpgsql AS
$$
BEGIN
    FOR piece IN 1..10 LOOP
        BEGIN
            INSERT INTO w_plain (id, name, amount) SELECT 200000 + i, repeat(md5(i::text || seed), 15), piece FROM generate_series(1, rows / 10) AS i
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, amount = excluded.amount;
            BEGIN
                UPDATE w_toast SET n = n + piece, bytes = decode(repeat(md5(piece::text), 80), 'hex');
                DELETE FROM w_part WHERE region = 'r1';
                IF piece % 3 = 0 THEN
                    RAISE EXCEPTION 'undo the inner savepoint';
                END IF;
            EXCEPTION WHEN raise_exception THEN
                INSERT INTO w_part SELECT 'r1', 10000 + i, 'again ' || piece FROM generate_series(1, 100) AS i
                ON CONFLICT (region, id) DO UPDATE SET v = excluded.v;
            END;
            IF piece % 4 = 0 THEN
                RAISE EXCEPTION 'undo the outer savepoint';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            NULL;
        END;
    END LOOP;
    COMMIT;
END
$$;
