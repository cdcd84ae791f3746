create table seen (id int primary key, v int);
create table hidden (id int primary key, v int);
