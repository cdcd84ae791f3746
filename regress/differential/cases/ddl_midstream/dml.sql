insert into t values (1, 'a', 1, 1.25);
insert into u (v, "Mixed Case") values ('x', 'y')
-- wait
alter table t rename column a to "A new";
-- wait
insert into t values (2, 'b', null, 2);
update t set "A new" = 'c' where id = 1
-- wait
alter table t drop column b
-- wait
insert into t values (3, 'd', 3)
-- wait
alter table t add column b bigint default 7 not null
-- wait
update t set c = 9 where id = 3;
delete from t where id = 2
-- wait
alter table t alter column c type numeric(20,5), alter column b type text
-- wait
insert into t values (4, 'e', 1.00001, 'text now');
update t set id = 40 where id = 4
-- wait
alter table t alter column c drop not null, alter column c drop default, alter column b set default 'later'
-- wait
insert into t (id) values (5);
delete from t where id = 5
-- wait
alter table t rename to "T renamed"
-- wait
insert into "T renamed" (id) values (6)
-- wait
alter table "T renamed" set schema other
-- wait
insert into other."T renamed" (id) values (7);
delete from other."T renamed" where id < 3
-- wait
alter table u alter column v type varchar(20), add column added timestamptz(3) default '2020-01-01 00:00:00+02'
-- wait
insert into u (v) values ('longer than ten');
update u set v = 'z' where id = 1;
delete from u
-- wait
alter table u drop constraint u_pkey
-- wait
insert into u (v) values ('no key');
update u set v = 'still none';
delete from u
-- wait
alter table u add primary key (v, id)
-- wait
insert into u (v) values ('two');
update u set v = 'three';
update u set id = 100;
delete from u
-- wait
drop table u
-- wait
create table u (v text primary key, n int)
-- wait
insert into u values ('again', 1);
delete from u;
