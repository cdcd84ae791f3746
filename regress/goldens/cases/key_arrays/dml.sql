insert into ka_num values ('{0,0.0000001200,-5}', 1); update ka_num set k = '{null,12.5}'; delete from ka_num;
insert into ka_time values ('{2020-02-29,1970-01-01,1969-12-31}', '{2020-02-29 12:34:56.789,2021-01-01}', '{12:34:56.789}'); update ka_time set d = '{}', t = '{null,00:00}';
insert into ka_other values ('{NaN,1.5,-Infinity}', E'{"a \\"q\\" \\\\\\\\ ü\t","",null}'); update ka_other set f = '{0}';
insert into ka_none default values; delete from ka_none;
insert into ka_num values ('{}', 2);
