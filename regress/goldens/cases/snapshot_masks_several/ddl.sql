create extension citext; create type mood as enum('sad','ok'); create domain d_v as varchar(6);
create table m(id varchar(20) primary key, t text, v varchar(10), c char(8), ct citext, e mood, j json, u uuid, a text[], va varchar(5)[], n int, d d_v, x xml, b bytea, tn text not null, td text default 'dflt', ts tsvector, i inet, nm name, num numeric);
create table mf(id int, t text, v varchar(10), c char(8), primary key (id)); alter table mf replica identity full;
create table "Mixed"("Id" int primary key, "T" text);
insert into m values ('k1','text','varchar','char','CiText','ok','{"a":1}','0f0e0d0c-0b0a-0908-0706-050403020100','{abc,def}','{abcde}',42,'domain','<a/>','\xdead','notnull',default,'a b','1.2.3.4','nm',1.5),('n1',null,null,null,null,null,null,null,null,null,null,null,null,null,'',null,null,null,null,null); insert into mf values (1,'text','varchar','char'); insert into "Mixed" values (1,'secret');
