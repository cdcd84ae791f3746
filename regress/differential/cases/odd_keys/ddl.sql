create table odd_key (n numeric(12, 10), m numeric(6, 2), t text, d date, f float8, primary key (n, m, t, d, f));
create table odd_time (t time, s timestamp(3), primary key (t, s));
create table odd_none (id pg_lsn primary key, v int);
create table odd_variable (n numeric primary key, v money);
