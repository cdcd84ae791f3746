/*
 * catalog.c
 *		tables as the server's catalog describes them.
 *
 * The plugin describes a table from the historic catalog with the backend's C
 * functions (decoder/catalog.c); here the same facts are asked for by SQL.  Every rule
 *there has its clause here: which index is the key, which columns travel, how domains
 *end. The two descriptions must be equal byte for byte, so that a table that was read by
 * COPY and then streams keeps its version.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>

#include "envelope/utf8.h"
#include "envelope/value.h"
#include "source/server.h"

/* pg_index.indkey without its INCLUDE columns. */
#define INDEX_COLUMNS \
	"(pg_catalog.string_to_array(i.indkey::text, ' ')::int2[])[1:i.indnkeyatts]"

/* clang-format off */
static const char table_query[] =
	"SELECT n.nspname, c.relname, c.relreplident, c.relkind, "
	"coalesce(r.oid, 0), coalesce(rn.nspname, ''), coalesce(r.relname, ''), "
	"key.source, pg_catalog.array_to_string(key.columns, ' '), "
	"pg_catalog.array_to_string(identity.columns, ' ') "
	"FROM pg_class c "
	"JOIN pg_namespace n ON n.oid = c.relnamespace "
	"LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid) "
	"LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace "
	"LEFT JOIN LATERAL ("
	"	SELECT CASE WHEN i.indisprimary THEN 'p' ELSE 'u' END AS source, "
	"	" INDEX_COLUMNS " AS columns "
	"	FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid "
	"	WHERE i.indrelid = c.oid AND i.indislive AND i.indisvalid "
	"	AND (i.indisprimary OR i.indisunique AND i.indpred IS NULL "
	"		AND 0 < ALL (" INDEX_COLUMNS ")) "
	"	ORDER BY i.indisprimary DESC, i.indisclustered DESC, ic.relname COLLATE \"C\" "
	"	LIMIT 1) key ON true "
	"LEFT JOIN LATERAL ("
	"	SELECT " INDEX_COLUMNS " AS columns FROM pg_index i "
	"	WHERE i.indrelid = c.oid AND i.indislive AND i.indisvalid AND i.indisunique "
	"	AND i.indimmediate AND i.indpred IS NULL "
	"	AND (c.relreplident = 'd' AND i.indisprimary "
	"		OR c.relreplident = 'i' AND i.indisreplident) LIMIT 1) identity ON true "
	"WHERE c.oid = $1";

enum
{
	TABLE_SCHEMA, TABLE_NAME, TABLE_IDENTITY, TABLE_RELKIND,
	TABLE_ROOT, TABLE_ROOT_SCHEMA, TABLE_ROOT_NAME,
	TABLE_KEY_SOURCE, TABLE_KEY_COLUMNS, TABLE_IDENTITY_COLUMNS,
};

static const char column_query[] =
	"WITH RECURSIVE base(attnum, oid, typmod) AS ("
	"	SELECT attnum, atttypid, atttypmod FROM pg_attribute "
	"	WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped "
	"	UNION ALL "
	"	SELECT b.attnum, t.typbasetype, t.typtypmod "
	"	FROM base b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype = 'd'), "
	"element(attnum, oid) AS ("
	"	SELECT b.attnum, t.typelem FROM base b JOIN pg_type t ON t.oid = b.oid "
	"	WHERE t.typtype <> 'd' AND t.typelem <> 0 "
	"	AND t.typsubscript = 'pg_catalog.array_subscript_handler'::regproc "
	"	UNION ALL "
	"	SELECT e.attnum, t.typbasetype "
	"	FROM element e JOIN pg_type t ON t.oid = e.oid WHERE t.typtype = 'd') "
	"SELECT a.attname, a.attnum, a.atttypid, a.atttypmod, "
	"b.oid, b.typmod, bt.typtype, bt.typname, bn.nspname, "
	"format_type(a.atttypid, a.atttypmod), "
	"coalesce(et.oid, 0), coalesce(et.typtype::text, ''), coalesce(et.typname, ''), "
	"a.attnotnull OR dt.typnotnull, a.attidentity <> '', "
	"CASE WHEN a.atthasdef THEN pg_get_expr(d.adbin, d.adrelid) END, "
	"a.atthasmissing AND a.attmissingval IS NOT NULL, a.attgenerated <> '' "
	"FROM pg_attribute a "
	"JOIN base b ON b.attnum = a.attnum "
	"JOIN pg_type dt ON dt.oid = a.atttypid "
	"JOIN pg_type bt ON bt.oid = b.oid AND bt.typtype <> 'd' "
	"JOIN pg_namespace bn ON bn.oid = bt.typnamespace "
	"LEFT JOIN (element e JOIN pg_type et ON et.oid = e.oid AND et.typtype <> 'd') "
	"	ON e.attnum = a.attnum "
	"LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
	"WHERE a.attrelid = $1 ORDER BY a.attnum";

