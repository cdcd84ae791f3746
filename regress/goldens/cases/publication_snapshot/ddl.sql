create table p_cols(id int primary key, a text, hidden text); insert into p_cols values (1,'a','read'),(2,null,null);
create table p_rows(id int primary key, v text); insert into p_rows values (1,'in'),(-1,'out');
create table p_absent(id int primary key, v text); insert into p_absent values (1,'read');
create publication dbz_pub for table p_cols(id, a), p_rows where (id > 0) with (publish = 'insert');
