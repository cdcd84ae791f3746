/*
 * server.c
 *		sessions: connecting, pinned settings, and what a failure means.
 *
 * libpq does not tell the SQLSTATE of a refused connection, only its text.  The
 * connection is therefore made step by step, with verbose messages from the first
 * byte on: those carry the SQLSTATE, in every language.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/server.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#define CONNECT_TIMEOUT_MS 15000

/* Pinned in the startup packet: it outranks what ALTER ROLE and ALTER DATABASE set. */
static const struct
{
	const char *name;
	const char *value;
} pinned[] = {
	{ "DateStyle", "ISO" },
	{ "IntervalStyle", "postgres" },
	{ "TimeZone", "UTC" },
	{ "extra_float_digits", "3" },
	{ "bytea_output", "hex" },
	{ "row_security", "off" },
	{ "search_path", "pg_catalog" },
	{ "quote_all_identifiers", "off" },
	{ "standard_conforming_strings", "on" },
	{ "jit", "off" },
	{ "statement_timeout", "0" },
	{ "lock_timeout", "0" },
	{ "idle_in_transaction_session_timeout", "0" },
};

/* Timeouts that not every supported server knows. */
static const char late_settings[] =
	"SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings "
	"WHERE name IN ('idle_session_timeout', 'transaction_timeout') AND setting <> '0'";

/* What a failure means, by the longest prefix of its SQLSTATE ("PostgreSQL Error
 * Codes" in PostgreSQL's documentation); whatever is not here is fatal. */
static const struct
{
	const char *prefix;
	ErrKind kind;
} sqlstate_table[] = {
	{ "08", ERR_RETRY },     /* connection exception */
	{ "0A", ERR_CONFIG },    /* feature not supported */
	{ "22", ERR_CONFIG },    /* data exception: an expression fails on a value */
	{ "28", ERR_CONFIG },    /* authorization */
	{ "3D", ERR_CONFIG },    /* no such database */
	{ "40", ERR_RETRY },     /* transaction rollback */
	{ "42", ERR_CONFIG },    /* access rule, undefined object */
	{ "53", ERR_RETRY },     /* resources, connections */
	{ "53400", ERR_CONFIG }, /* all slots or walsenders are taken */
	{ "55", ERR_CONFIG },    /* not in the prerequisite state: wal_level */
	{ "55006", ERR_RETRY },  /* object in use: another streams from the slot */
	{ "55P03", ERR_RETRY },  /* lock not available */
	{ "57", ERR_RETRY },     /* shutdown, starting up, cancelled */
	{ "58", ERR_RETRY },     /* input, output */
	{ "58P01", ERR_CONFIG }, /* undefined file: the plugin's library */
};

static ErrKind
kind_of(const char *sqlstate)
{
	size_t longest = 0;
	ErrKind kind = ERR_FATAL;

	for (size_t i = 0; i < sizeof sqlstate_table / sizeof *sqlstate_table; i++)
	{
		size_t len = strlen(sqlstate_table[i].prefix);

		if (len > longest && strncmp(sqlstate, sqlstate_table[i].prefix, len) == 0)
		{
			longest = len;
			kind = sqlstate_table[i].kind;
		}
	}
	return kind;
}

/*
 * Find "SEVERITY:  SQLSTATE: " in a verbose message, cut it out together with the
 * LOCATION line, and return the SQLSTATE in state; false when there is none, as in
 * failures that never reached a server.
 */
static bool
take_sqlstate(char *message, char state[6])
{
	for (char *at = message; (at = strstr(at, ":  ")) != NULL; at += 3)
	{
		size_t len = 0;
		char *end;

		while (isdigit((unsigned char) at[3 + len]) ||
		       isupper((unsigned char) at[3 + len]))
			len++;
		if (len != 5 || at[8] != ':' || at[9] != ' ')
			continue;
		memcpy(state, at + 3, 5);
		state[5] = '\0';
		memmove(at + 2, at + 10, strlen(at + 10) + 1);
		end = strchr(at, '\n');
		if (end != NULL)
			*end = '\0';
		return true;
	}
	return false;
}

