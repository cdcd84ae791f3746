create table t(id int primary key, v text); create table u(id int primary key, v text);insert into t values (50,'s'); comment on table t is 'tab'; comment on column t.v is 'col "c"';
