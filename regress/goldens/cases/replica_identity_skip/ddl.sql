create table r1(id int primary key, a int not null, b text not null, c int, d numeric not null); create unique index r1x on r1(a,b); alter table r1 replica identity using index r1x;
create table r2(a int not null, b text, c int not null default 7, t timestamptz not null, j jsonb not null); create unique index r2x on r2(a); alter table r2 replica identity using index r2x;
create table r3(id int primary key, a int not null, b text not null default 'x', u uuid not null, bo bool not null, d date not null, ts timestamp not null, by bytea not null, ar int[] not null, e interval not null, f float8 not null);
create table r4(id int primary key, a int); alter table r4 replica identity nothing; create table r5(a int not null, b int, c text); alter table r5 replica identity full; create unique index on r5(a);
create table r6(id int, a int, v text, primary key (a,id)); alter table r6 replica identity full;
