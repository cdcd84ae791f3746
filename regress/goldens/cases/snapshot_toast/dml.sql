update tt set id=1; update tt set id=2 where id=1;
