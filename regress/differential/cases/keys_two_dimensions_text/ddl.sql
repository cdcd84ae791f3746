create table two_text (id int primary key, a text[], v int);
create table two_other (id int primary key, v int);
