create table m(id int primary key, v text); insert into m values (1,'a');
