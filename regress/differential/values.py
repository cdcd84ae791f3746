"""The types of the generated tables, and values of them: ordinary ones, extremes and odd ones.

Values are PostgreSQL's text of them; sql() makes an expression of one.
"""

import string


class Type:
    """A column type: its name in SQL, texts worth trying, and how to make up another (random -> text).

    key: may be part of a key.  long: random -> a text too long to stay in the row, for types that are toasted.
    literal: whether a value as DEFAULT is worth trying.  base: what the settings of a domain's type are."""

    def __init__(self, name, edges, make=None, key=False, long=None):
        self.name = name
        self.edges = edges
        self.make = make
        self.key = key
        self.long = long

    def value(self, rng):
        if self.make is not None and (not self.edges or rng.random() < 0.5):
            return self.make(rng)
        return rng.choice(self.edges)


def quote(text):
    return "'%s'" % text.replace("'", "''")


def sql(kind, text):
    """An expression of a value; None is null."""
    if text is None:
        return "null"
    return "%s::%s" % (quote(text), kind.name)


ODD_TEXTS = ["", " ", "a", "NULL", "null", "\\", "\\\\", '"', "'", "{}", "[]", "tab\there", "line\nbreak\r\n",
             "\x01\x02\x1f\x7f", "ünïcode", "日本語", "🎉 astral 𝄞", "\u2028\u2029", "é", "</script>",
             "__debezium_unavailable_value", "a,b", "(x)", "  padded  ", "\ufeffbom", "\ufffd"]


def text(rng, most=20):
    alphabet = string.ascii_letters + string.digits + "  _-.,;:'\"\\/äöüß€日本"
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(most)))


def long_text(rng):
    return "".join(rng.choice(string.ascii_letters + "éß日") for _ in range(rng.choice((2500, 9000))))


def digits(rng, most):
    return "".join(rng.choice(string.digits) for _ in range(rng.randrange(1, most + 1)))


def number(whole, fraction=0):
    def make(rng):
        value = rng.choice(("", "-")) + digits(rng, whole)
        return value + "." + digits(rng, fraction) if fraction and rng.random() < 0.8 else value
    return make


def integer(least, most):
    return lambda rng: str(rng.randint(least, most))


def real(rng):
    return repr(rng.choice((rng.random(), rng.uniform(-1e6, 1e6), rng.uniform(-1, 1) * 10 ** rng.randint(-30, 30))))


def date(rng):
    return "%04d-%02d-%02d" % (rng.choice((rng.randint(1, 9999), rng.randint(1900, 2100))), rng.randint(1, 12),
                               rng.randint(1, 28))


def time(rng):
    fraction = rng.choice(("", ".5", ".123", ".123456", ".000001", ".999999", ".%d" % rng.randrange(10 ** 6)))
    return "%02d:%02d:%02d%s" % (rng.randrange(24), rng.randrange(60), rng.randrange(60), fraction)


def zone(rng):
    return rng.choice(("", "Z", "+02", "-03:30", "+05:45", "+14", "-12", "+15:59", "-15:59"))


def bits(length, varying=False):
    def make(rng):
        return "".join(rng.choice("01") for _ in range(rng.randint(0, length) if varying else length))
    return make


def uuid(rng):
    return "%032x" % rng.getrandbits(128)


def bytea(rng):
    return "\\x" + "".join("%02x" % rng.randrange(256) for _ in range(rng.randrange(20)))


def long_bytea(rng):
    return "\\x" + "".join("%02x" % rng.randrange(256) for _ in range(3000))


def json_text(rng):
    return rng.choice(('{"a": %d}' % rng.randrange(1000), '[1, 2.50, "x"]', '{"b":{"c":[null,true]}}', '"%s"' % rng.randrange(99)))


def long_json(rng):
    return '{"long": "%s"}' % "".join(rng.choice(string.ascii_letters) for _ in range(5000))


def point(rng):
    return "(%s,%s)" % (real(rng), real(rng))


