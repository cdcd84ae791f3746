-- commit order; what was rolled back, wholly or by a savepoint, never appears
SELECT 'init' FROM pg_create_logical_replication_slot('transactions', 'cdc_decoder');
CREATE TABLE transactions (id int PRIMARY KEY, v text);
BEGIN;
INSERT INTO transactions VALUES (1, 'rolled back');
ROLLBACK;
BEGIN;
INSERT INTO transactions VALUES (2, 'kept');
SAVEPOINT a;
INSERT INTO transactions VALUES (3, 'rolled back');
SAVEPOINT b;
INSERT INTO transactions VALUES (4, 'rolled back, too');
RELEASE b;
ROLLBACK TO a;
SAVEPOINT c;
INSERT INTO transactions VALUES (5, 'kept');
RELEASE c;
UPDATE transactions SET v = 'changed' WHERE id = 2;
COMMIT;
DO $$
BEGIN
    FOR i IN 10 .. 13 LOOP
        BEGIN
            INSERT INTO transactions VALUES (i, 'in a block');
            IF i % 2 = 0 THEN
                RAISE division_by_zero;
            END IF;
        EXCEPTION WHEN division_by_zero THEN NULL;
        END;
    END LOOP;
END
$$;
BEGIN;
INSERT INTO transactions VALUES (20, 'prepared');
PREPARE TRANSACTION 'cdc_decoder_test';
INSERT INTO transactions VALUES (21, 'committed before');
COMMIT PREPARED 'cdc_decoder_test';
INSERT INTO transactions VALUES (2, 'conflict') ON CONFLICT DO NOTHING;
INSERT INTO transactions VALUES (2, 'conflict') ON CONFLICT (id) DO UPDATE SET v = excluded.v;
COPY transactions FROM stdin;
30	copied
31	copied, too
\.
SELECT * FROM changes('transactions');
DROP TABLE transactions;
SELECT pg_drop_replication_slot('transactions');
