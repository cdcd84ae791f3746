"""The differences from Debezium that are on purpose: reads deliberate.txt and matches differences with it.

A line of deliberate.txt is a rule, words of the form name=expression and then " : " and the reason:

    case=types_array.* field=(before|after)\\.t debezium="\\[Ljava#.*" ours=\\[null(,null)*\\] : why

Every expression is a Python regular expression for the whole of its subject; blanks in it are written \\s.

    field      required: where, as described below; it may not match any field whatever
    debezium   required: the JSON text there in Debezium's record, or the word absent
    ours       required: the JSON text there in ours, or the word absent
    pair       instead of these two: both texts with a blank between, to say how they belong together
    within     instead of these two: a number; both texts are integers that differ by no more
    case       name of the golden case, or of the case of the differential test (generated: "generated")
    leg        plugin or worker
    topic      topic of the record
    op         op of the record's value, "tombstone" without value, "" without op
    type       PostgreSQL's name of the column's type; a rule with it never matches where the type is unknown
    A name with a dot in it is a setting of the case, in Debezium's name: decimal.handling.mode=(precise)?
    Where the case does not set it, the subject is empty.  Of several names, one|other=expression, any may match.

A record that is equal but for some fields has one difference per field, and every one of them must match a
rule: a rule excuses nothing but the field that it names.  Fields are named by their path:

    after.t  after.t[0]  before.p.x  source.lsn  op  payload parts of the value, with or without schemas
    key.id                                           payload of the key
    value.schema.after.t.default                     the value's schema, a struct's fields by name
    value.schema.after.t.items.optional
    key.schema.id.default
    headers[0].name, headers[0].value                a header; headers[0].value.id below its JSON
    topic                                            the topic
    record                                           a whole record that only one side has
    value, key                                       the whole of it, when it is null on one side or not JSON

What is equal as JSON but not as text (the order of members, the form of a number, an escape) is a difference
as well: numbers and strings are compared as they are written.  A rule that no difference matched in a run is
reported: see Rules.unused().
"""

import json
import pathlib
import re
import sys

FILE = pathlib.Path(__file__).resolve().parent / "deliberate.txt"

ABSENT = "absent"
_TEXTS = ("debezium", "ours")
_KNOWN = _TEXTS + ("field", "pair", "within", "case", "leg", "topic", "op", "type")

_TOKEN = re.compile(r'[\[\]{}:,]|"(?:[^"\\\x00-\x1f]|\\.)*"|true|false|null|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?')


class BadRule(Exception):
    """deliberate.txt has a line that cannot be used."""


# --------------------------------------------------------------------------------------------------------
# JSON as it is written
# --------------------------------------------------------------------------------------------------------

class Node:
    """A piece of JSON text: members (an object's, in order), items (an array's) or just the text."""

    __slots__ = ("text", "members", "items")

    def __init__(self, text, members=None, items=None):
        self.text = text
        self.members = members
        self.items = items

    def member(self, name):
        return next((node for key, node in self.members or () if key == name), None)


class _Parser:
    """Reads compact JSON; ValueError on anything else, white space included."""

    def __init__(self, text):
        self.text = text
        self.at = 0

    def token(self):
        found = _TOKEN.match(self.text, self.at)
        if not found:
            raise ValueError("not compact JSON at %d" % self.at)
        self.at = found.end()
        return found.group()

    def expect(self, wanted):
        if self.token() != wanted:
            raise ValueError("no %s at %d" % (wanted, self.at))

    def peek(self):
        return self.text[self.at:self.at + 1]

    def sequence(self, close, element):
        found = []
        if self.peek() == close:
            self.token()
            return found
        while True:
            found.append(element())
            mark = self.token()
            if mark == close:
                return found
            if mark != ",":
                raise ValueError("no comma at %d" % self.at)

    def pair(self):
        key = self.token()
        if key[0] != '"':
            raise ValueError("no key at %d" % self.at)
        self.expect(":")
        return key[1:-1], self.node()

    def node(self):
        start = self.at
        token = self.token()
        members = items = None
        if token == "{":
            members = self.sequence("}", self.pair)
        elif token == "[":
            items = self.sequence("]", self.node)
        elif token in "]}:,":
            raise ValueError("unexpected %s at %d" % (token, start))
        return Node(self.text[start:self.at], members, items)


def parse(text):
    """The tree of a JSON text; None if it is not compact JSON."""
    parser = _Parser(text)
    try:
        node = parser.node()
    except ValueError:
        return None
    return node if parser.at == len(text) else None


# --------------------------------------------------------------------------------------------------------
# Differences of two records
# --------------------------------------------------------------------------------------------------------

