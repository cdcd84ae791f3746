insert into m values (3); update m set t=null where id=1; delete from m where id=2;
