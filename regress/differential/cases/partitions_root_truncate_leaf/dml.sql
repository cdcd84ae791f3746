insert into p values (1, 'a'), (150, 'b');
truncate p1;
insert into p values (2, 'c');
begin; truncate p1, plain; insert into p values (3, 'd'); commit;
truncate p1, p2;
insert into plain values (1);
truncate p;
insert into plain values (2);
