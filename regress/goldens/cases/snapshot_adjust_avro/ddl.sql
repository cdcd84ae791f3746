create table "a-b"("i-d" int primary key, "1x" text, "é" int); insert into "a-b" values (1,'q',2);
