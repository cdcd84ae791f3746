create extension hstore; create extension citext; create extension ltree; create extension isn;
create type color as enum ('red', 'green', 'blue');
create type pair as (a int, b text);
create domain d_int as int check (value > 0);
create domain d_arr_el as varchar(5);
create table sc (id int primary key,
  c0 smallint,
  c1 integer,
  c2 bigint,
  c3 oid,
  c4 real,
  c5 double precision,
  c6 numeric,
  c7 numeric(10,2),
  c8 numeric(5,0),
  c9 boolean,
  c10 text,
  c11 varchar,
  c12 varchar(20),
  c13 char(6),
  c14 bpchar,
  c15 "char",
  c17 uuid,
  c18 json,
  c19 jsonb,
  c20 xml,
  c21 bytea,
  c22 bit(1),
  c23 bit(5),
  c24 varbit,
  c25 varbit(9),
  c26 date,
  c27 time,
  c28 time(0),
  c29 time(3),
  c30 timetz,
  c31 timestamp,
  c32 timestamp(0),
  c33 timestamp(3),
  c34 timestamptz,
  c35 timestamptz(0),
  c36 timestamptz(3),
  c37 interval,
  c38 inet,
  c39 cidr,
  c40 macaddr,
  c41 macaddr8,
  c42 int4range,
  c43 int8range,
  c44 numrange,
  c45 daterange,
  c46 tsrange,
  c47 tstzrange,
  c48 tsvector,
  c49 money,
  c50 point,
  c51 line,
  c52 lseg,
  c53 box,
  c54 path,
  c55 polygon,
  c56 circle,
  c57 pg_lsn,
  c58 tsquery,
  c59 int4multirange,
  c60 xid,
  c61 cid,
  c62 tid,
  c63 jsonpath,
  c64 regclass,
  c65 color,
  c66 pair,
  c67 d_int,
  c68 d_arr_el,
  c69 hstore,
  c70 citext,
  c71 ltree,
  c72 isbn,
  gen int generated always as (id * 2) stored);
insert into sc values (1, '7', '-7', '9007199254740993', '4000000000', '1.5', '1e300', '12.3400', '-0.05', '12345', 't', 'a "q" \ ü', '', 'v', 'abc', 'ab ', 'x', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}', '{"a": 1}', '<a/>', '\x00ff', '1', '10100', '101', '1', '2020-02-29', '12:34:56.789', '12:34:56', '23:59:59.999', '10:00:00+02', '2020-02-29 12:34:56.789012', '2020-02-29 12:34:56', '2020-02-29 12:34:56.789', '2020-02-29 12:34:56.789012+05:30', '2020-02-29 12:34:56-08', '2020-02-29 12:34:56.7+00', '1 mon 2 days', '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '[1,5)', '(,5]', '[1.0,2.0]', '[2020-01-01,2020-02-01)', '[2020-01-01,2020-02-01)', '[2020-01-01 00:00+00,)', 'a:1 b', '12.34', '(1,2)', '{1,2,3}', '[(0,0),(1,1)]', '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1),(1,0))', '<(0,0),1>', '16/B374D848', 'a & b', '{[1,3)}', '7', '8', '(0,1)', '$.a', 'pg_class', 'green', '(1,x)', '5', 'q', 'a=>1', 'CiT', 'Top.X', '0-393-04002-X');
insert into sc (id) values (2);
create table p (id int primary key, v text) partition by range (id);
create table p1 partition of p for values from (0) to (10);
create table p2 partition of p for values from (10) to (20);
insert into p values (1, 'a'), (11, 'b'), (2, 'c');
create view vw as select * from p;
create table "Zz" (a int);
insert into "Zz" values (1), (2), (null);
create materialized view mv as select 1 as x;
create unlogged table ul (id int primary key);
insert into ul values (1);
create table empty (id int primary key);
