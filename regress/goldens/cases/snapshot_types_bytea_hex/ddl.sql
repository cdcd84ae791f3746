create table t_bytea(id int primary key, b bytea, ba bytea[]);
create table t_bytea_pk(id bytea primary key, v int);
insert into t_bytea values (1,'\x',null),(2,'\x00','{}'),(3,'\x00ff10fbfffe','{"\\x01ff","\\x"}'),(4,'hello','{NULL}'),(5,null,null),(6,'\xfbeffb','{"\\xfbeffb"}');
update t_bytea set b='\xdeadbeef' where id=1; delete from t_bytea where id=3;
insert into t_bytea_pk values ('\xcafe',1); delete from t_bytea_pk;
