insert into p values (1, 'eu', 'a'), (150, 'eu', 'b'), (3, 'us', 'c');
update p set v = 'd';
update p set region = 'us' where id = 1;
update p set id = 151 where id = 150;
update p set id = 5 where id = 151;
insert into q values (1, 1), (2, 2), (3, 3);
update q set v = 9;
update q set id = id + 1;
delete from q where id = 3;
truncate p;
truncate q;
create table p_late partition of p for values in ('late')
-- wait
insert into p values (7, 'late', 'e');
alter table p detach partition p_rest
-- wait
insert into p_rest values (8, 'alone', 'f');
delete from p;
