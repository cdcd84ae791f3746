insert into s1.t values (2,'a','b'); insert into s2.t values (2);
