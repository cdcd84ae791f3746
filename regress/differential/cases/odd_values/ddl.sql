create domain odd_money as money;
create table odd_array (id int primary key, m odd_money[], b box[], p polygon[], c circle, l pg_lsn[], o oidvector, i int2vector);
create table odd_toast (id int primary key, v int, a macaddr[], r int4range[], t text[], c "char"[], q path, x inet[], n numeric, z varbit, e text, g polygon[]);
alter table odd_toast alter a set storage external, alter r set storage external, alter t set storage external, alter c set storage external, alter q set storage external, alter x set storage external, alter n set storage external, alter z set storage external, alter g set storage external;
create table odd_default (id int primary key, n numeric(5, 0) default -0.1, m numeric(5, 1) default 0.500, j json not null, jb jsonb not null, i timestamp default 'infinity', d date default '-infinity', tm time default '24:00', tm3 time(3) default '24:00');
create table odd_time (id int primary key, t time[], z timetz[], t3 time(3)[]);
create table odd_text (id int primary key, t text[], e inet[], n name);
create table odd_numeric (id int primary key, a numeric[], b numeric(10, 2)[], c numeric, d numeric(6, 2));
create table odd_date (id int primary key, d date[], s timestamp[], s3 timestamp(3)[], z timestamptz[]);
