create schema other;
create table t (id int primary key, a text, b int default 5, c numeric(10,2) not null default 1.5);
create table u (id serial primary key, v varchar(10), "Mixed Case" text);
alter table u replica identity full;
