create table p_all(id int primary key, a text, n int);
create table p_cols(id int primary key, a text, hidden text, n int not null default 7);
create table p_rows(id int primary key, v text, n int); alter table p_rows replica identity full;
create table p_both(a int, hidden text, id bigint not null, v varchar(10), primary key (id));
create table p_toast(id int primary key, n int not null, t text, unique (id, n)); alter table p_toast replica identity using index p_toast_id_n_key; alter table p_toast alter t set storage external;
create table p_absent(id int primary key, v text);
create publication dbz_pub for table p_all, p_cols(id, n, a), p_rows where (n > 10 and v is distinct from 'no'), p_both(v, id) where (id < 100), p_toast where (n > 0) with (publish = 'insert, update');