enum
{
	COLUMN_NAME, COLUMN_ATTNUM, COLUMN_TYPE, COLUMN_TYPMOD,
	COLUMN_BASE, COLUMN_BASE_TYPMOD, COLUMN_KIND, COLUMN_TYPE_NAME, COLUMN_TYPE_SCHEMA,
	COLUMN_TYPE_TEXT,
	COLUMN_ELEMENT, COLUMN_ELEMENT_KIND, COLUMN_ELEMENT_NAME,
	COLUMN_NOT_NULL, COLUMN_IS_IDENTITY,
	COLUMN_DEFAULT,
	COLUMN_MISSING, COLUMN_IS_GENERATED,
};
/* clang-format on */

bool
server_wants(const Config *config, const Relation *relation)
{
	const Published *published = config->env.published;
	/* partitions may be known by their root's name, to filters too */
	FilterTable table = filter_table(&config->env, relation);

	return filter_wants_table(&config->env, table.schema, table.name) &&
	       (!published->everywhere || published_has(published, relation));
}

bool
server_tables(PGconn *conn, const Config *config, unsigned more, Arena *arena,
              TableList *tables, Err *err)
{
	/* From 16384 (FirstNormalObjectId) on: what initdb made is not streamed. */
	static const char query[] =
		"SELECT c.oid, n.nspname, c.relname, r.oid, rn.nspname, r.relname, c.relkind, "
		"c.relpersistence "
		"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
		"LEFT JOIN pg_class r ON c.relispartition AND r.oid = pg_partition_root(c.oid) "
		"LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace "
		"WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384 "
		"ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";
	PGresult *result = server_query(conn, query, err);
	int count;

	if (result == NULL)
		return fail_while(err, "could not list tables");
	count = PQntuples(result);
	*tables = (TableList){ 0 };
	tables->relids = arena_alloc(arena, ((size_t) count + 1) * sizeof *tables->relids);
	for (int i = 0; i < count; i++)
	{
		const Relation relation = {
			.relid = server_oid(result, i, 0),
			.schema = server_text(result, i, 1),
			.name = server_text(result, i, 2),
			.root_relid = server_oid(result, i, 3),
			.root_schema = server_text(result, i, 4),
			.root_name = server_text(result, i, 5),
		};

		if (((more & TABLES_PARENTS) != 0 || *server_text(result, i, 6) == 'r') &&
		    ((more & TABLES_UNLOGGED) != 0 || *server_text(result, i, 7) == 'p') &&
		    server_wants(config, &relation))
			tables->relids[tables->count++] = server_oid(result, i, 0);
	}
	PQclear(result);
	return true;
}

/* Tables c of which it is said: partitioned, without a partition.  pg_inherits, unlike
 * pg_partition_root(), is as the transaction's snapshot has it. */
#define WITHOUT_PARTITIONS                                                     \
	"c.relkind = 'p' AND NOT EXISTS ("                                         \
	"	WITH RECURSIVE tree(oid) AS ("                                           \
	"		SELECT c.oid UNION ALL SELECT i.inhrelid FROM tree t "                  \
	"		JOIN pg_inherits i ON i.inhparent = t.oid AND NOT i.inhdetachpending) " \
	"	SELECT FROM tree t JOIN pg_class l ON l.oid = t.oid WHERE l.relkind <> 'p')"

