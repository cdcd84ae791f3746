-- Tables that are hard to describe and to read: every type, arrays of them, domains, partitions,
-- inheritance, keys and replica identities of all kinds, columns dropped and added, names with
-- quotes, dots and Unicode.  test_source.py wants stream and snapshot to say the same of each.
create extension if not exists citext;
create extension if not exists hstore;
create extension if not exists ltree;
create schema if not exists "Odd ""Schema.x";
create schema app;
create type app.mood as enum ('sad','ok','happy');
alter type app.mood add value 'so-so' before 'ok';
create type app.pair as (a int, b text);
create domain app.price as numeric(10,2) check (value > 0);
create domain app.price2 as app.price;
create domain app.moods as app.mood[];
create domain app.jd as jsonb;
create domain app.ci as citext;
create domain app.ip as inet;
create table nums(id bigserial primary key, a smallint, b int, c bigint, d real, e double precision,
    f numeric, g numeric(10,2), h money, i oid, j app.price default 3.5, k app.price2, l numeric(20,
    0)[], m boolean, n "char");
insert into nums(a,b,c,d,e,f,g,h,i,j,k,l,m,n) values (1,2,3,1.5,2.5,'NaN',12.30,'12.34',42,1,2,
    '{1,2,null}',true,'x'),(-1,-2,-3,'NaN','-Infinity','Infinity',-0.01,'-1',4294967295,9.99,8.88,'{}',
    false,'é'::text::"char"),(null,null,null,null,null,null,null,null,null,null,null,null,null,null),(0,
    0,0,-0.0,1e-300,'-Infinity',0,0,0,1,1,'[2:3]={7,8}',true,''),(1,1,1,3.4e38,1e308,1e-1000,1,1,1,1,1,
    '{{1,2},{3,4}}',true,'a'),(1,1,1,1,1,123456789012345678901234567890.123456789,1,1,1,1,1,null,true,
    'b');
create table txt(id uuid primary key default gen_random_uuid(), a text not null default 'x''y',
    b varchar(10), c char(5), d name, e json, f jsonb, g citext, h app.ci, i xml, j text[],
    k varchar(3)[], l jsonb[], m json[], n citext[], o app.jd, p app.jd[], q bytea, r bit(3), s varbit,
    t bit(3)[], u bytea[], v name[]);
insert into txt values ('00000000-0000-0000-0000-000000000001','ä€😀','abc','ab','nm','{"a" : 1}',
    '{"b":[1,2]}','CiTe','Ci','<a>x</a>','{a,NULL,"",ü}','{abc}',array['{"a":1}'::jsonb,null,'[]'],
    array['{"x" : 2}'::json],'{A,b}','{"d":1}',array['{"z":1}'::app.jd],'\x00ff','101','10101',
    '{101,NULL}','{"\\x01"}','{n1,n2}'),('00000000-0000-0000-0000-000000000002','',null,null,null,null,
    null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null),
    ('00000000-0000-0000-0000-000000000003',repeat('long',50000),null,null,null,null,
    ('{"k":"'||repeat('v',100000)||'"}')::jsonb,null,null,null,array[repeat('e',30000)],null,'{}',null,
    null,null,null,decode(repeat('ab',20000),'hex'),null,null,null,null,null);
create table times(id int generated always as identity primary key, a date, b time, c time(3), d timetz,
    e timestamp, f timestamp(0), g timestamptz, h interval, i interval day to second(2),
    j timestamptz[], k interval[], l date[]);
insert into times(a,b,c,d,e,f,g,h,i,j,k,l) values ('2020-02-29','24:00','12:34:56.789','12:00+05:30',
    '2020-01-01 1:2:3.456789','2020-01-01','2020-01-01 00:00+02','1 year 2 mons 3 days 04:05:06.7',
    '1 day','{2020-01-01 00:00+00,infinity}','{1 day}','{4713-01-01 BC,infinity}'),('infinity','0:0',
    '0:0','0:0-15:59:59','-infinity','infinity','-infinity','-1 mon','0','{}',null,null),
    ('4713-01-01 BC',null,null,null,'4713-01-01 BC',null,'294276-12-31 23:59:59.999999+00',
    '-178000000 years',null,null,null,null);
create table net(id int primary key, a inet, b cidr, c macaddr, d macaddr8, e inet[], f int4range,
    g numrange, h tstzrange, i int4multirange, j tsvector, k tsquery, l point, m box, n path, o polygon,
    p circle, q line, r lseg, s pg_lsn, t txid_snapshot, u hstore, v ltree, w app.pair, x app.pair[],
    y regclass, z int2vector, aa oidvector, ab xid, ac jsonpath, ad app.ip, ae app.ip[], af cid, ag tid,
    ah regtype, ai daterange[], aj lquery, ak refcursor, al xid8, am pg_snapshot);
