insert into p_cols values (3,'b','never'); insert into p_rows values (2,'in'),(-2,'out'); insert into p_absent values (2,'never'); update p_cols set a='c'; delete from p_rows;
