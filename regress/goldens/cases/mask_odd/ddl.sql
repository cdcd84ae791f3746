create table mo (id int primary key, c "char", n int not null default 3, t text, m nummultirange, g lseg); alter table mo replica identity full;