/* Drop libpq's advice, whole lines that start with a tab: the hint is ours to give. */
static void
drop_advice(char *message)
{
	char *at;

	while ((at = strstr(message, "\n\t")) != NULL)
	{
		char *end = strchr(at + 1, '\n');

		if (end == NULL)
			*at = '\0';
		else
			memmove(at, end, strlen(end) + 1);
	}
}

static void
hint_connect(const Config *config, const char *state, Err *err)
{
	if (strncmp(state, "28", 2) == 0)
		fail_hint(err,
		          "Check database.user, database.password and the server's pg_hba.conf, "
		          "which must let \"%s\" into \"%s\".",
		          config->database_user,
		          config->database_dbname);
	else if (strcmp(state, "3D000") == 0)
		fail_hint(err, "Check database.dbname.");
	else if (strcmp(state, "53300") == 0)
		fail_hint(
			err,
			"End connections that nobody needs, or raise max_wal_senders, of which "
			"the worker takes two, or max_connections, or what the role or database "
			"may have.");
	else if (strcmp(state, "42501") == 0)
		fail_hint(
			err,
			"As a superuser: ALTER ROLE \"%s\" REPLICATION; or, where a provider has a "
			"role for that, grant it.",
			config->database_user);
}

/* What libpq itself refuses: it has no SQLSTATE. */
static bool
hint_refused(const char *message, Err *err)
{
	static const struct
	{
		const char *part;
		const char *hint;
	} refusals[] = {
		{ "certificate verify failed",
		  "Set database.sslrootcert to the certificates of the authority that signed the "
		  "server's, or have the server's certificate renewed." },
		{ "root certificate file",
		  "Set database.sslrootcert to a file that can be read." },
		{ "server certificate for",
		  "Set database.hostname to a name in the server's certificate, or "
		  "database.sslmode to verify-ca." },
		{ "server does not support SSL",
		  "Turn ssl on in the server, or let database.sslmode do without." },
	};

	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		if (strstr(message, refusals[i].part) != NULL)
		{
			err->kind = ERR_CONFIG;
			(void) fail_hint(err, "%s", refusals[i].hint);
			return true;
		}
	return false;
}

static bool
fail_connect(PGconn *conn, const Config *config, Err *err)
{
	char state[6];
	char *message = xstrdup(conn == NULL ? "out of memory" : PQerrorMessage(conn));
	bool known = take_sqlstate(message, state);
	ErrKind kind = known ? kind_of(state) : ERR_RETRY;

	if (conn != NULL && PQconnectionNeedsPassword(conn))
		kind = ERR_CONFIG;
	drop_advice(message);
	fail(err, kind, "could not connect to PostgreSQL: %s", message);
	if (known)
		hint_connect(config, state, err);
	else if (!hint_refused(message, err) && kind == ERR_CONFIG)
		fail_hint(err, "Set database.password.");
	free(message);
	return false;
}

/* What kind of session: they differ in what is set before the first statement. */
typedef enum SessionKind
{
	SESSION_SQL,
	SESSION_REPLICATION,
	SESSION_PLAIN, /* the user's settings */
} SessionKind;

static void
print_options(Buf *options, SessionKind kind)
{
	for (size_t i = 0; kind != SESSION_PLAIN && i < sizeof pinned / sizeof *pinned; i++)
		buf_printf(options, " -c %s=%s", pinned[i].name, pinned[i].value);
}

