create extension citext;
create table masked (id int primary key, c1 citext, c2 citext not null default 'Abc', c3 citext, c4 citext, c5 text default 'seen', c6 citext);
