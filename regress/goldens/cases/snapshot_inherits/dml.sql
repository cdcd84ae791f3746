insert into chi values (4,'d',5); insert into par values (6,'q');
