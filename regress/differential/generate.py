"""A workload made from a number: types and tables, settings of the connector, and steps of statements.

The same number gives the same workload on the same server version; what it gives may change with this file.
"""

import random
import re

from differential import values
from differential.values import quote, sql

ODD_NAMES = ["Weird Col", "dotted.name", 'quo"te', "日本", "select", "a-b", "$x", "ünï", "UPPER", "_u", "1st", "a/b", "tab\there"]
ODD_TABLES = ["Odd Table", "dot.ted", "tä", "日本", "UPPER", "a-b_c"]


def identifier(name):
    return '"%s"' % name.replace('"', '""')


class Column:
    def __init__(self, name, kind, nullable=True, default=None, generated=False):
        self.name = name
        self.kind = kind
        self.nullable = nullable
        self.default = default
        self.generated = generated  # the server makes the value: identity, serial, generated stored

    @property
    def sql(self):
        return identifier(self.name)

    def definition(self):
        text = "%s %s" % (self.sql, self.kind.name)
        if self.generated:
            return text + " " + self.generated
        if self.default is not None:
            text += " default %s" % self.default
        return text + ("" if self.nullable else " not null")


class Table:
    def __init__(self, schema, name, columns, key):
        self.schema = schema
        self.name = name
        self.columns = columns
        self.key = key  # names of the key's columns, or ()

    @property
    def sql(self):
        return "%s.%s" % (identifier(self.schema), identifier(self.name))

    @property
    def writable(self):
        return [column for column in self.columns if not column.generated]


class Step:
    """Statements, each by itself or all in one transaction.  Before and after a step with ddl everything is
    waited for, because Debezium reads the catalog when it sees a change, not as of the change."""

    def __init__(self, statements, transaction=False, ddl=False):
        self.statements = statements
        self.transaction = transaction
        self.ddl = ddl


class Workload:
    """settings: Debezium's names.  setup: statements before the connectors start.  steps: while they run.
    snapshot: whether rows of the setup are to be read, snapshot.mode=initial."""

    def __init__(self):
        self.settings = {}
        self.setup = []
        self.steps = []
        self.snapshot = False


