/*
 * server.h
 *		connections to PostgreSQL, and what it says of itself, its slots and its tables.
 *
 * Every session is pinned by one list of settings (stream.md 2): client_encoding=UTF8
 * (but see server_is_raw), DateStyle=ISO, IntervalStyle=postgres, TimeZone=UTC,
 *extra_float_digits=3, bytea_output=hex, row_security=off; besides,
 *search_path=pg_catalog, so that names in defaults and types are printed alike
 *everywhere, and no timeout may end a long read. database.initial.statements run before
 *that in SQL sessions, and cannot undo it; database.query.timeout.ms holds where a
 *session says so (server_limit_queries).
 *
 * Errors: ERR_RETRY for what a wait may heal (server starting, connection lost,
 * slot in use), ERR_CONFIG for what somebody must change (authentication, absent
 * database, wal_level, plugin not allowed).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_SERVER_H
#define SOURCE_SERVER_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/lsn.h"
#include "config/config.h"
#include "envelope/relation.h"

/* An SQL session, or with replication a walsender's. NULL with err set.  PQfinish
 * releases it. */
PGconn *server_connect(const Config *config, bool replication, Err *err) MUST_CHECK;

/* A session for statements of the user's: with the settings that the role and the
 * database have.  Else as server_connect(). */
PGconn *server_connect_plain(const Config *config, Err *err) MUST_CHECK;

/* Run sql and want rows or a completed command; NULL with err set otherwise (kind by
 * SQLSTATE).  PQclear releases it. */
PGresult *server_query(PGconn *conn, const char *sql, Err *err) MUST_CHECK;

/*
 * Describe the failure of result (NULL: of the connection) in err: the server's primary
 * message, detail and SQLSTATE, its hint, and the kind that server.c's table has for
 * the SQLSTATE.  Returns false.
 */
bool server_fail(PGconn *conn, const PGresult *result, Err *err);

/* Append text as an SQL literal (quote is ') or identifier (quote is ").  Good for
 * replication commands too; a session's standard_conforming_strings is pinned on. */
void server_quote(Buf *sql, char quote, const char *text);

/* Column of a row: its text, or "" for null. */
const char *server_text(const PGresult *result, int row, int column);
uint32_t server_oid(const PGresult *result, int row, int column);

/* Whether the database has no encoding (SQL_ASCII): what an SQL session reads there may
 * be no UTF-8, where others would give an error. */
bool server_is_raw(const PGconn *conn);

/* Let database.query.timeout.ms end the queries of a session from here on. */
bool server_limit_queries(PGconn *conn, const Config *config, Err *err) MUST_CHECK;

typedef struct ServerIdentity
{
	uint64_t system_id;
	uint32_t timeline;
	Lsn flush_lsn;
	char database[64];
	int version;               /* 150020 */
	int64_t sender_timeout_ms; /* wal_sender_timeout for this role; 0: none */
} ServerIdentity;

/* IDENTIFY_SYSTEM on a replication connection, and how long it waits for answers. */
bool server_identify(PGconn *replication, ServerIdentity *identity, Err *err) MUST_CHECK;

/* The longest silence towards the server: it hangs up after wal_sender_timeout, and its
 * keepalive that asks for an answer may lie behind what is not read yet. */
int64_t server_silence_ms(const ServerIdentity *identity, const Config *config);

typedef struct SlotState
{
	bool exists;
	bool active;
	int active_pid; /* 0: not active */
	char plugin[64];
	char database[64];
	char wal_status[16]; /* reserved, extended, unreserved, lost; "" when not reported */
	Lsn confirmed_flush;
	Lsn restart_lsn;
} SlotState;

bool server_slot(PGconn *conn, const char *slot, SlotState *state, Err *err) MUST_CHECK;
bool server_drop_slot(PGconn *conn, const char *slot, Err *err) MUST_CHECK;

#define SERVER_PLUGIN "cdc_decoder"

typedef struct NewSlot
{
	const char *name;
	bool temporary;
	Lsn consistent;    /* receives the consistent point */
	char snapshot[64]; /* receives the exported snapshot's name */
} NewSlot;

/*
 * Create the logical slot with plugin cdc_decoder on a replication connection and export
 * its snapshot, which lives until the connection's next command.  Waits for the
 * transactions that are running to end; names the oldest one in the log every ten
 * seconds, asked through sql.  ERR_RETRY when a signal interrupts the wait.  Hints as by
 * server_slot_hint.
 */
bool server_create_slot(PGconn *replication, PGconn *sql, const Config *config,
                        NewSlot *slot, Err *err) MUST_CHECK;

/*
 * Give err, a failure to create or stream from a slot, the hint that the server's
 * settings call for: output_plugin_libraries (unquoted form, appended to the current
 * value, and pg_reload_conf), wal_level, max_replication_slots, missing library, missing
 * privilege.  sqlstate NULL: changes nothing.  Returns false.
 */
bool server_slot_hint(PGconn *sql, const Config *config, const char *sqlstate, Err *err);

/* Whether output_plugin_libraries, where the server has it, allows the plugin; value
 * receives the list as it should read with the plugin in it, unquoted. */
bool server_plugin_allowed(PGconn *sql, bool *allowed, char value[512],
                           Err *err) MUST_CHECK;

typedef struct TableList
{
	uint32_t *relids; /* in order of schema, then name */
	size_t count;
} TableList;

enum
{
	TABLES_PARENTS = 1,  /* partitioned tables as well as their leaves */
	TABLES_UNLOGGED = 2, /* unlogged ones, which have rows and no changes */
};

/* Tables the filters want: ordinary tables and leaves of partitioned ones, not of system
 * schemas, not temporary, and those that the bits of more ask for. */
bool server_tables(PGconn *conn, const Config *config, unsigned more, Arena *arena,
                   TableList *tables, Err *err) MUST_CHECK;

/* Whether the filters want relation, and the publication streams it. */
bool server_wants(const Config *config, const Relation *relation);

/* The partitioned tables that have no partition and are none, whatever the filters want.
 */
bool server_empty_roots(PGconn *conn, Arena *arena, TableList *tables,
                        Err *err) MUST_CHECK;

/* The OID of the table called name, "schema.table", if it has no rows of its own: it is a
 * partition, or partitioned and has none; 0: there is no such table. */
bool server_rowless(PGconn *conn, const char *name, uint32_t *relid, Err *err) MUST_CHECK;

/*
 * Describe one table, byte for byte as the plugin's R message would: the version
 * hashes are equal.  Columns that filters exclude, dropped and stored generated ones are
 * left out.  ERR_CONFIG when its name or a column's is no UTF-8 (server_is_raw), or
 * anything else is not that must be (invalid.text.handling.mode).
 */
const Relation *server_relation(PGconn *conn, const Config *config, uint32_t relid,
                                Arena *arena, Err *err) MUST_CHECK;

/*
 * The same for a snapshot, as Debezium's describes it: by what its driver says
 * (by_driver), and with generated columns when one of the outputs is Kafka, which alone
 * prints them; their table has another version then.  by_query: rows come by a SELECT of
 * the user's, which need not return these.
 */
const Relation *server_relation_read(PGconn *conn, const Config *config, uint32_t relid,
                                     bool by_query, Arena *arena, Err *err) MUST_CHECK;

#endif
