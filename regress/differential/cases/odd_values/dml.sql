insert into odd_array values (1, '{$1.50}', '{(2,3),(1,1);(1,1),(0,0)}', '{"((0,0),(1,1.5))"}', '<(1,1),2>', '{{0/1},{NULL}}', '', ''), (2, null, '{}', null, null, '{NULL}', '1 2', '3');
insert into odd_toast select 1, 1, array_agg('08:00:2b:01:02:03'::macaddr), array_agg(int4range(i, i + 1)), array_agg(i::text), array_agg('x'::"char"), ('[' || string_agg(format('(%s,%s)', i, random()), ',') || ']')::path, array_agg('10.0.0.1'::inet), repeat('1', 30000)::numeric, repeat('10', 90000)::varbit, 'e', array_agg('((0,0),(1,1))'::polygon) from generate_series(1, 3000) i;
update odd_toast set v = 2;
insert into odd_default values (1, null, null, '[]', '[]', null, null, null, null);
delete from odd_default;
insert into odd_time values (1, '{12:34:56.789012,24:00}', '{12:34:56.789012+02,24:00+00}', '{12:34:56.789,24:00}');
insert into odd_text values (1, '{{a,b},{c,d}}', '{{10.0.0.1}}', 'name');
insert into odd_numeric values (1, '{1,NaN}', '{NaN,NULL,2}', 'NaN', 'NaN'), (2, '{{1,2},{3,4}}', '{1.5}', 'Infinity', null);
insert into odd_date values (1, '{1582-10-04,1582-10-15,0001-01-01}', '{1582-10-04 10:00,0001-01-01 BC}', '{1500-01-01}', '{1582-10-04 10:00,-infinity}');
