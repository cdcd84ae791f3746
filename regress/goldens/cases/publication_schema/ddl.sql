create schema s; create table s.one(id int primary key, v text); create table t(id int primary key, v text); create table absent(id int primary key);
create table s.parted(id int primary key, v text) partition by range (id); create table parted_low partition of s.parted for values from (0) to (10);
create publication dbz_pub for tables in schema s, table t where (id > 0);
