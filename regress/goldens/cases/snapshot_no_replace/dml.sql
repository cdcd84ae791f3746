insert into m values (3,null,null,null); delete from m where id=1;