def interval(rng):
    parts = ["%d years" % rng.randint(-100, 100), "%d mons" % rng.randint(-20, 20), "%d days" % rng.randint(-400, 400),
             "%d:%02d:%02d.%06d" % (rng.randint(-999, 999), rng.randrange(60), rng.randrange(60), rng.randrange(10 ** 6))]
    return " ".join(part for part in parts if rng.random() < 0.6) or "0"


NUMERIC_EDGES = ["0", "0.00", "1", "-1", "1.10", "-0.1", "100", "1000000", "0.5", "NaN"]
NUMERIC_WIDE = NUMERIC_EDGES + ["Infinity", "-Infinity", "1e20", "1e-20", "123456789012345678901234567890.123456789",
                                "-99999999999999999999", "0.000000000000000000000000000001", "1e130", "127", "128",
                                "-128", "-129", "255", "256", "32768", "0.10000"]
DATE_EDGES = ["1970-01-01", "1969-12-31", "2000-02-29", "0001-01-01", "0001-01-01 BC", "4713-01-01 BC", "1582-10-04",
              "1582-10-15", "9999-12-31", "10000-01-01", "5874897-12-31", "infinity", "-infinity"]
TIME_EDGES = ["00:00:00", "23:59:59.999999", "24:00:00", "12:34:56.789012", "00:00:00.000001", "01:02:03.4"]
TIMESTAMP_EDGES = ["1970-01-01 00:00:00", "1969-12-31 23:59:59.999999", "2000-02-29 12:00:00.5", "0001-01-01 00:00:00",
                   "0001-12-31 23:59:59.9 BC", "4713-01-02 00:00:00 BC", "1582-10-10 10:10:10", "9999-12-31 23:59:59.999999",
                   "10000-01-01 00:00:00", "292278-01-01 00:00:00", "infinity", "-infinity", "2262-04-11 23:47:16.854775",
                   "2262-04-11 23:47:16.854776", "1677-09-21 00:12:43.145225", "2020-01-01 00:00:00.123", "2020-06-01 12:00:00.120000"]
TIMETZ_EDGES = ["00:00:00+00", "24:00:00+00", "12:34:56.789+02", "23:59:59.999999-12", "00:00:00+14", "01:02:03.1-03:30",
                "00:30:00+01", "23:30:00-01", "24:00:00+02", "24:00:00-02", "12:00+15:59", "12:00-15:59"]
INTERVAL_EDGES = ["0", "1 year 2 mons 3 days 04:05:06.789123", "-1 year -2 mons +3 days -04:05:06.789", "1 mon", "-1 mon",
                  "1 day", "25:00:00", "-00:00:00.000001", "178000000 years", "-178000000 years", "1000000 hours",
                  "2147483647 days", "11 mons 29 days 23:59:59.999999", "1 mon -1 day"]


def temporal():
    found = [Type("date", DATE_EDGES, date, key=True)]
    for precision in ("", "(0)", "(1)", "(2)", "(3)", "(4)", "(6)"):
        found += [Type("time%s" % precision, TIME_EDGES, time, key=True),
                  Type("timestamp%s" % precision, TIMESTAMP_EDGES, lambda rng: date(rng) + " " + time(rng), key=True),
                  Type("timestamptz%s" % precision, TIMESTAMP_EDGES, lambda rng: date(rng) + " " + time(rng) + zone(rng), key=True),
                  Type("timetz%s" % precision, TIMETZ_EDGES, lambda rng: time(rng) + zone(rng))]
    for fields in ("", "(3)", " year to month", " day to second(0)", " hour"):
        found.append(Type("interval%s" % fields, INTERVAL_EDGES, interval))
    return found


