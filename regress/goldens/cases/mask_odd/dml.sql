insert into mo values (1, '', 1, '', '{[1,2],[4,5)}', '[(0,0),(1,1)]'), (2, 'x', 2, 'x', '{}', null), (3, null, 3, null, null, null); update mo set c = 'y' where id = 1; delete from mo where id = 2;