static PGconn *
start_connecting(const Config *config, SessionKind kind)
{
	Buf options = buf_heap();
	PGconn *conn;
	char port[24];
	const struct
	{
		const char *keyword;
		const char *value;
	} settings[] = {
		{ "host", config->database_hostname },
		{ "port", port },
		{ "user", config->database_user },
		{ "password", config->database_password },
		{ "dbname", config->database_dbname },
		{ "sslmode", config->database_sslmode },
		{ "sslrootcert", config->database_sslrootcert },
		{ "sslcert", config->database_sslcert },
		{ "sslkey", config->database_sslkey },
		{ "sslpassword", config->database_sslpassword },
		{ "replication", kind == SESSION_REPLICATION ? "database" : NULL },
		{ "client_encoding", "UTF8" },
		{ "options", (print_options(&options, kind), buf_cstr(&options)) },
		{ "fallback_application_name", "cdc-sink" },
		{ "keepalives", config->database_tcp_keepalive ? "1" : "0" },
		{ "keepalives_idle", "30" },
		{ "keepalives_interval", "10" },
		{ "keepalives_count", "3" },
		{ "tcp_user_timeout", "60000" },
	};
	const char *keywords[sizeof settings / sizeof *settings + 1];
	const char *values[sizeof settings / sizeof *settings + 1];
	size_t count = 0;

	(void) snprintf(port, sizeof port, "%lld", (long long) config->database_port);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
	{
		if (settings[i].value == NULL || *settings[i].value == '\0')
			continue;
		keywords[count] = settings[i].keyword;
		values[count++] = settings[i].value;
	}
	keywords[count] = NULL;
	values[count] = NULL;
	conn = PQconnectStartParams(keywords, values, 0);
	buf_free(&options);
	return conn;
}

static void
ignore_notice(void *context, const PGresult *result)
{
	(void) context;
	(void) result;
}

static bool
finish_connecting(PGconn *conn, const Config *config, Err *err)
{
	int64_t deadline = clock_mono_us() + CONNECT_TIMEOUT_MS * INT64_C(1000);
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;

	while (state != PGRES_POLLING_OK)
	{
		struct pollfd wait = { PQsocket(conn),
			                   state == PGRES_POLLING_READING ? POLLIN : POLLOUT,
			                   0 };
		int64_t left_ms = (deadline - clock_mono_us()) / 1000;

		if (left_ms <= 0)
			return fail(err,
			            ERR_RETRY,
			            "could not connect to PostgreSQL at \"%s\" port %lld: no answer "
			            "within %d s",
			            config->database_hostname,
			            (long long) config->database_port,
			            CONNECT_TIMEOUT_MS / 1000);
		if (poll(&wait, 1, (int) left_ms) < 0 && errno != EINTR)
			return fail(err, ERR_FATAL, "could not poll: %s", strerror(errno));
		if (wait.revents == 0)
			continue;
		state = PQconnectPoll(conn);
		if (state == PGRES_POLLING_FAILED)
			return fail_connect(conn, config, err);
	}
	return true;
}

static bool
run(PGconn *conn, const char *sql, Err *err)
{
	PGresult *result = server_query(conn, sql, err);

	PQclear(result);
	return result != NULL;
}

/*
 * database.initial.statements: separated by semicolons, two of which stand for one
 * inside a statement (io.debezium.jdbc.JdbcConnection.execute).
 */
static bool
run_initial(PGconn *conn, const Config *config, Err *err)
{
	Buf statement = buf_heap();
	bool ok = true;

	for (const char *at = config->database_initial_statements; ok && *at != '\0'; at++)
	{
		bool doubled = at[0] == ';' && at[1] == ';';

		if (*at != ';' || doubled)
			buf_char(&statement, *at);
		at += doubled;
		if ((*at == ';' && !doubled) || at[1] == '\0')
		{
			const char *text = buf_cstr(&statement);

			ok = text[strspn(text, " \t\n")] == '\0' || run(conn, text, err) ||
			     fail_while(err, "could not run database.initial.statements");
			buf_reset(&statement);
		}
	}
	buf_free(&statement);
	return ok;
}

/*
 * Whatever the user's statements have set, ours is what the reading rests on.  A
 * database without an encoding would refuse to send bytes that are no UTF-8: it sends
 * them as they are, and they are made UTF-8 here, as the plugin does.
 */