def numeric():
    found = [Type("smallint", ["0", "1", "-32768", "32767"], integer(-2 ** 15, 2 ** 15 - 1), key=True),
             Type("integer", ["0", "1", "-1", "-2147483648", "2147483647"], integer(-2 ** 31, 2 ** 31 - 1), key=True),
             Type("bigint", ["0", "-9223372036854775808", "9223372036854775807"], integer(-2 ** 63, 2 ** 63 - 1), key=True),
             Type("oid", ["0", "1", "4294967295", "2147483648"], integer(0, 2 ** 32 - 1), key=True),
             Type("real", ["0", "-0", "1", "0.1", "3.4028235e38", "1e-45", "NaN", "Infinity", "-Infinity", "1e7", "123456.7",
                           "1e-3", "9999999", "16777216", "1.17549435e-38", "0.001", "0.0001"], real),
             Type("double precision", ["0", "-0", "1", "0.1", "1.7976931348623157e308", "5e-324", "NaN", "Infinity", "-Infinity",
                                       "1e7", "1e-3", "9007199254740993", "123456789.125", "2e23", "1e23", "2.2250738585072014e-308"], real),
             Type("boolean", ["t", "f"], key=True),
             Type("money", ["0", "1.1", "-1.10", "1234.56", "-92233720368547758.08", "92233720368547758.07", "0.01", "-0.01"], number(9, 2)),
             Type("numeric", NUMERIC_WIDE, number(30, 20), key=True)]
    for precision, scale in ((1, 0), (5, 0), (10, 2), (18, 4), (38, 10), (3, 3), (1000, 500), (20, 0)):
        edges = ["0", "NaN", "0.5" if precision == scale else "1", "-0.1" if precision == scale else "-1.0"]
        edges += ["9" * (precision - scale) + "." + "9" * scale] if scale else ["9" * precision]
        found.append(Type("numeric(%d,%d)" % (precision, scale), edges,
                          number(precision - scale, scale) if precision > scale else lambda rng: "0." + digits(rng, 3),
                          key=True))
    found += [Type("numeric(5,-2)", ["0", "100", "-1234500", "9999900", "150"], number(7)),
              Type("numeric(2,4)", ["0", "0.0012", "-0.0099"])]
    return found


