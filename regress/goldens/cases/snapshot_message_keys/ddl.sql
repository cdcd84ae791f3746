create table fi(id int primary key, email text, n int); create table fi_nopk(a int, b text, c int); insert into fi values (1,'a@b',3); insert into fi_nopk values (1,'b',null);
