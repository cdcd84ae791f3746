create table pt(id int primary key) partition by range(id); create table pt1 partition of pt for values from (0) to (10); create table pt2 partition of pt for values from (10) to (20);
