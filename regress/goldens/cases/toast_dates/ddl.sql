create table big (id int primary key, d date[], ba bytea[]); alter table big alter d set storage external, alter ba set storage external;