def textual():
    texts = ODD_TEXTS
    return [
        Type("text", texts, text, key=True, long=long_text),
        Type("varchar", texts, text, key=True, long=long_text),
        Type("varchar(30)", texts, text, key=True),
        Type("char(5)", ["a", "", "12345", "ü", "日本", "\\", "a b"], key=True),
        Type("char", ["a", "ü", " "]),
        Type('"char"', ["a", "", "\\", '"']),
        Type("name", ["n", "", "quoted \"name\"", "日本"]),
        Type("uuid", ["00000000-0000-0000-0000-000000000000", "FFFFFFFF-ffff-ffff-ffff-ffffffffffff"], uuid, key=True),
        Type("json", ['{}', '[]', 'null', '"x"', '1.0', '{"a" :  1, "a":2}', '{"u":"\\u00e9\\n"}', ' {"sp": 1 } ', '"日本"'], json_text, long=long_json),
        Type("jsonb", ['{}', '[]', 'null', '"x"', '1.0', '{"b":1,"a":[1,2,{"c":null}]}', '1e30', '"\\u0001"', '"日本"'], json_text, long=long_json),
        Type("xml", ["<a/>", "<a b=\"c\">d</a>", "text", "<?xml version=\"1.0\"?><x>é</x>", ""], long=lambda rng: "<a>%s</a>" % long_text(rng)),
        Type("bytea", ["\\x", "\\x00", "\\xff", "\\x0102fbff3e3f", "\\xdeadbeef"], bytea, long=long_bytea),
        Type("inet", ["127.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "192.168.1.5/24", "::ffff:1.2.3.4"], key=True),
        Type("cidr", ["10.0.0.0/8", "::/0", "192.168.1.0/24", "1.2.3.4/32"]),
        Type("macaddr", ["08:00:2b:01:02:03"]), Type("macaddr8", ["08:00:2b:01:02:03:04:05"]),
        Type("int4range", ["empty", "[1,5)", "(,3)", "[2,)", "(,)"]), Type("int8range", ["[1,9]", "empty", "[,9223372036854775806]"]),
        Type("numrange", ["[1.5,2.50]", "(,)", "empty", "(1,)"]), Type("daterange", ["[2020-01-01,2020-02-01)", "[,infinity]", "empty"]),
        Type("tsrange", ["[2020-01-01 00:00:00,infinity)", "(,)", "[2020-01-01 00:00:00.5,2021-01-01 01:02:03]"]),
        Type("tstzrange", ["[2020-01-01 00:00:00+00,2020-06-01 00:00:00+02)", "(,)", "empty"]),
        Type("tsvector", ["'a':1 'b':2A", "", "'it''s':1", "'日本' 'x':3,4B"]),
        Type("bit(1)", ["0", "1"]), Type("bit(2)", ["00", "01", "10", "11"]), Type("bit(8)", ["00000000", "10000000", "00000001"], bits(8)),
        Type("bit(33)", ["0" * 33, "1" * 33], bits(33)), Type("varbit(1)", ["", "0", "1"]),
        Type("varbit(12)", ["", "0", "000000000000", "1", "100000000"], bits(12, True)), Type("varbit", ["", "0"], bits(70, True)),
        Type("point", ["(0,0)", "(1,1)", "(-0,1e300)", "(1.5,-2.25)", "(NaN,Infinity)"], point),
    ]


def unknown():
    return [
        Type("line", ["{1,2,3}", "{-1,0,0.5}"]), Type("lseg", ["[(0,0),(1,1)]"]), Type("box", ["(1,1),(0,0)", "(2.5,3),(0,-1)"]),
        Type("path", ["((0,0),(1,1),(2,0))", "[(0,0),(1.5,1)]"]), Type("polygon", ["((0,0),(1,1),(2,0))"]), Type("circle", ["<(0,0),1>", "<(1.5,2),0.25>"]),
        Type("pg_lsn", ["0/0", "16/B374D848"]), Type("tsquery", ["a & b", "", "'fat' <-> 'cat'"]), Type("txid_snapshot", ["10:20:10,14"]),
        Type("pg_snapshot", ["10:20:10"]), Type("xid", ["1", "4294967295"]), Type("xid8", ["18446744073709551615"]), Type("cid", ["7"]),
        Type("tid", ["(0,1)"]), Type("jsonpath", ["$.a[*]", "$"]), Type("regclass", ["pg_class", "0"]), Type("regtype", ["integer"]),
        Type("regproc", ["now"]), Type("int4multirange", ["{}", "{[1,3),[5,8)}"]), Type("datemultirange", ["{[2020-01-01,2020-02-01)}"]),
        Type("nummultirange", ["{[1,2]}"]), Type("oidvector", ["1 2 3", "7"]), Type("int2vector", ["1 2", "-1"]),
        Type("pg_node_tree", []), Type("aclitem", ["=r/postgres"]),
    ]


def extensions(available):
    found = []
    if "hstore" in available:
        found.append(Type("hstore", ['', 'a=>1', 'a=>1,b=>NULL', '"k \\"q"=>"v,=>"', '日=>本', 'x=>"", y=>"\\\\"'],
                          long=lambda rng: 'k=>"%s"' % "".join(rng.choice(string.ascii_letters) for _ in range(4000))))
    if "citext" in available:
        found.append(Type("citext", ODD_TEXTS, text, key=True, long=long_text))
    if "ltree" in available:
        found += [Type("ltree", ["", "Top", "Top.Collections.Pictures"]), Type("lquery", ["*.x"]), Type("ltxtquery", ["a & b"])]
    if "isn" in available:
        found += [Type("isbn", ["0-393-04002-X"]), Type("issn", ["1436-4522"]), Type("ean13", ["978-0-393-04002-9"]),
                  Type("upc", ["220356483481"])]
    if "cube" in available:
        found.append(Type("cube", ["(1,2),(3,4)"]))
    return found


ENUM_LABELS = ["sad", "ok", "happy", "with space", "quo'te", "ünï", "c,d", "dou\"ble"]


def user_types():
    """Types that SETUP makes."""
    return [
        Type("mood", ENUM_LABELS, key=True), Type('"s 2"."Odd Enum"', ["x", "Y y"]), Type("late", ["one", "two"]),
        Type("pair", ["(1,a)", "(,)", "(2,\"q \"\"x\"\"\")"]), Type("floats", ["[1.5,2)", "empty"]),
        Type("d_int", ["1", "-5", "2147483647"], integer(1, 99), key=True), Type("d_num", ["1.50", "-9999.99", "0"]), Type("d_num2", ["2.25"]),
        Type("d_numeric", ["1.50", "100", "NaN"]), Type("d_text", ODD_TEXTS, text, long=long_text), Type("d_varchar", ["", "abc", "ü"]),
        Type("d_stamp", TIMESTAMP_EDGES[:5]), Type("d_stamptz", TIMESTAMP_EDGES[:5]), Type("d_bit", ["10101", "00000"]),
        Type("d_bits", ["1", ""]), Type("d_json", ['{"a":1}']), Type("d_uuid", [], uuid), Type("d_bytea", ["\\x01"], bytea, long=long_bytea),
        Type("d_time", TIME_EDGES), Type("d_date", DATE_EDGES), Type("d_bool", ["t", "f"]), Type("d_interval", ["1 day"]), Type("d_point", ["(1,2)"]),
        Type("d_money", ["1.5"]), Type("d_char", ["abc"]), Type("d_array", ["{1,2,NULL}", "{}"]), Type("d_range", ["[1,2)"]), Type("d_bigint", ["9"]),
        Type("d_of_bool", ["t"]), Type("d_inet", ["10.0.0.1"]), Type("d_float", ["1.5", "NaN"]), Type("d_small", ["3"]), Type("d_real", ["0.1"]),
    ]


SETUP = """
create schema "s 2";
create schema "Üs";
create type mood as enum ({labels});
create type "s 2"."Odd Enum" as enum ('Y y', 'x');
create type late as enum ('two', 'three');
alter type late add value 'one' before 'two';
create type pair as (a int, b text);
create type floats as range (subtype = float8);
create domain d_int as int check (value > -1000);
create domain d_num as numeric(6,2);
create domain d_num2 as d_num;
create domain d_numeric as numeric;
create domain d_text as text;
create domain d_varchar as varchar(10);
create domain d_stamp as timestamp(3);
create domain d_stamptz as timestamptz(0);
create domain d_bit as bit(5);
create domain d_bits as varbit(9);
create domain d_json as jsonb;
create domain d_uuid as uuid;
create domain d_bytea as bytea;
create domain d_time as time(2);
create domain d_date as date;
create domain d_bool as boolean;
create domain d_of_bool as d_bool;
create domain d_interval as interval;
create domain d_point as point;
create domain d_money as money;
create domain d_char as char(4);
create domain d_array as int[];
create domain d_range as int4range;
create domain d_bigint as bigint;
create domain d_inet as inet;
create domain d_float as float8;
create domain d_small as smallint;
create domain d_real as real;
""".format(labels=", ".join(quote(label) for label in ENUM_LABELS))


def array_of(kind):
    """The type of arrays of a type."""
    def element(rng, one):
        if one is None:
            return "NULL"
        return '"%s"' % one.replace("\\", "\\\\").replace('"', '\\"')

    def make(rng, least=0):
        values = [None if rng.random() < 0.15 else kind.value(rng) for _ in range(rng.choice((0, 1, 2, 5)) or least)]
        delimiter = ";" if kind.name == "box" else ","
        return "{%s}" % delimiter.join(element(rng, value) for value in values)

    def matrix(rng):
        row = make(rng, 1)
        return "{%s,%s}" % (row, row)

    def long_array(rng):
        return "{%s}" % ",".join(element(rng, kind.value(rng)) for _ in range(1500))

    def any_of(rng):
        return matrix(rng) if rng.random() < 0.08 and kind.name != "box" else make(rng)
    return Type(kind.name + "[]", ["{}", "{NULL}"], any_of, long=long_array)


def all_types(available):
    """(types that Debezium knows, the others, those that can be in a key)."""
    scalars = numeric() + temporal() + textual() + extensions(available) + user_types()
    scalars = [kind for kind in scalars if kind.edges or kind.make]
    others = [kind for kind in unknown() if kind.edges]
    arrays = [array_of(kind) for kind in scalars + others if kind.name not in ("d_array", "oidvector", "int2vector")]
    return scalars, others, arrays, [kind for kind in scalars if kind.key]
