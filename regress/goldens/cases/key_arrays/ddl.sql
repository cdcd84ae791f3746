create table ka_num (k numeric(20,10)[] primary key, v int);
create table ka_time (d date[], s timestamp(3)[], t time(3)[], primary key (d, s, t));
create table ka_other (f float8[], x text[], primary key (f, x));
create table ka_none ();
alter table ka_none replica identity full;
