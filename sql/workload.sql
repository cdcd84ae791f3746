-- What a shop does in a minute, and what a change pipeline must survive: inserts, updates, deletes, key
-- changes, transactions over several tables, rollbacks, savepoints, one large transaction, and DDL.

-- new customers, one transaction each; some change their mind
DO $$
BEGIN
    FOR n IN 1..300 LOOP
        INSERT INTO users (email, full_name, country) VALUES ('new' || n || '@example.com', 'New ' || n, 'FR');
        COMMIT;
        IF n % 10 = 0 THEN
            UPDATE users SET tags = array_append(tags, 'returning'), updated_at = clock_timestamp()
            WHERE email = 'new' || n || '@example.com';
            COMMIT;
        END IF;
    END LOOP;
END
$$;

-- orders that take stock: several tables in one transaction
DO $$
BEGIN
    FOR n IN 1..300 LOOP
        INSERT INTO orders (user_id, product_id, quantity, amount)
        VALUES (n, 1 + n % 200, 2, n * 1.25);
        UPDATE products SET stock = stock - 2 WHERE id = 1 + n % 200;
        UPDATE users SET updated_at = clock_timestamp() WHERE id = n;
        COMMIT;
    END LOOP;
END
$$;

-- never happened
BEGIN;
UPDATE orders SET amount = 0;
DELETE FROM users;
ROLLBACK;

-- half of it happened
BEGIN;
UPDATE users SET country = 'AT' WHERE id = 1;
SAVEPOINT before_mistake;
DELETE FROM orders;
ROLLBACK TO before_mistake;
UPDATE users SET country = 'CH' WHERE id = 2;
COMMIT;

-- key changes: a delete, a tombstone and a create in Kafka; the same row elsewhere in silver
UPDATE orders SET id = id + 1000000 WHERE id BETWEEN 1 AND 50;

-- description stays as it is and is not in the WAL: silver keeps it
UPDATE products SET price = price + 1 WHERE id <= 100;

-- deletes
DELETE FROM orders WHERE status = 'delivered' AND id % 5 = 0;
DELETE FROM users WHERE id BETWEEN 900 AND 950;

-- values with no place in other systems: kept exactly, and flagged
UPDATE orders SET discount = 'NaN' WHERE id = 100;
UPDATE users SET born_on = 'infinity' WHERE id = 3;

-- one large transaction
INSERT INTO orders (user_id, product_id, quantity, amount, status)
SELECT 1 + n % 800, 1 + n % 200, 1 + n % 9, n % 1000 / 4.0, 'paid' FROM generate_series(1, 100000) AS n;

-- the schema moves while changes stream
ALTER TABLE users ADD COLUMN phone text;
UPDATE users SET phone = '+49 30 ' || id WHERE id <= 100;
ALTER TABLE users ADD COLUMN loyalty integer NOT NULL DEFAULT 10;
UPDATE users SET loyalty = 20 WHERE id <= 50;
ALTER TABLE orders RENAME COLUMN notes TO remarks;
ALTER TABLE products DROP COLUMN weight_kg;
ALTER TYPE order_status ADD VALUE 'returned' AFTER 'delivered';
UPDATE orders SET status = 'returned', remarks = 'sent back' WHERE id BETWEEN 200 AND 220;
UPDATE products SET stock = stock + 100 WHERE stock < 0;
