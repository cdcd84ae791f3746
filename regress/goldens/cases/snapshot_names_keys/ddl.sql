create schema "s-1"; create schema "2 s"; create schema "ü"; create schema "S.x";
create table "s-1"."t 1"("1id" int, "a.b" int, "c-d" text, "e f" text default 'q"x', "é" text, "_x" int, "__y" int, "Z9" int, "😀" text, "a__b" int, "q""q" int, primary key("1id","a.b"));
create table "2 s"."2t"("id" int primary key, "$v" numeric(5,2), "@" int[], "日本" int); alter table "2 s"."2t" replica identity full;
create table "ü"."ß"("ñ" int primary key); create table "S.x"."T.y"("I.d" int primary key, "V" text);
create type "2 s"."mood x" as enum('a b','c-d'); create table "2 s"."e"(id int primary key, "m m" "2 s"."mood x", "n n" "2 s"."mood x"[]);
insert into "s-1"."t 1" values (7,2,'c','e','é',1,2,3,'😀',4,5); insert into "2 s"."2t" values (7,1.5,'{1}',2); insert into "ü"."ß" values (7); insert into "S.x"."T.y" values (7,'v'); insert into "2 s"."e" values (7,'a b','{c-d}');
