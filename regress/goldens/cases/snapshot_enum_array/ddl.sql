create type ee as enum('x','y z'); create table ea(id int primary key, e ee[]);
insert into ea values (1,'{x,"y z"}'),(2,'{x,NULL}'),(3,'{}'),(4,null);
