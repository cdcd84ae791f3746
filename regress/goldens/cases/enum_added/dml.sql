insert into en values (1,'x'); alter type e add value 'z'; insert into en values (2,'z'); alter type e rename value 'x' to 'xx'; insert into en values (3,'xx');
