-- Deletes and inserts every row of every table, in one transaction.
DO $$
DECLARE t record; cols text;
BEGIN
 FOR t IN SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace
   WHERE c.relkind='r' AND c.relpersistence='p' AND c.oid>=16384 LOOP
  SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) INTO cols FROM pg_attribute WHERE attrelid=t.oid AND attnum>0 AND NOT attisdropped AND attgenerated='';
  EXECUTE format('CREATE TEMP TABLE saved AS SELECT %s FROM ONLY %s', cols, t.name);
  EXECUTE format('DELETE FROM ONLY %s', t.name);
  IF cols IS NULL THEN
    EXECUTE format('INSERT INTO %s SELECT FROM saved', t.name);
  ELSE
    EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM saved', t.name, cols, cols);
  END IF;
  DROP TABLE saved;
 END LOOP;
END $$;
