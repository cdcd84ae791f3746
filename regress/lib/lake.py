"""Reading the lake with foreign readers (PyIceberg, DuckDB) and comparing it with the source.

    lake = Lake(directory)
    assert lake.compare(db, "public.users") == []

Both sides are brought to one canonical value per cell: the text that PostgreSQL prints for the types
that silver keeps as such, numbers as numbers.  A cell that silver could not hold is null there and its
exact text stands in _overflow; that text is what is compared then.
"""

import collections
import datetime
import decimal
import json
import pathlib
import struct
import urllib.parse

import duckdb
from pyiceberg.table import StaticTable

from lib.support import BUILD

EXTRA = ("_op", "_lsn", "_commit_ts", "_dq_flags", "_overflow")

_MIDNIGHT = {"24:00:00": "23:59:59.999999"}


def _load_duckdb():
    """A DuckDB with the iceberg extension from its wheel; nothing is downloaded, signatures are checked."""
    home = BUILD / "venv" / "duckdb-extensions"
    con = duckdb.connect(config={"extension_directory": str(home), "autoinstall_known_extensions": "false",
                                 "autoload_known_extensions": "false", "threads": "2"})
    site = pathlib.Path(duckdb.__file__).resolve().parents[1]
    for name in ("avro", "iceberg"):
        wheel = site / ("duckdb_extension_%s" % name) / "extensions" / ("v" + duckdb.__version__)
        if not list(home.glob("**/%s.duckdb_extension" % name)):
            con.execute("install '%s'" % next(wheel.glob("*.duckdb_extension")))
        con.execute("load %s" % name)
    con.execute("set timezone = 'UTC'")
    return con


class Lake:
    """The tables of one namespace of a warehouse on a local directory."""

    def __init__(self, warehouse, namespace="cdc"):
        self.dir = pathlib.Path(str(warehouse).removeprefix("file://")) / namespace
        self._duckdb = None

    def tables(self):
        """The names of the tables that have been committed."""
        return sorted(urllib.parse.unquote(p.parents[1].name)
                      for p in self.dir.glob("*/metadata/version-hint.text"))

    def metadata_file(self, table):
        """The newest metadata; the hint may lag behind it, as readers of this catalog know."""
        directory = self.dir / urllib.parse.quote(table, safe="") / "metadata"
        if not directory.exists():
            directory = self.dir / table / "metadata"
        version = int((directory / "version-hint.text").read_text().strip())
        while (directory / ("v%d.metadata.json" % (version + 1))).exists():
            version += 1
        return directory / ("v%d.metadata.json" % version)

    def metadata(self, table):
        return json.loads(self.metadata_file(table).read_text(encoding="utf-8"))

    def iceberg(self, table):
        """The table as PyIceberg sees it."""
        return StaticTable.from_metadata(str(self.metadata_file(table)))

    def referenced(self, table):
        """Every file that the table's newest metadata refers to, by any snapshot that is listed."""
        iceberg = self.iceberg(table)
        current = self.metadata_file(table)
        found = {str(current), str(current.with_name("version-hint.text"))}
        found.update(entry["metadata-file"] for entry in self.metadata(table)["metadata-log"])
        for snapshot in iceberg.snapshots():
            found.add(snapshot.manifest_list)
            for manifest in snapshot.manifests(iceberg.io):
                found.add(manifest.manifest_path)
                found.update(entry.data_file.file_path for entry in manifest.fetch_manifest_entry(iceberg.io))
        return {path.removeprefix("file://") for path in found}

    def stored(self, table):
        """Every file in the table's directory."""
        return {str(path) for path in (self.dir / urllib.parse.quote(table)).rglob("*") if path.is_file()}

    def orphans(self):
        """The files of all tables to which nothing refers."""
        return sorted(path for table in self.tables() for path in self.stored(table) - self.referenced(table))

    def arrow(self, table, snapshot_id=None):
        return self.iceberg(table).scan(snapshot_id=snapshot_id).to_arrow()

    def rows(self, table, snapshot_id=None, reader="pyiceberg"):
        """All rows as dicts, by either reader; map columns are dicts, missing ones empty."""
        if reader == "pyiceberg":
            found = self.arrow(table, snapshot_id)
        else:
            found = self.sql("select * from %s" % self.scan(table, snapshot_id)).fetch_arrow_table()
        rows = found.to_pylist()
        for row in rows:
            if isinstance(row.get("_overflow"), list):
                row["_overflow"] = dict(row["_overflow"])
        return rows

    def scan(self, table, snapshot_id=None):
        """The table as something to select from in sql()."""
        option = ", snapshot_from_id = %d" % snapshot_id if snapshot_id is not None else ""
        return "iceberg_scan('%s'%s)" % (str(self.metadata_file(table)).replace("'", "''"), option)

    def sql(self, query):
        """Runs a query in DuckDB."""
        if self._duckdb is None:
            self._duckdb = _load_duckdb()
        return self._duckdb.execute(query)

    def count(self, table, reader="pyiceberg"):
        if reader == "duckdb":
            return self.sql("select count(*) from %s" % self.scan(table)).fetchone()[0]
        return self.arrow(table).num_rows

    def checkpoint(self):
        """The last published cut: the newest rows of cdc_checkpoints (several cuts may have one LSN)."""
        rows = self.rows("cdc_checkpoints")
        newest = max((row["committed_at"] for row in rows), default=None)
        return [row for row in rows if row["committed_at"] == newest]

    def compare(self, db, relation, table=None, reader="pyiceberg", exclude=(), limit=5):
        """Differences between a source table and its silver table, as printable lines; [] when equal.
        relation is schema.name, unquoted; the silver table's name is derived unless given."""
        schema, name = relation.split(".", 1) if "." in relation else ("public", relation)
        table = table or ("silver_" + (name if schema == "public" else "%s_%s" % (schema, name)))
        columns = [c for c in source_columns(db, schema, name) if c[0] not in exclude]
        found = self.rows(table, reader=reader)
        if found:
            missing = [c[0] for c in columns if c[0] not in found[0]]
            surplus = [c for c in found[0] if c not in EXTRA and c not in exclude
                       and c not in [column[0] for column in columns]]
            if missing or surplus:
                return ["columns missing in %s: %s; surplus: %s" % (table, missing, surplus)]
        source = collections.Counter(source_rows(db, schema, name, columns))
        silver = collections.Counter(tuple(_silver_cell(row, c) for c in columns) for row in found)
        lines = ["only in source: %r" % (row,) for row in list((source - silver))[:limit]]
        lines += ["only in %s by %s: %r" % (table, reader, row) for row in list((silver - source))[:limit]]
        if lines:
            lines.insert(0, "%s: %d rows in source, %d in %s" % (relation, source.total(), silver.total(), table))
        return lines


