-- A seeded random workload over tables of every shape.
--
--     CALL workload_run(changes => 500000, seed => 42)
--
-- commits as it goes, in transactions of 1 to about 200 changes with one large one in between; about one in twelve is
-- rolled back, whole or to a savepoint.  The same seed gives the same changes.

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
    END CASE;
END
$$;

CREATE PROCEDURE workload_run(changes int, seed int) LANGUAGE plpgsql AS
$$
DECLARE
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
            TRUNCATE w_uuid;
            done := done + 1;
        END IF;
        FOR i IN 1..size LOOP
            n := floor(random() * 1000000)::int;
            CALL w_change(floor(random() * 20)::int, n);
        END LOOP;
        done := done + size;
        IF fate > 0.96 THEN
            ROLLBACK;
        ELSIF fate > 0.92 THEN
            BEGIN
                FOR i IN 1..5 LOOP
                    CALL w_change(floor(random() * 20)::int, floor(random() * 1000000)::int);
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