bool
server_empty_roots(PGconn *conn, Arena *arena, TableList *tables, Err *err)
{
	PGresult *result = server_query(conn,
	                                "SELECT c.oid FROM pg_class c "
	                                "WHERE NOT c.relispartition AND " WITHOUT_PARTITIONS,
	                                err);

	*tables = (TableList){ 0 };
	if (result == NULL)
		return fail_while(err, "could not list partitioned tables");
	tables->count = (size_t) PQntuples(result);
	tables->relids = arena_alloc(arena, (tables->count + 1) * sizeof *tables->relids);
	for (size_t i = 0; i < tables->count; i++)
		tables->relids[i] = server_oid(result, (int) i, 0);
	PQclear(result);
	return true;
}

bool
server_rowless(PGconn *conn, const char *name, uint32_t *relid, Err *err)
{
	Buf sql = buf_heap();
	PGresult *result;

	buf_text(&sql,
	         "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	         "WHERE c.relkind IN ('r', 'p') AND "
	         "(c.relispartition OR " WITHOUT_PARTITIONS ") "
	         "AND n.nspname || '.' || c.relname = ");
	server_quote(&sql, '\'', name);
	result = server_query(conn, buf_cstr(&sql), err);
	buf_free(&sql);
	if (result == NULL)
		return fail_while(err, "could not look for table \"%s\"", name);
	*relid = PQntuples(result) == 0 ? 0 : server_oid(result, 0, 0);
	PQclear(result);
	return true;
}

/* What server_relation gathers before it is written. */
typedef struct Gathering
{
	PGconn *conn;
	const Config *config;
	Arena *scratch;
	Relation relation;
	RelationColumn *columns;
	const char *key_columns;      /* attribute numbers with spaces between */
	const char *identity_columns; /* idem; not used under FULL */
	const char *bad_name;         /* the first that is no UTF-8, made such */
	bool whole;                   /* with generated columns */
	uint64_t replaced;            /* how often U+FFFD stands for a byte in other texts */
} Gathering;

static bool read_table(Gathering *gathering, uint32_t relid, Err *err);
static bool read_columns(Gathering *gathering, Err *err);
static bool check_texts(const Gathering *gathering, Err *err);
static void read_key(Gathering *gathering);
static void mask_missing(Gathering *gathering);

static Relation *
describe(Gathering *gathering, uint32_t relid, Arena *arena, Err *err)
{
	Alloc alloc = arena_as_alloc(arena);
	Buf body = buf_heap();
	EnvError error;
	Relation *relation = NULL;

	gathering->scratch = arena_new();
	if (read_table(gathering, relid, err) && read_columns(gathering, err) &&
	    check_texts(gathering, err))
	{
		read_key(gathering);
		mask_missing(gathering);
		relation_write(&body, &gathering->relation);
		relation = relation_read((Slice){ body.data, body.len }, &alloc, &error);
		if (relation == NULL)
			(void) fail(err, ERR_FATAL, "%s", error.message);
	}
	if (relation == NULL)
		(void) fail_while(err, "could not describe the table with OID %u", relid);
	buf_free(&body);
	arena_free(gathering->scratch);
	return relation;
}

const Relation *
server_relation(PGconn *conn, const Config *config, uint32_t relid, Arena *arena,
                Err *err)
{
	Gathering gathering = { .conn = conn, .config = config };

	return describe(&gathering, relid, arena, err);
}

const Relation *
server_relation_read(PGconn *conn, const Config *config, uint32_t relid, bool by_query,
                     Arena *arena, Err *err)
{
	Gathering gathering = { .conn = conn, .config = config };
	Relation *relation;

	gathering.whole = !by_query && (config->outputs & OUTPUT_KAFKA) != 0;
	relation = describe(&gathering, relid, arena, err);
	for (uint16_t i = 0; relation != NULL && i < relation->column_count; i++)
		relation->columns[i].by_driver = true;
	return relation;
}

/* Run a query whose parameter $1 is an OID. */
static PGresult *
query_oid(PGconn *conn, const char *query, uint32_t oid, Err *err)
{
	static const Oid types[] = { TYPE_OID };
	char text[16];
	const char *const values[] = { text };
	PGresult *result;

	(void) snprintf(text, sizeof text, "%u", oid);
	result = PQexecParams(conn, query, 1, types, values, NULL, NULL, 0);
	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	(void) server_fail(conn, result, err);
	PQclear(result);
	return NULL;
}

