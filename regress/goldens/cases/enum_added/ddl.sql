create type e as enum('x','y'); create table en(id int primary key, v e);
