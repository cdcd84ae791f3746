create table empty ();
alter table empty replica identity full;
create table emptied (a int);
alter table emptied drop column a;
create table made (g int generated always as (1 + 1) stored);
create table seen (id int primary key);
