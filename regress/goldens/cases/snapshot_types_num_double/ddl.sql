create table t_int(id int primary key, s smallint, i int, b bigint, ss smallserial, se serial, bs bigserial, o oid);
create table t_num(id int primary key, n numeric, n12 numeric(12,2), n38 numeric(38,0), n10 numeric(10), nneg numeric(5,-2), nsm numeric(3,5), d decimal(20,10), nbig numeric(1000,500));
create table t_num_nan(id int primary key, n numeric, n12 numeric(12,2));
create table t_num_inf(id int primary key, n numeric);
create table t_money(id int primary key, m money);
create table t_float(id int primary key, r real, d double precision, f24 float(24), f53 float(53));
create table t_bool(id int primary key, b boolean);
insert into t_int values (1,-32768,-2147483648,-9223372036854775808,1,1,1,0),(2,32767,2147483647,9223372036854775807,2,2,2,4294967295),(3,null,null,null,default,default,default,null),(4,0,0,0,0,0,0,1);
insert into t_num(id,n,n12,n38,n10,nneg,nsm,d,nbig) values
 (1,0,0,0,0,0,0,0,0),(2,1.10,1.10,1,1,100,0.00123,1.1,1.5),(3,-1.10,-1.10,-1,-1,-100,-0.00123,-1.1,-1.5),
 (4,12345678901234567890.123456789,9999999999.99,99999999999999999999999999999999999999,9999999999,9999900,0.00999,9999999999.9999999999,12345678901234567890123456789012345678901234567890.12345678901234567890),
 (5,1e40,-9999999999.99,-99999999999999999999999999999999999999,-9999999999,-9999900,-0.00999,-9999999999.9999999999,-0.5),
 (6,1e-20,0.01,127,128,12300,0.001,0.0000000001,0.1),(7,null,null,null,null,null,null,null,null),(8,1.000,255.00,-128,-129,0,0,1,100),(9,100,1.28,256,32768,200,0.00001,10,1e100);
update t_num set n=1.5, n12=1.5 where id=1; delete from t_num where id=2;
insert into t_num_nan values (1,'NaN',1.00),(2,1,'NaN'),(3,'NaN','NaN'),(4,null,null);
insert into t_num_inf values (1,'Infinity'),(2,'-Infinity'),(3,5);
insert into t_money values (1,'$1,234.56'),(2,'-$0.01'),(3,0),(4,'92233720368547758.07'),(5,'-92233720368547758.08'),(6,null);
insert into t_float values (1,0.1,0.1,0.1,0.1),(2,'NaN','NaN','NaN','NaN'),(3,'Infinity','Infinity','Infinity','Infinity'),(4,'-Infinity','-Infinity','-Infinity','-Infinity'),(5,'-0','-0','-0','-0'),(6,1e-45,5e-324,1.17549435e-38,2.2250738585072014e-308),(7,3.4028235e38,1.7976931348623157e308,3.4028235e38,1.7976931348623157e308),(8,null,null,null,null),(9,1,1,1,1),(10,100000000,1e15,16777216,9007199254740993),(11,1e7,1e7,1e7,1e7),(12,0.001,0.001,0.0001,0.0001),(13,9999999,9999999.999999999,1.5e-5,123456789012345680);
insert into t_bool values (1,true),(2,false),(3,null);
