insert into two_text values (1, '{{a,b},{c,d}}', 1), (2, '{a}', 2);
delete from two_text;
insert into two_other values (1, 1);
