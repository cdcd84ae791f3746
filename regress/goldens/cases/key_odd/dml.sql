insert into k_uniq values (1,'x',null); insert into k_multi values (1,2,3); insert into k_nullable values (1,'n'),(null,'m'); insert into k_incl values (1,2,'v'); insert into k_defer values (1,'v');