static bool
pin_again(PGconn *conn, Err *err)
{
	Buf sql = buf_heap();
	bool ok;

	for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++)
		buf_printf(&sql, "SET %s TO '%s';", pinned[i].name, pinned[i].value);
	buf_printf(
		&sql, "SET client_encoding TO '%s'", server_is_raw(conn) ? "SQL_ASCII" : "UTF8");
	ok = run(conn, buf_cstr(&sql), err);
	buf_free(&sql);
	return ok;
}

bool
server_is_raw(const PGconn *conn)
{
	const char *encoding = PQparameterStatus(conn, "server_encoding");

	return encoding != NULL && strcmp(encoding, "SQL_ASCII") == 0;
}

bool
server_limit_queries(PGconn *conn, const Config *config, Err *err)
{
	char sql[64];

	(void) snprintf(sql,
	                sizeof sql,
	                "SET statement_timeout TO %lld",
	                (long long) config->database_query_timeout_ms);
	return run(conn, sql, err);
}

/* What a session needs beyond its startup packet. */
static bool
prepare_session(PGconn *conn, const Config *config, SessionKind kind, Err *err)
{
	bool has_statements =
		kind != SESSION_REPLICATION && *config->database_initial_statements != '\0';
	bool pinned_again;

	if (has_statements && !run_initial(conn, config, err))
		return false;
	if (kind == SESSION_PLAIN)
		return server_limit_queries(conn, config, err);
	pinned_again = has_statements || (kind == SESSION_SQL && server_is_raw(conn));
	return (!pinned_again || pin_again(conn, err)) && run(conn, late_settings, err);
}

static PGconn *
open_session(const Config *config, SessionKind kind, Err *err)
{
	PGconn *conn = start_connecting(config, kind);
	bool ok = false;

	if (conn != NULL)
	{
		(void) PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
		(void) PQsetNoticeReceiver(conn, ignore_notice, NULL);
	}
	if (conn == NULL || PQstatus(conn) == CONNECTION_BAD)
		(void) fail_connect(conn, config, err);
	else if (finish_connecting(conn, config, err))
	{
		(void) PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
		ok = prepare_session(conn, config, kind, err);
	}
	if (ok)
		return conn;
	PQfinish(conn);
	return NULL;
}

PGconn *
server_connect(const Config *config, bool replication, Err *err)
{
	return open_session(config, replication ? SESSION_REPLICATION : SESSION_SQL, err);
}

PGconn *
server_connect_plain(const Config *config, Err *err)
{
	return open_session(config, SESSION_PLAIN, err);
}

PGresult *
server_query(PGconn *conn, const char *sql, Err *err)
{
	PGresult *result = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return result;
	(void) server_fail(conn, result, err);
	PQclear(result);
	return NULL;
}

static bool
fail_lost(const PGconn *conn, Err *err)
{
	char *text = xstrdup(PQerrorMessage(conn));

	drop_advice(text);
	fail(err,
	     ERR_RETRY,
	     "connection to PostgreSQL lost: %s",
	     *text == '\0' ? "no message" : text);
	free(text);
	return false;
}

bool
server_fail(PGconn *conn, const PGresult *result, Err *err)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

	if (sqlstate == NULL)
		return fail_lost(conn, err);
	fail(err,
	     PQstatus(conn) == CONNECTION_BAD ? ERR_RETRY : kind_of(sqlstate),
	     "%s%s%s (SQLSTATE %s)",
	     PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
	     detail == NULL ? "" : ": ",
	     detail == NULL ? "" : detail,
	     sqlstate);
	if (hint != NULL)
		fail_hint(err, "%s", hint);
	return false;
}

void
server_quote(Buf *sql, char quote, const char *text)
{
	buf_char(sql, quote);
	for (const char *at = text; *at != '\0'; at++)
	{
		if (*at == quote)
			buf_char(sql, quote);
		buf_char(sql, *at);
	}
	buf_char(sql, quote);
}

const char *
server_text(const PGresult *result, int row, int column)
{
	return PQgetvalue(result, row, column);
}

uint32_t
server_oid(const PGresult *result, int row, int column)
{
	return (uint32_t) strtoul(PQgetvalue(result, row, column), NULL, 10);
}
