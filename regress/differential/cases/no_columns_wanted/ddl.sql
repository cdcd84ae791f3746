create table hidden (a int);
alter table hidden replica identity full;
create table seen (id int primary key);
