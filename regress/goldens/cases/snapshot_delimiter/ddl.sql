create table "we ird"(id int primary key); insert into "we ird" values (1);
