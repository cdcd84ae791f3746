create table scn (id int primary key, n numeric(5,1), e int2vector, x numeric); alter table scn replica identity full;
insert into scn values (1, 'NaN', null, null), (2, null, '1 2', 'NaN');
