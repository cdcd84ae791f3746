insert into pt values (1),(11); insert into ref values (1,1); truncate pt cascade; insert into pt values (2); truncate pt1 cascade; 
