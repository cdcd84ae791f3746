create extension hstore; create extension ltree;
create type floats as range (subtype = float8);
create type pair as (a int, b text);
create table cut (id int primary key, a bytea, b nummultirange, c floats, d txid_snapshot, e lseg, f polygon, g pair, h varbit, i bit(20), j numeric(20,2), k numeric, l pg_lsn, m tsquery, n jsonpath, o xid, p hstore, q tsvector, r ltree, s inet, t money, u int4range, v xml, w regclass, x interval, y bytea not null default '\x0102030405');
create table cut_not_null (id int primary key, e box not null, l pg_lsn not null, g pair not null, z bytea not null);
