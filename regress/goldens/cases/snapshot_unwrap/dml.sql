update u set v='b' where id=1; delete from u where id=2;
