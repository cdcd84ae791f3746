insert into cut values (1, '\x0102030405', '{[1,2],[4,5)}', '[1.5,2.5]', '10:20:10,14', '[(0,0),(1,1)]', '((0,0),(1,1),(1,0))', '(1,x)', '1010101010101010101010', '10101010101010101010', 123456.78, 123456.789, '16/B374D848', 'a & b', '$.a.b', '12345', 'a=>1', 'a:1 b', 'Top.X.Y', '10.0.0.1/8', '1234.56', '[1,5)', '<abc/>', 'pg_class', '1 day', default);
insert into cut (id) values (2);
insert into cut_not_null values (1, '(0,0),(1,1)', '16/B374D848', '(1,xyz)', '\x0102030405');
update cut_not_null set id = 2;
delete from cut_not_null;
delete from cut;
