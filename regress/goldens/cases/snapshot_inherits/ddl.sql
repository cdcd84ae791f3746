create table par(id int primary key, v text); create table chi(extra int, primary key (id)) inherits (par); insert into par values (1,'p'); insert into chi values (2,'c',3);
