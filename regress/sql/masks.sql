-- masks, hashes and truncation: in rows, on the wire, in keys
SELECT 'init' FROM pg_create_logical_replication_slot('masks', 'cdc_decoder');
CREATE TYPE m_mood AS ENUM ('sad', 'happy');
CREATE DOMAIN m_name AS varchar(8);
CREATE TABLE masks (
    id int PRIMARY KEY,
    email text,
    name m_name NOT NULL DEFAULT 'x',
    mood m_mood,
    code char(6),
    secret text,
    n int);
INSERT INTO masks VALUES (1, 'a@b.c', 'Anna', 'happy', 'c1', 's3cret', 5), (2, NULL, '日本語', NULL, NULL, NULL, NULL);
UPDATE masks SET id = 3 WHERE id = 2;
DELETE FROM masks WHERE id = 3;
-- a text that the update leaves where it is stored
CREATE TABLE m_toast (id int PRIMARY KEY, body text, note text);
ALTER TABLE m_toast ALTER body SET STORAGE EXTERNAL;
INSERT INTO m_toast SELECT 1, repeat('long ', 2000), 'a';
UPDATE m_toast SET note = 'b';
-- nothing of them leaves the server
SELECT position('s3cret'::bytea IN body) + position('Anna'::bytea IN body) + position('a@b.c'::bytea IN body)
       + position('c1    '::bytea IN body) AS in_the_clear
FROM (SELECT string_agg(data, '') AS body
      FROM pg_logical_slot_peek_binary_changes('masks', NULL, NULL, 'format', 'frame',
          'column_mask_with_4_chars', 'public.masks.(mood|secret)',
          'column_mask_hash_v2_SHA-256_with_salt_x.y', 'public.masks.(email|name|code)')) f;
SELECT left(c, 400) FROM changes('masks',
    'column_mask_with_4_chars', 'public.masks.(mood|secret|n)',
    'column_mask_hash_v2_SHA-256_with_salt_x.y', 'public.masks.(name|code|email),public.m_toast.body',
    'column_truncate_to_3_chars', 'public.masks.email') c;
SELECT left(encode(sha256('x.yAnna'), 'hex'), 8) AS anna,
       left(encode(sha256('x.yc1    '), 'hex'), 6) AS code,
       left(encode(sha256('x.y__debezium_unavailable_value'), 'hex'), 8) AS unavailable;
-- keys are as they are; values of key columns are masked
INSERT INTO masks VALUES (4, 'k@e.y', 'Key');
SELECT topic, key, headers FROM records('masks',
    'message_key_columns', '(.*).masks:name,email', 'column_mask_with_2_chars', 'public.masks.(email|name)');
UPDATE masks SET email = 'other';
-- a list that names no column is most likely a slip
SELECT count(*) > 0 AS some FROM pg_logical_slot_peek_changes('masks', NULL, NULL, 'column_mask_with_2_chars', 'public.mask.email', 'column_exclude_list', 'public.masks.n', 'message_key_columns', 'public.masks:email');
SELECT c FROM changes('masks',
    'message_key_columns', '(.*).masks:email', 'column_mask_hash_MD5_with_salt_s', 'public.masks.email',
    'column_include_list', 'public.masks.id') c;
-- what is refused
SELECT * FROM changes('masks', 'column_mask_with_x_chars', 'a');
SELECT * FROM changes('masks', 'column_mask_hash_MD6_with_salt_x', 'a');
SELECT * FROM changes('masks', 'column.mask.with.2.chars', 'a');
SELECT * FROM changes('masks', 'column_masks', 'a');
SELECT * FROM changes('masks', 'message_key_columns', 'masks');
DROP TABLE masks, m_toast;
DROP DOMAIN m_name;
DROP TYPE m_mood;
SELECT pg_drop_replication_slot('masks');
