insert into k_partial values (2,'p'); insert into k_expr values (2,'q');
