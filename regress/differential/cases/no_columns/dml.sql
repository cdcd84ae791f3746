begin;
insert into empty default values;
insert into emptied default values;
insert into made default values;
insert into seen values (1);
commit;
delete from empty;
truncate empty;
