create extension hstore; create table t_hs(id int primary key, h hstore, ha hstore[]);
insert into t_hs values (1,'a=>1,b=>NULL,"c d"=>"e \"f\""',array['x=>1'::hstore]),(2,'','{}'),(3,null,null),(4,'"ü"=>"😀", "back\\slash"=>"a,b=>c"',null); update t_hs set h=h||'z=>9' where id=1; delete from t_hs where id=1;
