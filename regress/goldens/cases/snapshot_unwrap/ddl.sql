create table u(id int primary key, v text, n numeric(5,2)); insert into u values (1,'a',1.5),(2,null,null);
