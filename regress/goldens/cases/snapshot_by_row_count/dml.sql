insert into b_one values (2,'y'); insert into nopk values ('m'); insert into ul values (2); update c_mid set v='z' where id=3; delete from c_mid where id=4;
