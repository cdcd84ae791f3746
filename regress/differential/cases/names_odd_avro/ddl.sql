create schema "Other Schema"; create schema "dot.ted";
create table same (id int primary key, v text);
create table "Other Schema".same (id int primary key, v text);
create table "dot.ted"."ta.ble" (id int primary key, "a.b" text, "select" int, "quo""te" text, "$d" text, "1st" text, "ünï" text, "a-c" text, "日本" text, "   " text, "back\slash" text, "tab	x" text);
create table "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" int primary key, "üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü" text);
create table "üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü" (id int primary key, "🎉" text);
create table "UPPER" (id int primary key, "Id2" int, "ID3" int);
