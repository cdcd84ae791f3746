insert into pt values (1),(11); truncate pt; insert into pt values (2); truncate pt1;
