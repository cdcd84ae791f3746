create table iv (id serial primary key, i interval, i0 interval(0), i3 interval(3), h interval hour, ym interval year to month, d interval default '1 day 02:03:04.5');
