/*
 * publication.c
 *		pg_publication and what hangs on it, as the text of envelope/published.h.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/publication.h"

#include <stdio.h>

/* clang-format off */
static const char head_query[] =
	"SELECT puballtables, pubviaroot, pubinsert, pubupdate, pubdelete, pubtruncate, "
	"EXISTS (SELECT FROM pg_class c WHERE c.oid >= 16384 AND c.relispartition "
	"	AND c.relkind = 'r' AND (p.puballtables "
	"	OR EXISTS (SELECT FROM pg_publication_namespace WHERE pnpubid = p.oid) "
	"	OR EXISTS (SELECT FROM pg_publication_rel r JOIN pg_partition_ancestors(c.oid) a "
	"		ON a.relid = r.prrelid WHERE r.prpubid = p.oid))) "
	"FROM pg_publication p WHERE pubname = $1";

enum
{
	HEAD_ALL, HEAD_VIA_ROOT, HEAD_OPERATIONS, HEAD_PARTITIONS = HEAD_OPERATIONS + 4,
};

/* A table whose schema is published has neither list nor filter (pgoutput). */
static const char member_query[] =
	"SELECT n.nspname, NULL AS relname, 0::oid, NULL, NULL, '', false, false "
	"FROM pg_publication p JOIN pg_publication_namespace s ON s.pnpubid = p.oid "
	"JOIN pg_namespace n ON n.oid = s.pnnspid WHERE p.pubname = $1 "
	"UNION ALL SELECT n.nspname, c.relname, c.oid, "
	"CASE WHEN s.oid IS NULL THEN r.prattrs::text END, "
	"CASE WHEN s.oid IS NULL THEN pg_get_expr(r.prqual, r.prrelid) END, "
	"c.relkind::text, c.relispartition, "
	"s.oid IS NULL AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid "
	"	AND i.indisprimary AND NOT i.indkey::int2[] <@ r.prattrs::int2[]) "
	"FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid "
	"JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
	"LEFT JOIN pg_publication_namespace s "
	"ON s.pnpubid = p.oid AND s.pnnspid = c.relnamespace WHERE p.pubname = $1 "
	"ORDER BY 3, 1";

enum
{
	MEMBER_SCHEMA, MEMBER_TABLE, MEMBER_OID, MEMBER_COLUMNS, MEMBER_FILTER,
	MEMBER_KIND, MEMBER_IS_PARTITION, MEMBER_LACKS_KEY,
};
/* clang-format on */

static PGresult *
query_name(PGconn *sql, const Config *config, const char *query, Err *err)
{
	const char *const values[] = { config->publication_name };
	PGresult *result = PQexecParams(sql, query, 1, NULL, values, NULL, NULL, 0);

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	(void) server_fail(sql, result, err);
	(void) fail_while(err, "could not read publication \"%s\"", config->publication_name);
	PQclear(result);
	return NULL;
}

static bool
is_true(const PGresult *result, int row, int column)
{
	return *server_text(result, row, column) == 't';
}

/* The operations that are not published. */
static int
read_withheld(const PGresult *head)
{
	static const int bits[] = { SKIP_CREATE, SKIP_UPDATE, SKIP_DELETE, SKIP_TRUNCATE };
	int withheld = 0;

	for (int i = 0; i < 4; i++)
		if (!is_true(head, 0, HEAD_OPERATIONS + i))
			withheld |= bits[i];
	return withheld;
}

static bool
check_head(const Config *config, const PGresult *head, Err *err)
{
	const char *name = config->publication_name;
	bool via_root = PQntuples(head) > 0 && is_true(head, 0, HEAD_VIA_ROOT);

	if (PQntuples(head) == 0)
	{
		fail(err, ERR_CONFIG, "publication \"%s\" does not exist", name);
		return fail_hint(err,
		                 "Create it, correct publication.name, or remove "
		                 "publication.autocreate.mode to capture what the lists want.");
	}
	if (is_true(head, 0, HEAD_PARTITIONS) &&
	    via_root != config->env.publish_via_partition_root)
	{
		fail(err,
		     ERR_CONFIG,
		     "publication \"%s\" publishes partitions %s",
		     name,
		     via_root ? "as their root" : "by themselves");
		return fail_hint(
			err, "Set publish.via.partition.root to %s.", via_root ? "true" : "false");
	}
	if ((config->outputs & OUTPUT_SILVER) != 0 && read_withheld(head) != 0)
	{
		fail(
			err,
			ERR_CONFIG,
			"publication \"%s\" does not publish all operations, so that silver would not "
			"equal its source",
			name);
		return fail_hint(
			err,
			"ALTER PUBLICATION \"%s\" SET (publish = 'insert, update, delete, "
			"truncate'), or leave silver out of outputs.",
			name);
	}
	return true;
}

