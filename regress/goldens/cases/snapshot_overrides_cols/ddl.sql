create table o(id int primary key, a text default 'dflt', b int not null, c text); insert into o values (1,'x',2,'y'),(2,null,3,null);