def source_columns(db, schema, name):
    """(name, element type or type, whether it is an array) of each column that is replicated; domains as
    their base, enums and the like as text."""
    query = """
        with recursive t(num, name, oid) as (
            select attnum, attname, atttypid from pg_attribute
            where attrelid = to_regclass(format('%I.%I', %s::text, %s::text))
                and attnum > 0 and not attisdropped and attgenerated = ''
            union all
            select num, name, typbasetype from t join pg_type on pg_type.oid = t.oid where typtype = 'd'
        )
        select name, coalesce(element.typname, type.typname), element.oid is not null
        from t join pg_type type on type.oid = t.oid and type.typtype <> 'd'
            left join pg_type element on element.oid = type.typelem and type.typcategory = 'A'
        order by num"""
    with db.connect() as connection:
        return [tuple(row) for row in
                connection.execute(query.replace("%I", "%%I"), (schema, name)).fetchall()]


def source_rows(db, schema, name, columns):
    """The canonical rows of a source table."""
    def quoted(identifier):
        return '"%s"' % identifier.replace('"', '""')
    cells = ", ".join("to_json(%s)::text" % quoted(c[0]) if c[2] else "%s::text" % quoted(c[0]) for c in columns)
    with db.connect(options="-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601"
                            " -c extra_float_digits=3 -c bytea_output=hex") as connection:
        found = connection.execute("select %s from %s.%s" % (cells, quoted(schema), quoted(name))).fetchall()
    return [tuple(_source_cell(cell, column) for cell, column in zip(row, columns)) for row in found]


def _frozen(value):
    return tuple(_frozen(v) for v in value) if isinstance(value, (list, tuple)) else value


def _source_cell(text, column):
    _, kind, is_array = column
    if text is None:
        return None
    if not is_array:
        return _canonical(text, kind)
    parsed = json.loads(text, parse_float=str, parse_int=str)
    return _frozen([_source_element(element, kind) for element in parsed])


def _source_element(element, kind):
    if element is None or isinstance(element, list):
        return element
    if isinstance(element, bool):
        element = "true" if element else "false"
    if kind.startswith("timestamp"):
        element = element.replace("T", " ")
        if kind == "timestamptz":
            element = element.replace("+00:00", "+00")
    if isinstance(element, dict):
        element = json.dumps(element)
    return _canonical(element, kind)


def _silver_cell(row, column):
    name, kind, is_array = column
    value = row[name]
    if value is None:
        text = (row.get("_overflow") or {}).get(name)
        if text is None:
            return None
        return _frozen(text) if is_array else _canonical(text, kind)
    if is_array and isinstance(value, (list, tuple)):
        return _frozen([None if v is None else _canonical(_text(v, kind), kind) for v in value])
    return _canonical(_text(value, kind), kind)


def _fraction(moment):
    return (".%06d" % moment.microsecond).rstrip("0") if moment.microsecond else ""


def _text(value, kind):
    """What PostgreSQL would print for a reader's value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (bytes, bytearray)):
        return "\\x" + bytes(value).hex()
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc)
        text = "%04d-%02d-%02d %02d:%02d:%02d%s" % (value.year, value.month, value.day, value.hour, value.minute,
                                                 value.second, _fraction(value))
        return text + "+00" if kind == "timestamptz" else text
    if isinstance(value, datetime.date):
        return "%04d-%02d-%02d" % (value.year, value.month, value.day)
    if isinstance(value, datetime.time):
        return "%02d:%02d:%02d%s" % (value.hour, value.minute, value.second, _fraction(value))
    if isinstance(value, float):
        return repr(value)
    return str(value)


def _canonical_float(text, single):
    value = float(text.replace("Infinity", "inf"))
    if value != value:
        return "NaN"
    return struct.unpack("<f", struct.pack("<f", value))[0] if single else value


def _canonical_numeric(text):
    value = decimal.Decimal(text)
    return value.normalize(decimal.Context(prec=200000)) + 0 if value.is_finite() else str(value)


_CANONICAL = {
    "bool": lambda text: text in ("true", "t"),
    "int2": int,
    "int4": int,
    "int8": int,
    "oid": int,
    "float4": lambda text: _canonical_float(text, True),
    "float8": lambda text: _canonical_float(text, False),
    "numeric": _canonical_numeric,
    "time": lambda text: _MIDNIGHT.get(text, text),
    "bpchar": lambda text: text.rstrip(" "),
}


def _canonical(text, kind):
    convert = _CANONICAL.get(kind)
    return convert(text) if convert else text
