update "a-b" set "1x"='r';