class Generator:
    """available: names of the server's extensions; known: names of the settings that we have."""

    def __init__(self, seed, available, known):
        self.rng = random.Random(seed)
        self.known = known
        self.available = available
        self.scalars, self.others, self.arrays, self.keys = values.all_types(available)
        self.tables = []
        self.chosen = self.settings()

    # ---- tables ----

    def default_of(self, column):
        rng = self.rng
        kind = column.kind
        text = self.text_for(column)
        if rng.random() < 0.25:
            functions = {"timestamp": ["now()", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "'epoch'::timestamp"], "date": ["CURRENT_DATE", "now()"],
                         "time": ["LOCALTIME", "CURRENT_TIME"], "text": ["lower('ABC')", "current_user", "'a' || 'b'", "md5('x')", "NULL::text", "version()"],
                         "varchar": ["upper('abc')", "CURRENT_USER", "NULL"], "uuid": ["gen_random_uuid()"], "integer": ["1 + 2", "abs(-3)", "(5)", "- 7", "NULL"],
                         "bigint": ["1 + 2", "12345678901"], "numeric": ["1.50", "-0.1", "round(1.5)", "1e3"], "boolean": ["not true", "true", "1 = 1"],
                         "double": ["random()", "1e10", "-1.5", "0.1 + 0.2"], "real": ["1.5", "pi()"], "jsonb": ["jsonb_build_object('a', 1)", "'{}'"],
                         "json": ["'[]'"], "interval": ["'1 day'", "make_interval(days => 2)"], "smallint": ["7", "-7"],
                         "mood": ["'happy'", "'c,d'"], "bytea": ["'abc'", "'\\x00ff'"], "char(5)": ["'ab'"], "d_int": ["7"], "d_text": ["'x'"], "bit": ["B'1'"]}
            for start, expressions in functions.items():
                if kind.name.startswith(start) and not kind.name.endswith("[]"):
                    return rng.choice(expressions)
        return sql(kind, text)

    def column(self, name, kind, plain=False):
        rng = self.rng
        nullable = rng.random() < 0.7 or not self.may_be_required(kind)
        column = Column(name, kind, nullable)
        if not plain and rng.random() < 0.3:
            column.default = self.default_of(column)
        return column

    def may_be_required(self, kind):
        """Whether NOT NULL is safe: what Debezium makes null in such a column stops it."""
        return not kind.name.endswith("]") and kind.name not in ("name", "int2vector", "oidvector", "d_array")

    def safe(self, column, text):
        """Whether Debezium has a value for a column's text."""
        if "message.key.columns" in self.chosen and text.startswith("{{"):
            return False  # as a part of a key an object's address, which differs from change to change
        if column.nullable:
            return True
        if column.kind.name == "varbit(1)":
            return text != ""
        if "num" in column.kind.name and self.chosen.get("decimal.handling.mode", "precise") == "precise":
            return not re.search("NaN|Inf", text)
        if re.match("date|time|d_date|d_stamp", column.kind.name) and self.chosen.get("time.precision.mode") == "nanoseconds":
            return bool(re.match(r"19[7-9]\d|20\d\d|\d\d:", text))
        return True

    def column_name(self, number):
        return self.rng.choice(ODD_NAMES) + str(number) if self.rng.random() < 0.08 else "c%d" % number

    def random_type(self):
        rng = self.rng
        kind = rng.choice(rng.choices((self.scalars, self.others, self.arrays), (75, 8, 17))[0])
        # Debezium has no values of type name, and so no changes of them either
        unseen = kind.name == "name" and self.chosen.get("skip.messages.without.change") == "true"
        return self.random_type() if unseen else kind

    def make_table(self, number):
        rng = self.rng
        schema = rng.choice(("public",) * 6 + ("s 2", "Üs"))
        name = rng.choice(ODD_TABLES) + str(number) if rng.random() < 0.15 else "t%d" % number
        columns = [self.column(self.column_name(i), self.random_type()) for i in range(rng.randint(2, 14))]
        key = []
        shape = rng.choices(("serial", "identity", "int", "any", "composite", "none", "unique"), (15, 10, 20, 25, 15, 8, 12))[0]
        integer = next(kind for kind in self.scalars if kind.name == "integer")
        if shape == "serial":
            columns.insert(0, Column("id", values.Type(rng.choice(("serial", "bigserial", "smallserial")), ["1"]), False, None, " "))
        elif shape == "identity":
            columns.insert(0, Column("id", integer, False, None, "generated %s as identity" % rng.choice(("always", "by default"))))
        elif shape in ("int", "unique"):
            columns.insert(rng.choice((0, len(columns))), Column("id", integer, False))
        elif shape in ("any", "composite"):
            for i in range(1 if shape == "any" else rng.randint(2, 3)):
                column = self.column("k%d" % i, rng.choice(self.keys), plain=rng.random() < 0.8)
                column.nullable = False
                columns.insert(rng.randrange(len(columns) + 1), column)
        names = [column.name for column in columns]
        key = [name for name in names if name == "id" or name.startswith("k")]
        rng.shuffle(key)
        if rng.random() < 0.1:
            columns.append(Column("gen", integer, True, None, "generated always as (1 + 2) stored"))
        table = Table(schema, name, columns, tuple(key))
        lines = [column.definition() for column in columns]
        if key and shape != "unique":
            lines.append("primary key (%s)" % ", ".join(map(identifier, key)))
        statements = ["create table %s (%s)" % (table.sql, ", ".join(lines))]
        statements += self.indexes(table, shape)
        for column in columns:
            if column.kind.long and rng.random() < 0.7:
                statements.append("alter table %s alter %s set storage external" % (table.sql, column.sql))
        return table, statements

    def indexes(self, table, shape):
        """Unique indexes, and the replica identity."""
        rng = self.rng
        found = []
        index = identifier("ix " + table.name)
        usable = None
        if shape == "unique":
            usable = "id"
        elif rng.random() < 0.3:
            candidates = [column for column in table.writable if column.kind.key]
            if candidates:
                column = rng.choice(candidates)
                usable = column.name if not column.nullable else None
                found.append("create unique index %s on %s (%s)" % (index, table.sql, column.sql))
        if shape == "unique":
            found.append("create unique index %s on %s (id)" % (index, table.sql))
        identity = rng.choices(("default", "full", "nothing", "index"), (50, 35, 5, 10))[0]
        if identity == "index" and usable:
            found.append("alter table %s replica identity using index %s" % (table.sql, index))
        elif identity in ("full", "nothing"):
            found.append("alter table %s replica identity %s" % (table.sql, identity))
        return found

    def partitioned(self, number):
        name = "part%d" % number
        kinds = {kind.name: kind for kind in self.scalars}
        columns = [Column("id", kinds["integer"], False), Column("v", kinds["text"])]
        return Table("public", name, columns, ("id",)), [
            "create table %s (id integer primary key, v text) partition by range (id)" % name,
            "create table %s_a partition of %s for values from (minvalue) to (0)" % (name, name),
            "create table %s_b partition of %s for values from (0) to (maxvalue)" % (name, name)]

    # ---- rows ----

    def value(self, column, long_share=0.06):
        rng = self.rng
        chance = rng.random()
        if chance < 0.15 and column.nullable:
            return "null"
        if chance < 0.28 and (column.default is not None or column.nullable):
            return "default"
        if column.kind.long and rng.random() < long_share:
            return sql(column.kind, column.kind.long(rng))
        return sql(column.kind, self.text_for(column))

    def text_for(self, column):
        for _ in range(50):
            text = column.kind.value(self.rng)
            if self.safe(column, text):
                return text
        return None

    def insert(self, table):
        rng = self.rng
        columns = table.writable
        if not columns:
            return "insert into %s default values" % table.sql
        rows = ["(%s)" % ", ".join(self.value(column) for column in columns) for _ in range(rng.choices((1, 3), (85, 15))[0])]
        return "insert into %s (%s) values %s" % (table.sql, ", ".join(c.sql for c in columns), ", ".join(rows))

    def some_rows(self, table):
        rng = self.rng
        return "ctid in (select ctid from %s offset %d limit %d)" % (table.sql, rng.randrange(6), rng.choice((1, 1, 1, 2, 20)))

    def update(self, table):
        rng = self.rng
        columns = [column for column in table.writable if column.name not in table.key or rng.random() < 0.2]
        if not columns:
            return self.insert(table)
        changed = rng.sample(columns, min(len(columns), rng.choice((1, 1, 2, 4))))
        if rng.random() < 0.08:
            return "update %s set %s = %s where %s" % (table.sql, changed[0].sql, changed[0].sql, self.some_rows(table))
        return "update %s set %s where %s" % (table.sql, ", ".join("%s = %s" % (c.sql, self.value(c)) for c in changed), self.some_rows(table))

    def delete(self, table):
        return "delete from %s where %s" % (table.sql, self.some_rows(table))

    def truncate(self, _table):
        rng = self.rng
        return "truncate %s" % ", ".join(t.sql for t in rng.sample(self.tables, min(len(self.tables), rng.choice((1, 2)))))

    def message(self, _table):
        rng = self.rng
        return "select pg_logical_emit_message(%s, %s, %s)" % (rng.choice(("true", "false")), quote(rng.choice(("p", "q.x", "ü"))), quote(values.text(rng)))

    def statement(self):
        makers = (self.insert, self.update, self.delete, self.truncate, self.message)
        return self.rng.choices(makers, (50, 33, 12, 1, 2))[0](self.rng.choice(self.tables))

    def transaction(self):
        rng = self.rng
        statements = []
        for _ in range(rng.randint(1, 6)):
            chance = rng.random()
            if chance < 0.15:
                statements += ["savepoint s", self.statement(), rng.choice(("rollback to s", "release s"))]
            else:
                statements.append(self.statement())
        if rng.random() < 0.08:
            statements.append("rollback")
        return Step(statements, transaction=True)

    # ---- DDL ----

    def ddl(self):
        rng = self.rng
        table = rng.choice(self.tables)
        if table.name.startswith("part"):
            return "comment on table %s is 'x'" % table.sql
        column = rng.choice(table.columns)
        changes = (self.add_column, self.drop_column, self.rename_column, self.set_default, self.set_null, self.change_identity,
                   self.rename_table, self.drop_key, self.retype, self.add_label)
        return rng.choice(changes)(table, column)

    def add_column(self, table, _column):
        column = self.column("n%d" % self.rng.randrange(1000), self.random_type())
        column.nullable = column.nullable or column.default is None
        table.columns.append(column)
        return "alter table %s add column %s" % (table.sql, column.definition())

    def drop_column(self, table, column):
        if column.name in table.key or len(table.columns) < 3:
            return self.add_column(table, column)
        table.columns.remove(column)
        return "alter table %s drop column %s" % (table.sql, column.sql)

    def rename_column(self, table, column):
        old = column.sql
        name = "r%d" % self.rng.randrange(1000)
        table.key = tuple(name if k == column.name else k for k in table.key)
        column.name = name
        return "alter table %s rename column %s to %s" % (table.sql, old, column.sql)

    def set_default(self, table, column):
        if column.generated:
            return self.add_column(table, column)
        if column.default is None:
            column.default = self.default_of(column)
            return "alter table %s alter %s set default %s" % (table.sql, column.sql, column.default)
        column.default = None
        return "alter table %s alter %s drop default" % (table.sql, column.sql)

    def set_null(self, table, column):
        if column.generated or column.name in table.key or not self.may_be_required(column.kind):
            return self.add_column(table, column)
        if not column.nullable:
            column.nullable = True
            return "alter table %s alter %s drop not null" % (table.sql, column.sql)
        column.nullable = False
        return "alter table %s alter %s set not null" % (table.sql, column.sql)

    def change_identity(self, table, _column):
        return "alter table %s replica identity %s" % (table.sql, self.rng.choice(("default", "full", "full", "nothing")))

    def rename_table(self, table, column):
        if any(name.startswith(("table.", "schema.")) for name in self.chosen):
            return self.add_column(table, column)  # Debezium goes on under the old name when the new one is not wanted
        old = table.sql
        table.name = "rn%d" % self.rng.randrange(10000)
        return "alter table %s rename to %s" % (old, identifier(table.name))

    def drop_key(self, table, column):
        if not column.kind.key or column.nullable:
            return self.change_identity(table, column)
        table.key = (column.name,)
        return ("do $$ declare c text; begin select conname into c from pg_constraint where conrelid = %s::regclass and contype = 'p';"
                " if c is not null then execute format('alter table %s drop constraint %%I', c); end if; end $$;"
                " alter table %s add primary key (%s)" % (quote(table.sql), table.sql.replace("%", "%%"), table.sql, column.sql))

    def retype(self, table, column):
        wider = {"smallint": "integer", "integer": "bigint", "varchar(30)": "text", "char(5)": "varchar", "numeric(10,2)": "numeric(12,2)", "real": "double precision",
                 "timestamp(3)": "timestamp", "time(0)": "time(4)", "bit(8)": "varbit"}
        to = wider.get(column.kind.name)
        kind = next((kind for kind in self.scalars if kind.name == to), None)
        if column.generated or kind is None:
            return self.add_column(table, column)
        column.kind = kind
        return "alter table %s alter %s type %s" % (table.sql, column.sql, to)

    def add_label(self, _table, _column):
        name = "l%d" % self.rng.randrange(1000)
        late = next(kind for kind in self.scalars if kind.name == "late")
        late.edges.append(name)
        return "alter type late add value %s %s 'two'" % (quote(name), self.rng.choice(("before", "after")))

    # ---- settings ----

    def settings(self):
        rng = self.rng
        choices = {
            "decimal.handling.mode": ("precise", "double", "string"),
            "time.precision.mode": ("adaptive", "adaptive", "adaptive_time_microseconds", "microseconds", "nanoseconds", "connect", "isostring"),
            "binary.handling.mode": ("bytes", "base64", "base64-url-safe", "hex"),
            "interval.handling.mode": ("numeric", "string"),
            "hstore.handling.mode": ("json", "map"),
            "tombstones.on.delete": ("true", "true", "false"),
            "include.unknown.datatypes": ("false", "true"),
            "extended.headers.enabled": ("true", "true", "true", "false"),
            "replace.null.with.default": ("true", "true", "false"),
            "skipped.operations": ("t", "none", "none", "d", "u,d", "c,t"),
            "unavailable.value.placeholder": ("__debezium_unavailable_value", "ph", "hex:00ff", "ünavailable"),
            "topic.delimiter": (".", ".", "_", "-"),
            "publish.via.partition.root": ("false", "true"),
            "skip.messages.without.change": ("false", "false", "true"),
            "provide.transaction.metadata": ("false", "false", "true"),
            "schema.name.adjustment.mode": ("none", "none", "avro", "avro_unicode"),
            "field.name.adjustment.mode": ("none", "none", "avro", "avro_unicode"),
            "money.fraction.digits": ("2", "2", "0", "4"),
            "include.schema.comments": ("false", "true"),
            "column.propagate.source.type": (".*", ".*c[0-3]"),
            "datatype.propagate.source.type": (".*", ".*\\.(VARCHAR|NUMERIC|INT4)"),
            "column.mask.with.5.chars": (".*\\.c1",),
            "column.mask.with.0.chars": (".*\\.c2",),
            "column.mask.hash.SHA-256.with.salt.s4lt": (".*\\.c[23]",),
            "column.mask.hash.v2.SHA-512.with.salt.x": (".*\\.c4",),
            "column.truncate.to.3.chars": (".*\\.c[45]",),
            "column.exclude.list": (".*\\.c3", "public\\..*\\.c[24]", ".*\\.id"),
            "column.include.list": ("public\\..*", ".*\\.(id|k.|c[0-4])"),
            "table.include.list": ("public\\.t.*", ".*\\.t[0-3],public\\..*"),
            "table.exclude.list": (".*\\.t1",),
            "schema.include.list": ("public",),
            "schema.exclude.list": ("s 2",),
            "message.key.columns": (".*\\.t[0-9]:c0,c1", "(.*)\\.t0:c1;(.*)\\.t1:c0"),
            "message.prefix.include.list": ("p,barrier",),
            "message.prefix.exclude.list": ("p",),
        }
        rare = [name for name in choices if name.startswith(("column.", "table.", "schema.in", "schema.ex", "message.", "datatype."))]
        chosen = {}
        for name, options in choices.items():
            share = 0.06 if name in rare else 0.35
            value = rng.choice(options)
            if rng.random() < share and self.known(name):
                chosen[name] = value
        for one, other in (("column.include.list", "column.exclude.list"), ("table.include.list", "table.exclude.list"),
                           ("schema.include.list", "schema.exclude.list"), ("message.prefix.include.list", "message.prefix.exclude.list")):
            if one in chosen:
                chosen.pop(other, None)
        return chosen

    # ---- all of it ----

    def workload(self):
        rng = self.rng
        work = Workload()
        work.settings = self.chosen
        work.snapshot = rng.random() < 0.4
        for name in ("hstore", "citext", "ltree", "isn", "cube"):
            if name in self.available:
                work.setup.append("create extension %s" % name)
        work.setup.append(values.SETUP)
        for number in range(rng.randint(2, 5)):
            table, statements = self.make_table(number)
            self.tables.append(table)
            work.setup += statements
        if rng.random() < 0.2:
            table, statements = self.partitioned(9)
            self.tables.append(table)
            work.setup += statements
        rows = rng.randint(0, 12) if work.snapshot else rng.randint(0, 5)
        work.setup += [self.insert(rng.choice(self.tables)) for _ in range(rows)]
        for _ in range(rng.randint(25, 60)):
            chance = rng.random()
            if chance < 0.04:
                work.steps.append(Step([self.ddl()], ddl=True))
            elif chance < 0.35:
                work.steps.append(self.transaction())
            else:
                work.steps.append(Step([self.statement()]))
        return work
