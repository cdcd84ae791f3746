-- text kinds, uuid, bool, json, enum; escaping
SELECT 'init' FROM pg_create_logical_replication_slot('types_text', 'cdc_decoder');
CREATE EXTENSION citext;
CREATE TYPE types_mood AS ENUM ('sad', 'o''k', 'very "happy"');
CREATE TABLE types_text (id int PRIMARY KEY, t text, v varchar(20), c char(8), ci citext, u uuid, b bool, j json, jb jsonb, e types_mood);
INSERT INTO types_text VALUES
    (1, 'plain', 'v', 'c', 'CiText', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', true, '{"b" : 1,  "a":[1,2]}', '{"b" : 1,  "a":[1,2]}', 'o''k'),
    (2, E'quote " backslash \\ slash / tab \t newline \n cr \r bs \b ff \f bell \007 del \177 esc \033', 'naïve 日本 🐘', '', '', NULL, false, '"\u00e9"', '"\u00e9"', 'very "happy"'),
    (3, '', '', NULL, NULL, NULL, NULL, 'null', 'null', 'sad'),
    (4, repeat('é', 100), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT data::json -> 'after' FROM pg_logical_slot_get_changes('types_text', NULL, NULL, 'table_include_list', 'public.types_text');
DROP TABLE types_text;
DROP TYPE types_mood;
DROP EXTENSION citext;
SELECT pg_drop_replication_slot('types_text');
