insert into p values (3, 'd');
insert into "Zz" values (4);
insert into sc (id) values (3);
delete from sc where id = 3;