/* text, made UTF-8. */
static const char *
make_valid(Gathering *gathering, const char *text)
{
	Slice slice = slice_from(text);
	Buf buf = buf_heap();
	const char *valid;

	if (utf8_valid_run(slice) == slice.len)
		return arena_strdup(gathering->scratch, text);
	gathering->replaced += utf8_append(&buf, slice);
	valid = arena_strdup(gathering->scratch, buf_cstr(&buf));
	buf_free(&buf);
	return valid;
}

static const char *
keep(Gathering *gathering, const PGresult *result, int row, int column)
{
	return make_valid(gathering, server_text(result, row, column));
}

/* The same for a name by which the table is read: there is no other way to say it. */
static const char *
keep_name(Gathering *gathering, const PGresult *result, int row, int column)
{
	uint64_t before = gathering->replaced;
	const char *name = keep(gathering, result, row, column);

	if (gathering->replaced > before && gathering->bad_name == NULL)
		gathering->bad_name = name;
	return name;
}

/* Names that are no UTF-8 cannot be read by, other texts are as the user wants them. */
static bool
check_texts(const Gathering *gathering, Err *err)
{
	if (gathering->bad_name != NULL)
	{
		(void) fail(err,
		            ERR_CONFIG,
		            "name \"%s\" has bytes that are not UTF-8",
		            gathering->bad_name);
		return fail_hint(err, "Rename it, or exclude it.");
	}
	if (gathering->replaced == 0)
		return true;
	if (gathering->config->env.invalid_text_mode == INVALID_TEXT_FAIL)
	{
		(void) fail(
			err,
			ERR_CONFIG,
			"defaults, labels or types of table \"%s.%s\" have bytes that are not "
			"UTF-8",
			gathering->relation.schema,
			gathering->relation.name);
		return fail_hint(err, "Set invalid.text.handling.mode to replace.");
	}
	return true;
}

static int32_t
read_int(const PGresult *result, int row, int column)
{
	return (int32_t) strtol(server_text(result, row, column), NULL, 10);
}

static bool
read_flag(const PGresult *result, int row, int column)
{
	return *server_text(result, row, column) == 't';
}

static bool
read_table(Gathering *gathering, uint32_t relid, Err *err)
{
	PGresult *result = query_oid(gathering->conn, table_query, relid, err);
	Relation *relation = &gathering->relation;

	if (result == NULL)
		return false;
	if (PQntuples(result) == 0)
	{
		PQclear(result);
		return fail(err, ERR_RETRY, "it does not exist any more");
	}
	relation->relid = relid;
	relation->schema = keep_name(gathering, result, 0, TABLE_SCHEMA);
	relation->name = keep_name(gathering, result, 0, TABLE_NAME);
	relation->replica_identity = *server_text(result, 0, TABLE_IDENTITY);
	relation->relkind = *server_text(result, 0, TABLE_RELKIND);
	relation->root_relid = server_oid(result, 0, TABLE_ROOT);
	relation->root_schema = keep_name(gathering, result, 0, TABLE_ROOT_SCHEMA);
	relation->root_name = keep_name(gathering, result, 0, TABLE_ROOT_NAME);
	relation->key_source = *server_text(result, 0, TABLE_KEY_SOURCE);
	gathering->key_columns = keep(gathering, result, 0, TABLE_KEY_COLUMNS);
	gathering->identity_columns = keep(gathering, result, 0, TABLE_IDENTITY_COLUMNS);
	PQclear(result);
	return true;
}

/* The next attribute number of the list at *at; 0 at its end. */
static int16_t
next_attnum(const char **at)
{
	char *end;
	long attnum = strtol(*at, &end, 10);

	*at = end;
	return (int16_t) attnum;
}

static bool
list_contains(const char *list, int16_t attnum)
{
	int16_t other;

	while ((other = next_attnum(&list)) != 0)
		if (other == attnum)
			return true;
	return false;
}

static bool
read_labels(Gathering *gathering, RelationColumn *column, uint32_t type, Err *err)
{
	static const char query[] =
		"SELECT enumlabel FROM pg_enum WHERE enumtypid = $1 ORDER BY enumsortorder";
	PGresult *result = query_oid(gathering->conn, query, type, err);
	const char **labels;
	int count;

	if (result == NULL)
		return false;
	count = PQntuples(result);
	labels = arena_alloc(gathering->scratch, ((size_t) count + 1) * sizeof *labels);
	for (int i = 0; i < count; i++)
		labels[i] = keep(gathering, result, i, 0);
	PQclear(result);
	if (count > UINT16_MAX)
		return fail(err,
		            ERR_CONFIG,
		            "enum type \"%s\" has more than %d labels",
		            column->type_name,
		            UINT16_MAX);
	column->labels = labels;
	column->label_count = (uint16_t) count;
	return true;
}

