insert into o values (3,'n',4,'m');
