insert into r1 values (1,1,'b',null,1.5); update r1 set c=1; update r1 set a=2; update r1 set id=5; update r1 set b='z', id=6; delete from r1;
insert into r2 values (1,'b',default,'2020-01-01 00:00+00','{}'); update r2 set b='c'; update r2 set a=2; delete from r2;
insert into r3 values (1,1,default,'0f0e0d0c-0b0a-0908-0706-050403020100',true,'2020-01-01','2020-01-01','\x00','{}','1 day',1.5); update r3 set a=2; update r3 set id=2,a=3; delete from r3;
insert into r4 values (1,1); update r4 set a=2; delete from r4; insert into r5 values (1,1,'c'); update r5 set b=2; update r5 set a=2; update r5 set a=a; delete from r5; insert into r6 values (1,1,'a'); update r6 set v='b'; update r6 set id=2; update r6 set a=3,id=4,v='c'; delete from r6;