/* jsonb_send puts a version byte before the text, which the wire has not. */
static Slice
jsonb_text(Slice value)
{
	return value.len == 0 ? value : (Slice){ value.data + 1, value.len - 1 };
}

/* The same for the elements of an array of jsonb. */
static Slice
jsonb_array(Arena *arena, Slice array)
{
	ArrayReader reader;
	Value element;
	Buf buf = buf_heap();
	Slice result;

	if (!array_open(array, &reader))
		return array;
	buf_append(&buf, array.data, (size_t) (reader.rest.at - array.data));
	while (array_next(&reader, &element))
	{
		Slice text = jsonb_text(value_slice(element));

		buf_u32(&buf, element.kind == VALUE_NULL ? UINT32_MAX : (uint32_t) text.len);
		buf_slice(&buf, text);
	}
	result = arena_slice(arena, (Slice){ buf.data, buf.len });
	buf_free(&buf);
	return result;
}

static Slice
read_hex(Arena *arena, const char *hex)
{
	size_t len = strlen(hex) / 2;
	char *bytes = arena_alloc(arena, len + 1);

	for (size_t i = 0; i < len; i++)
	{
		const char pair[3] = { hex[i * 2], hex[i * 2 + 1], '\0' };

		bytes[i] = (char) strtoul(pair, NULL, 16);
	}
	return (Slice){ bytes, len };
}

static void
make_missing_valid(Gathering *gathering, RelationColumn *column)
{
	Buf buf = buf_heap();

	gathering->replaced += value_make_valid(&buf, column, column->missing);
	column->missing = arena_slice(gathering->scratch, (Slice){ buf.data, buf.len });
	buf_free(&buf);
}

/* attmissingval, an array with one element: that element in the wire's form. */
static bool
read_missing(Gathering *gathering, RelationColumn *column, Err *err)
{
	bool binary = value_is_binary(column);
	Arena *arena = gathering->scratch;
	char query[256];
	PGresult *result;
	ArrayReader reader;
	Value element;
	bool ok = true;

	(void) snprintf(query,
	                sizeof query,
	                "SELECT %s FROM pg_attribute WHERE attrelid = %u AND attnum = %d",
	                binary ? "pg_catalog.encode(array_send(attmissingval), 'hex')"
	                       : "array_to_string(attmissingval, '')",
	                gathering->relation.relid,
	                column->attnum);
	result = server_query(gathering->conn, query, err);
	if (result == NULL)
		return false;
	column->missing_kind = binary ? 'b' : 't';
	if (!binary)
		column->missing = slice_from(keep(gathering, result, 0, 0));
	else
	{
		ok = array_open(read_hex(arena, server_text(result, 0, 0)), &reader) &&
		     array_next(&reader, &element);
		if (ok)
			column->missing = value_slice(element);
		else
			(void) fail(err, ERR_FATAL, "malformed attmissingval");
	}
	PQclear(result);
	if (ok && column->element_oid == TYPE_JSONB)
		column->missing = jsonb_array(arena, column->missing);
	else if (ok && column->base_oid == TYPE_JSONB)
		column->missing = jsonb_text(column->missing);
	if (ok)
		make_missing_valid(gathering, column);
	return ok;
}