class Difference:
    """One field that differs: its path and the JSON text on either side (ABSENT where there is none)."""

    def __init__(self, field, debezium, ours):
        self.field = field
        self.debezium = debezium
        self.ours = ours

    def __str__(self):
        return "%s\n    debezium %s\n    ours     %s" % (self.field, _shorten(self.debezium), _shorten(self.ours))


def _shorten(text, length=400):
    return text if len(text) <= length else text[:length] + "... (%d characters)" % len(text)


def _join(path, name):
    return "%s.%s" % (path, name) if path else name


def _named_fields(node):
    """The members of a schema's array of fields by their names, or None."""
    names = []
    for item in node.items or ():
        name = item.member("field")
        if name is None:
            return None
        names.append((name.text[1:-1], item))
    return names or None


def _differ_members(path, theirs, ours, join=_join):
    """Differences of two lists of (name, node)."""
    mine = dict(ours)
    other = dict(theirs)
    common = [name for name, _ in theirs if name in mine]
    if (len(mine) != len(ours) or len(other) != len(theirs)
            or common != [name for name, _ in ours if name in other]):
        return None  # doubled, or in another order
    found = []
    for name, node in theirs:
        found += differences(join(path, name), node, mine.get(name))
    for name, node in ours:
        if name not in other:
            found += differences(join(path, name), None, node)
    return found


def differences(path, theirs, ours):
    """The differences of two trees, either of which may be None: absent."""
    if theirs is None or ours is None:
        if theirs is ours:
            return []
        return [Difference(path, theirs.text if theirs else ABSENT, ours.text if ours else ABSENT)]
    if theirs.text == ours.text:
        return []
    found = None
    if theirs.members is not None and ours.members is not None:
        skip = ".schema" in path or path == "schema"
        found = _differ_members(path, theirs.members, ours.members,
                                lambda p, n: p if skip and n == "fields" else _join(p, n))
    elif theirs.items is not None and ours.items is not None:
        theirs_named, ours_named = _named_fields(theirs), _named_fields(ours)
        if theirs_named and ours_named:
            found = _differ_members(path, theirs_named, ours_named)
        elif len(theirs.items) == len(ours.items):
            found = []
            for i, (a, b) in enumerate(zip(theirs.items, ours.items)):
                found += differences("%s[%d]" % (path, i), a, b)
    return found or [Difference(path, theirs.text, ours.text)]


def _text_differences(part, theirs, ours):
    """Differences of two keys, values or header values: text or None."""
    if theirs == ours:
        return []
    whole = [Difference(part, "null" if theirs is None else theirs, "null" if ours is None else ours)]
    if theirs is None or ours is None:
        return whole
    theirs, ours = parse(theirs), parse(ours)
    if theirs is None or ours is None or theirs.members is None or ours.members is None:
        return whole
    wrapped = [[name for name, _ in node.members] == ["schema", "payload"] for node in (theirs, ours)]
    prefix = "" if part == "value" else part
    if not all(wrapped):
        return differences(prefix, theirs, ours)
    return (differences(part + ".schema", theirs.member("schema"), ours.member("schema"))
            + differences(prefix, theirs.member("payload"), ours.member("payload")))


def record_differences(theirs, ours):
    """The differences of two records (topic, key, value, [(header, value)]); either may be None: no such
    record."""
    if theirs is None or ours is None:
        record = theirs or ours
        text = record[2] if record[2] is not None else "tombstone"
        return [Difference("record", ABSENT if theirs is None else text, ABSENT if ours is None else text)]
    found = []
    if theirs[0] != ours[0]:
        found.append(Difference("topic", theirs[0], ours[0]))
    found += _text_differences("key", theirs[1], ours[1])
    found += _text_differences("value", theirs[2], ours[2])
    names = [[name for name, _ in record[3]] for record in (theirs, ours)]
    if names[0] != names[1]:
        return found + [Difference("headers", ",".join(names[0]), ",".join(names[1]))]
    for i, (a, b) in enumerate(zip(theirs[3], ours[3])):
        found += _text_differences("headers[%d].value" % i, a[1], b[1])
    return found


def record_op(record):
    """The op of a record's value; "tombstone" without a value, "" without op."""
    if record[2] is None:
        return "tombstone"
    found = re.search(r'"op":"(.)"', record[2])
    return found.group(1) if found else ""


# --------------------------------------------------------------------------------------------------------
# Rules
# --------------------------------------------------------------------------------------------------------

class Context:
    """What the rules ask about a pair of records beside their difference.

    settings: Debezium's names; types: (topic, column) -> name of the column's type, or None for unknown."""

    def __init__(self, case, leg, settings=None, types=None):
        self.case = case
        self.leg = leg
        self.settings = settings or {}
        self.types = types or {}

    def column_type(self, topic, field):
        """The type of the column that a field is of or below."""
        path = re.sub(r"^(?:value\.schema|key\.schema|value|key|headers\[\d+\]\.value)\.", "", field)
        path = re.sub(r"^(?:before|after)\.", "", path)
        while path:
            found = self.types.get((topic, path))
            if found:
                return found
            shorter = re.sub(r"(?:\[\d+\]|\.?[^.\[\]]+)$", "", path)
            if shorter == path:
                return None
            path = shorter
        return None


