create table m(id int primary key, t text default 'tt', n numeric(5,2) default 1.25, i int default 7); insert into m values (1,null,null,null),(2,'x',2,3);