static void
read_column(Gathering *gathering, const PGresult *result, int row, RelationColumn *column)
{
	column->name = keep_name(gathering, result, row, COLUMN_NAME);
	column->attnum = (int16_t) read_int(result, row, COLUMN_ATTNUM);
	column->type_oid = server_oid(result, row, COLUMN_TYPE);
	column->typmod = read_int(result, row, COLUMN_TYPMOD);
	column->base_oid = server_oid(result, row, COLUMN_BASE);
	column->base_typmod = read_int(result, row, COLUMN_BASE_TYPMOD);
	column->type_kind = *server_text(result, row, COLUMN_KIND);
	column->type_name = keep(gathering, result, row, COLUMN_TYPE_NAME);
	column->type_schema = keep(gathering, result, row, COLUMN_TYPE_SCHEMA);
	column->type_text = keep(gathering, result, row, COLUMN_TYPE_TEXT);
	column->element_oid = server_oid(result, row, COLUMN_ELEMENT);
	column->element_kind = *server_text(result, row, COLUMN_ELEMENT_KIND);
	column->element_name = keep(gathering, result, row, COLUMN_ELEMENT_NAME);
	column->not_null = read_flag(result, row, COLUMN_NOT_NULL);
	column->is_identity_column = read_flag(result, row, COLUMN_IS_IDENTITY);
	if (!PQgetisnull(result, row, COLUMN_DEFAULT))
		column->default_text = keep(gathering, result, row, COLUMN_DEFAULT);
	column->is_generated = read_flag(result, row, COLUMN_IS_GENERATED);
	column->in_identity = !column->is_generated &&
	                      (gathering->relation.replica_identity == 'f' ||
	                       list_contains(gathering->identity_columns, column->attnum));
}

/* A key column travels even when the filters exclude it: keys are printed with it. */
static bool
is_captured(const Gathering *gathering, const PGresult *result, int row)
{
	const EnvOptions *options = &gathering->config->env;
	FilterTable table = filter_table(options, &gathering->relation);
	const char *name = server_text(result, row, COLUMN_NAME);
	int16_t attnum = (int16_t) read_int(result, row, COLUMN_ATTNUM);

	if (read_flag(result, row, COLUMN_IS_GENERATED) && !gathering->whole)
		return false;
	if (options->published->everywhere &&
	    !published_has_column(options->published, &gathering->relation, attnum))
		return false;
	return list_contains(gathering->key_columns, attnum) ||
	       filter_wants_column(options, table.schema, table.name, name) ||
	       key_names(&options->message_key_columns, table.schema, table.name, name);
}

static bool
read_columns(Gathering *gathering, Err *err)
{
	Relation *relation = &gathering->relation;
	PGresult *result = query_oid(gathering->conn, column_query, relation->relid, err);
	bool ok = true;
	size_t rows;

	if (result == NULL)
		return false;
	rows = (size_t) PQntuples(result);
	gathering->columns =
		arena_zero(gathering->scratch, (rows + 1) * sizeof *gathering->columns);
	for (int row = 0; ok && row < (int) rows; row++)
	{
		RelationColumn *column = &gathering->columns[relation->column_count];

		if (!is_captured(gathering, result, row))
			continue;
		column->index = relation->column_count++;
		read_column(gathering, result, row, column);
		if (column->type_kind == 'e')
			ok = read_labels(gathering, column, column->base_oid, err);
		else if (column->element_kind == 'e')
			ok = read_labels(gathering, column, column->element_oid, err);
		if (ok && read_flag(result, row, COLUMN_MISSING))
			ok = read_missing(gathering, column, err);
	}
	PQclear(result);
	relation->columns = gathering->columns;
	return ok;
}

/* Values of rows older than their column pass its mask, as those of other rows do. */
static void
mask_missing(Gathering *gathering)
{
	for (uint16_t i = 0; i < gathering->relation.column_count; i++)
	{
		RelationColumn *column = &gathering->columns[i];
		ColumnMask mask = mask_find(&gathering->config->env, &gathering->relation, i);
		Buf text = buf_heap();

		if (column->missing_kind != 0 && mask.rule != NULL && mask.at_source)
		{
			buf_slice(&text, column->missing);
			mask_replace(&text, 0, &mask);
			column->missing =
				arena_slice(gathering->scratch, (Slice){ text.data, text.len });
		}
		buf_free(&text);
	}
}

static void
read_key(Gathering *gathering)
{
	Relation *relation = &gathering->relation;
	const char *at = gathering->key_columns;
	uint16_t *key = arena_alloc(gathering->scratch,
	                            ((size_t) relation->column_count + 1) * sizeof *key);
	int16_t attnum;

	while ((attnum = next_attnum(&at)) != 0)
		for (uint16_t i = 0; i < relation->column_count; i++)
			if (gathering->columns[i].attnum == attnum)
				key[relation->key_count++] = i;
	relation->key = key;
	if (relation->key_count == 0)
		relation->key_source = 0;
}
