begin;
insert into seen values (1);
commit;
insert into hidden values (7);
update hidden set a = 8;
delete from hidden;
