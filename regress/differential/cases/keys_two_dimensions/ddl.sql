create table two_int (id int primary key, a int[], v int);
create table two_full (id int primary key, a int[] not null, n numeric[], v int); alter table two_full replica identity full;
create table two_pk (a int[] primary key, v int);
create table two_date (id int primary key, d date[], f float8[], v int);
