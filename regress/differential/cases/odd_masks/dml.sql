insert into masked values (1, 'First', 'Second', 'Third', 'Fourth', 'Fifth', 'Sixth'), (2, null, '', null, null, null, null);
update masked set c1 = 'other' where id = 1;
delete from masked;
