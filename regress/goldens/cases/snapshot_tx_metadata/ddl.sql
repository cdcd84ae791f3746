create table u(id int primary key, v text); create table w(id int); insert into u values (1,'a'),(2,null); insert into w values (1);
