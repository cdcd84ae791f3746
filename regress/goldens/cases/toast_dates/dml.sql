insert into big select 1, array(select '2020-01-01'::date from generate_series(1, 700)), array[decode(repeat('00ff', 1500), 'hex')]; update big set id = 2;
