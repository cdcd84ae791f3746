create table t_c (id int primary key, a text);
create schema s2;
create table s2."T d" (id int primary key);
insert into t_c values (0, 'before');