insert into net values (1,'1.2.3.4','10.0.0.0/8','08:00:2b:01:02:03','08:00:2b:01:02:03:04:05',
    '{1.2.3.4,::1/64}','[1,5)','[1.5,)','["2020-01-01 00:00+00",)','{[1,3),[5,7)}','a b','a & b',
    '(1,2)','(1,2),(3,4)','[(1,2),(3,4)]','((1,2),(3,4))','<(1,2),3>','{1,2,3}','[(1,2),(3,4)]',
    '0/16B3748','10:20:10,14,15','a=>1,b=>NULL','Top.x',row(1,'x y'),array[row(1,null)::app.pair],
    'nums','1 2 3','4 5','7','$.a','192.168.0.1','{10.0.0.1}','3','(1,2)','int4',
    '{"[2020-01-01,2020-02-01)"}','a.*','cur','9','10:20:');
insert into net(id) values (2);
insert into net values (3,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,
    null,null,null,null,null,null,null,row(null,null),'{}',null,'','',null,null,'1.1.1.1/32','{}');
create table moods(id serial, a app.mood not null default 'ok', b app.mood[], c app.moods,
    primary key (a,id));
insert into moods(a,b,c) values ('sad','{sad,NULL,so-so}','{happy}'),('so-so','{}',null),('happy',
    '{{sad,ok},{ok,sad}}','{}');
create table "Odd ""Schema.x"."Tä.b""le'x" ("Id" int, "sp ace" text, "q""uote" text default E'a\\b''c',
    "select" int, "ü" int, unique("select","Id"));
insert into "Odd ""Schema.x"."Tä.b""le'x" values (1,'a','b',2,3),(null,null,null,null,null);
create table nokey(a int, b text);
insert into nokey select g, 'r'||g%3 from generate_series(1,100) g;
alter table nokey replica identity full;
create table rin(a int primary key, b int not null, c text);
create unique index rin_b on rin(b);
alter table rin replica identity using index rin_b;
insert into rin values (1,2,'x');
create table rinothing(a int primary key, b int);
alter table rinothing replica identity nothing;
insert into rinothing values (1,2);
create table uniq(a int not null, b int not null, c int, d text);
create unique index z_first on uniq(c);
create unique index a_part on uniq(a) where b > 0;
create unique index b_expr on uniq((a+b));
create unique index m_two on uniq(b,a) include (d);
insert into uniq values (1,2,3,'x');
create table clus(a int, b int);
create unique index clus_a on clus(a);
create unique index clus_b on clus(b);
cluster clus using clus_b;
insert into clus values (1,2);
create table defer(a int, b int, primary key (a) deferrable);
alter table defer replica identity full;
insert into defer values (1,2);
create table pkinc(a int, b int, c text, primary key (b, a) include (c));
insert into pkinc values (1,2,'x');
create table gen(id int primary key, a int, g int generated always as (a*2) stored, h text default 'x');
insert into gen(id,a) values (1,2),(2,3);
create table dropped(id int primary key, a text, b int, c text);
alter table dropped drop column b;
insert into dropped values (1,'x','y');
alter table dropped add column d int not null default 7;
alter table dropped add column e text default 'mis''s';
alter table dropped add column f jsonb default '{"a":1}';
alter table dropped add column g jsonb[] default array['{"a":1}'::jsonb];
alter table dropped add column h app.mood default 'happy';
alter table dropped add column i app.mood[] default '{sad,ok}';
alter table dropped add column j inet default '1.2.3.4';
alter table dropped add column k inet[] default '{1.2.3.4}';
alter table dropped add column l numeric(10,3) default 1.5;
alter table dropped add column m int[] default '{1,2}';
alter table dropped add column n app.jd default '{"q":2}';
alter table dropped add column o timestamptz default '2020-01-01 00:00+00';
alter table dropped add column p app.pair default row(1,'z');
alter table dropped add column q text;
alter table dropped add column r citext default 'Ab';
alter table dropped add column s bytea default '\x01';
alter table dropped add column t bool default true;
alter table dropped add column u hstore default 'a=>1';
alter table dropped add column v app.jd[] default array['{"q":2}'::app.jd];
alter table dropped add column w timestamptz default now();
insert into dropped(id) values (2);
create table defs(id int primary key generated by default as identity (start 10),
    a timestamptz default now(), b text default lower('ABC'), c text default current_user,
    d int default 1+2, e int default length('x'::text), f date default '2020-01-01',
    g regclass default 'nums'::regclass, h app.mood default 'ok'::app.mood,
    i text default nextval('moods_id_seq')::text, j text collate "C" default ('x' collate "C"),
    k app.price default 2, l text default (case when 1=1 then 'a' else 'b' end));
insert into defs default values;
create table part(id int, k text, primary key (id,k)) partition by list (k);
create table part_a partition of part for values in ('a');
create table app.part_b partition of part for values in ('b') partition by range (id);
create table app.part_b1 partition of app.part_b for values from (0) to (100);
insert into part values (1,'a'),(2,'b');
create table parent(id int primary key, a text);
create table child(b int, primary key(id)) inherits (parent);
insert into parent values (1,'p');
insert into child values (2,'c',3);
create table nocols();
insert into nocols default values;
insert into nocols default values;
create table empty_one(id int primary key);
create table a_empty(id int primary key);
create table zz_empty(id int);
create unlogged table unl(a int);
insert into unl values (1);
create table secret(id int primary key, a text, hidden text, pk2 int unique);
insert into secret values (1,'a','h',2);
