insert into p_all values (1,'a',1),(2,'b',2); update p_all set a='c' where id=1; update p_all set id=3 where id=2; delete from p_all where id=1; truncate p_all;
insert into p_cols values (1,'a','secret',1),(2,'b',null,default); update p_cols set hidden='other' where id=1; update p_cols set a='z' where id=2; update p_cols set id=5 where id=2; delete from p_cols where id=1;
insert into p_rows values (1,'in',11),(2,'out',10),(3,'no',20),(4,null,12); update p_rows set n=12 where id=1; update p_rows set n=5 where id=1; update p_rows set n=50 where id=2; update p_rows set n=1 where id=3; update p_rows set id=40 where id=4; delete from p_rows where id=2;
insert into p_both values (1,'secret',1,'v1'),(2,'secret',200,'v2'); update p_both set hidden='x', v='v3' where id=1; update p_both set id=101 where id=1; update p_both set id=99 where id=200; delete from p_both;
insert into p_toast values (1,1,repeat('t',5000)),(2,-1,repeat('u',5000)); update p_toast set n=2 where id=1; update p_toast set n=-2 where id=1; update p_toast set n=3 where id=2;
insert into p_absent values (1,'never');
begin; insert into p_absent values (2,'never'); insert into p_rows values (9,'out',0); commit;
alter table p_all add column later text default 'd'; insert into p_all values (7,'g',7,'l'); alter table p_cols rename a to renamed; insert into p_cols values (9,'r','secret',9); alter table p_cols add column unlisted int; insert into p_cols values (10,'r','secret',9,4);
