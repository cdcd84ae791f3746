insert into t_def_odd (id) values (1); insert into t_def_odd values (2, null, 'plain', null, null, null, null, null, null); delete from t_def_odd where id = 1;
