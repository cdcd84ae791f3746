insert into seen values (1, 1);
insert into hidden values (1, 1);
insert into seen values (2, 1);
delete from seen where id = 2;
truncate seen;
create table late (id int);
