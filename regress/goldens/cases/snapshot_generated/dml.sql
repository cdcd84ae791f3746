insert into gn(id,a) values (3,5); update gn set a=7 where id=1; delete from gn where id=2;