/* What the server's own rules for partitions would take, which are not here. */
static bool
check_table(const Config *config, const PGresult *members, int row, Err *err)
{
	bool is_root = *server_text(members, row, MEMBER_KIND) == 'p';
	bool is_partition = is_true(members, row, MEMBER_IS_PARTITION);
	const char *what = NULL;

	if (is_root && is_partition)
		what = "has a partition with partitions: publish its root or its leaves";
	else if (is_partition && config->env.publish_via_partition_root)
		what = "has a partition by itself beside publish_via_partition_root: publish its "
			   "root";
	else if (is_root && !PQgetisnull(members, row, MEMBER_COLUMNS))
		what = "has a column list for a partitioned table: use column.exclude.list";
	else if (is_true(members, row, MEMBER_LACKS_KEY) && config->env.published->everywhere)
		what = "has a column list without the primary key, which the lake needs: publish "
			   "it";
	if (what == NULL)
		return true;
	fail(err,
	     ERR_CONFIG,
	     "publication \"%s\" %.*s, \"%s.%s\"",
	     config->publication_name,
	     (int) strcspn(what, ":"),
	     what,
	     server_text(members, row, MEMBER_SCHEMA),
	     server_text(members, row, MEMBER_TABLE));
	return fail_hint(err, "The worker cannot do that:%s.", strchr(what, ':') + 1);
}

/* A table, with the filter of row.filter.SCHEMA.TABLE beside its own. */
static void
write_table(const Config *config, const PGresult *members, int row, Buf *text)
{
	const char *schema = server_text(members, row, MEMBER_SCHEMA);
	const char *table = server_text(members, row, MEMBER_TABLE);
	const char *columns = server_text(members, row, MEMBER_COLUMNS);
	const char *filter = server_text(members, row, MEMBER_FILTER);
	const RowFilter *own = row_filter_named(&config->env.row_filters, schema, table);
	Buf name = buf_heap();
	Buf both = buf_heap();

	buf_printf(&name, "%s.%s", schema, table);
	buf_text(&both, filter);
	if (*filter != '\0' && own != NULL)
		buf_printf(&both, " AND (%s\n)", own->expression);
	published_write_table(text,
	                      server_oid(members, row, MEMBER_OID),
	                      buf_cstr(&name),
	                      PQgetisnull(members, row, MEMBER_COLUMNS) ? NULL : columns,
	                      both.len == 0 ? NULL : buf_cstr(&both));
	buf_free(&both);
	buf_free(&name);
}

static bool
read_members(const Config *config, const PGresult *head, const PGresult *members,
             Err *err)
{
	Published *published = config->env.published;
	Buf text = buf_heap();
	EnvError error;
	bool ok = true;

	published->everywhere = (config->outputs & (OUTPUT_BRONZE | OUTPUT_SILVER)) != 0;
	published_write_head(&text, is_true(head, 0, HEAD_ALL), read_withheld(head));
	for (int row = 0; ok && row < PQntuples(members); row++)
		if (PQgetisnull(members, row, MEMBER_TABLE))
			published_write_schema(&text, server_text(members, row, MEMBER_SCHEMA));
		else if ((ok = check_table(config, members, row, err)))
			write_table(config, members, row, &text);
	if (ok && !published_read(published, buf_cstr(&text), &error))
		ok = fail(err, ERR_FATAL, "%s", error.message);
	buf_free(&text);
	return ok;
}

bool
publication_read(PGconn *sql, const Config *config, Err *err)
{
	PGresult *head;
	PGresult *members;
	bool ok;

	if (config->env.published->given ||
	    (config->publication_mode != PUBLICATION_DISABLED &&
	     config->publication_mode != PUBLICATION_NO_TABLES))
		return true;
	head = query_name(sql, config, head_query, err);
	if (head == NULL)
		return false;
	members = query_name(sql, config, member_query, err);
	ok = members != NULL && check_head(config, head, err) &&
	     read_members(config, head, members, err);
	PQclear(members);
	PQclear(head);
	return ok;
}
