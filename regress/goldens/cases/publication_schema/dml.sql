insert into s.one values (1,'a'); insert into t values (1,'in'),(-1,'out'); update t set id=-2 where id=1; insert into absent values (1); insert into s.parted values (1,'low');
create table s.two(id int primary key, v text); insert into s.two values (1,'made later'); update s.one set v='b'; delete from s.one; truncate s.two, t, absent;
alter table absent set schema s; insert into s.absent values (2);