class Rule:
    """A line of deliberate.txt."""

    def __init__(self, number, line):
        terms, separator, self.reason = line.partition(" : ")
        self.number = number
        self.line = line
        self.terms = {}
        self.used = False
        self.within = None
        if not separator or not self.reason.strip():
            raise BadRule("line %d has no reason" % number)
        for term in terms.split():
            name, separator, expression = term.partition("=")
            if not separator or (name not in _KNOWN and "." not in name) or name in self.terms:
                raise BadRule("line %d: \"%s\" is not a term" % (number, term))
            if name == "within":
                self.within = int(expression)
                expression = r"-?\d+\s-?\d+"
            try:
                self.terms[name] = re.compile(expression, re.DOTALL)
            except re.error as error:
                raise BadRule("line %d: %s: %s" % (number, term, error)) from error
        for name in ("field",) + (() if {"pair", "within"} & set(self.terms) else _TEXTS):
            if name not in self.terms:
                raise BadRule("line %d has no %s=" % (number, name))
        if self.terms["field"].fullmatch("any.field.whatever[0]"):
            raise BadRule("line %d: its field matches every field" % number)
        texts = [self.terms[name] for name in _TEXTS + ("pair", "within") if name in self.terms]
        if all(expression.fullmatch("any text whatever") for expression in texts):
            raise BadRule("line %d: it matches whatever Debezium and we print" % number)

    def _subject(self, name, context, records, difference):
        if name == "field":
            return difference.field
        if name in _TEXTS:
            return getattr(difference, name)
        if name in ("pair", "within"):
            return "%s %s" % (difference.debezium, difference.ours)
        if name in ("case", "leg"):
            return getattr(context, name)
        record = records[0] or records[1]
        if name == "topic":
            return record[0]
        if name == "op":
            return record_op(record)
        if name == "type":
            return context.column_type(record[0], difference.field)
        return context.settings.get(name, "")

    def matches(self, context, records, difference):
        for names, expression in self.terms.items():
            subjects = [self._subject(name, context, records, difference) for name in names.split("|")]
            if not any(subject is not None and expression.fullmatch(subject) for subject in subjects):
                return False
        if self.within is not None and abs(int(difference.debezium) - int(difference.ours)) > self.within:
            return False
        self.used = True
        return True


class Rules:
    """All rules; they remember whether they were used."""

    def __init__(self, path=FILE):
        self.path = pathlib.Path(path)
        self.rules = []
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                self.rules.append(Rule(number, line.strip()))

    def unexpected(self, context, theirs, ours):
        """The differences of two records (see record_differences) that no rule excuses."""
        return [d for d in record_differences(theirs, ours)
                if not any(rule.matches(context, (theirs, ours), d) for rule in self.rules)]

    def unused(self, runs, run):
        """Notes in the directory runs what this full run used and returns the rules that neither it nor the
        last full run of another name used."""
        runs.mkdir(parents=True, exist_ok=True)
        (runs / run).write_text("".join(rule.line + "\n" for rule in self.rules if rule.used), encoding="utf-8")
        used = {line for path in runs.iterdir() for line in path.read_text(encoding="utf-8").splitlines()}
        return [rule for rule in self.rules if rule.line not in used]


def column_types(connection, prefix, delimiter="."):
    """{(topic, column): type} of all tables of a database, for Context; connection is psycopg's.  The type
    is that of format_type without its modifier; " generated" stands behind that of a generated column."""
    rows = connection.execute(
        "select n.nspname, c.relname, a.attname, format_type(a.atttypid, null)"
        " || case when a.attgenerated = '' then '' else ' generated' end"
        " from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace"
        " where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p')").fetchall()
    written = lambda name: json.dumps(name, ensure_ascii=False)[1:-1]
    clean = lambda name: re.sub(r"[^A-Za-z0-9._-]", "_", name)
    coded = lambda name: re.sub(r"[^A-Za-z0-9]|^[0-9]", lambda found: ("_u00%x" if found.group() < "\x80" else "_u%x") % ord(found.group()), name)
    return {(clean(delimiter.join((prefix, schema, table))), name): kind
            for schema, table, column, kind in rows
            for name in {written(column), re.sub(r"[^A-Za-z0-9_]", "_", column), coded(column)}}


if __name__ == "__main__":
    try:
        print("%d rules" % len(Rules(*sys.argv[1:]).rules))
    except BadRule as bad:
        sys.exit("%s: %s" % (FILE.name, bad))
