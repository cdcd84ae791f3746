insert into t_logged values (3); insert into t_unlogged values (4);
