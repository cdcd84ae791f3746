insert into t_c values (1, 'x');
update t_c set id = 2 where id = 1;
insert into s2."T d" values (1);
delete from s2."T d";
