begin; insert into u values (3,'c'); insert into w values (2); commit;
