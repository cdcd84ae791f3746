/*
 * stream.c
 *		the client's side of the streaming replication protocol.
 *
 * Messages inside the COPY ("Streaming Replication Protocol" in PostgreSQL's
 * documentation), integers big-endian:
 *
 *		w  start LSN u64, WAL end u64, send time i64, bytes of the plugin
 *		k  WAL end u64, send time i64, reply requested u8
 *		r  written LSN u64, flushed LSN u64, applied LSN u64, time i64, reply u8 (ours)
 *
 * The socket is non-blocking throughout: what libpq cannot send at once it keeps,
 * and sends while we read.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#define DATA_HEADER    25
#define KEEPALIVE_SIZE 18
#define KEEP_BYTES     ((size_t) 256 * 1024) /* a frame of this size is not copied */
#define CLOSE_WAIT_US  INT64_C(2000000)

struct Stream
{
	PGconn *conn;
	const Config *config;
	char *slot;
};

Stream *
stream_open(const Config *config, const char *slot, Lsn from, Err *err)
{
	PGconn *replication = server_connect(config, true, err);

	if (replication == NULL)
		return NULL;
	return stream_open_on(replication, config, slot, from, err);
}

/* How options are written: START_REPLICATION's list, or arguments of an SQL function. */
typedef struct OptionStyle
{
	char name_quote;
	const char *between;
} OptionStyle;

static const OptionStyle replication_style = { '"', " " };
static const OptionStyle sql_style = { '\'', ", " };

static void
add_option(Buf *command, const char *name, const char *value, const OptionStyle *style)
{
	buf_text(command, ", ");
	server_quote(command, style->name_quote, name);
	buf_text(command, style->between);
	server_quote(command, '\'', value);
}

/* One option has all of a family. */
static void
add_families(Buf *command, const EnvOptions *options, const OptionStyle *style)
{
	Buf text = buf_heap();

	mask_write(&options->masks, &text);
	if (text.len > 0)
		add_option(command, OPTION_ALL_MASKS, buf_cstr(&text), style);
	buf_reset(&text);
	row_filter_write(&options->row_filters, &text);
	if (text.len > 0)
		add_option(command, OPTION_ALL_ROW_FILTERS, buf_cstr(&text), style);
	if (options->published->given)
		add_option(command, OPTION_PUBLISHED, options->published->text, style);
	buf_free(&text);
}

/* Append ", name 'value'" for every option that decides what leaves the server. */
static bool
add_options(Buf *command, const EnvOptions *options, const OptionStyle *style, Err *err)
{
	size_t count;
	const EnvOptionDef *table = env_option_table(&count);

	for (size_t i = 0; i < count; i++)
	{
		const void *member = (const char *) options + table[i].offset;
		const char *value;
		char word[OPTION_WORD_SIZE];

		if (table[i].scope == OPTION_RENDER)
			continue;
		switch (table[i].kind)
		{
			case OPTION_LIST:
				value = ((const FilterList *) member)->text;
				break;
			case OPTION_BOOL:
				value = *(const bool *) member ? "true" : "false";
				break;
			case OPTION_KEYS:
				value = ((const KeyRules *) member)->text;
				break;
			case OPTION_MASKS:
			case OPTION_ROW_FILTERS:
				continue;
			case OPTION_WORD:
				env_option_word(&table[i], *(const int *) member, word);
				value = word;
				break;
			case OPTION_NAME:
			case OPTION_TEXT:
			case OPTION_HEX:
				value = *(const char *const *) member;
				break;
			default:
				return fail(err,
				            ERR_FATAL,
				            "option \"%s\" cannot be handed to the plugin",
				            table[i].name);
		}
		add_option(command, table[i].option, value == NULL ? "" : value, style);
	}
	add_families(command, options, style);
	return true;
}

static bool
start_copy(Stream *stream, Lsn from, Err *err)
{
	Buf command = buf_heap();
	PGresult *result = NULL;
	bool ok = false;

	buf_text(&command, "START_REPLICATION SLOT ");
	server_quote(&command, '"', stream->slot);
	buf_printf(&command, " LOGICAL %X/%X (\"format\" 'frame'", LSN_ARGS(from));
	if (add_options(&command, &stream->config->env, &replication_style, err))
	{
		buf_char(&command, ')');
		result = PQexec(stream->conn, buf_cstr(&command));
		ok = PQresultStatus(result) == PGRES_COPY_BOTH;
		if (!ok)
		{
			(void) server_fail(stream->conn, result, err);
			(void) server_slot_hint(stream->conn,
			                        stream->config,
			                        PQresultErrorField(result, PG_DIAG_SQLSTATE),
			                        err);
		}
	}
	buf_free(&command);
	PQclear(result);
	if (ok && PQsetnonblocking(stream->conn, 1) != 0)
		ok = server_fail(stream->conn, NULL, err);
	return ok || fail_while(err,
	                        "could not start replication from slot \"%s\" at %X/%X",
	                        stream->slot,
	                        LSN_ARGS(from));
}

Stream *
stream_open_on(PGconn *replication, const Config *config, const char *slot, Lsn from,
               Err *err)
{
	Stream *stream = xmalloc(sizeof *stream);

	*stream = (Stream){ .conn = replication, .config = config, .slot = xstrdup(slot) };
	if (start_copy(stream, from, err))
		return stream;
	PQfinish(stream->conn);
	free(stream->slot);
	free(stream);
	return NULL;
}

/* Add where the server was: table and filter, callback and LSN. */
static void
add_context(const PGresult *result, Err *err)
{
	const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
	Err full;

	if (context == NULL)
		return;
	(void) fail(&full, err->kind, "%s, in %s", err->text, context);
	(void) snprintf(err->text, sizeof err->text, "%s", full.text);
}

/* The stream is over: why. */
static bool
fail_ended(Stream *stream, Err *err)
{
	PGresult *result;
	bool failed = false;

	if (PQsetnonblocking(stream->conn, 0) != 0)
		return server_fail(stream->conn, NULL, err);
	while (!failed && (result = PQgetResult(stream->conn)) != NULL)
	{
		ExecStatusType status = PQresultStatus(result);

		failed = status == PGRES_FATAL_ERROR;
		if (failed)
		{
			(void) server_fail(stream->conn, result, err);
			add_context(result, err);
		}
		PQclear(result);
		if (status == PGRES_COPY_IN || status == PGRES_COPY_BOTH)
			break;
	}
	if (!failed)
		(void) fail(err, ERR_RETRY, "the server ended it");
	return fail_while(err, "replication from slot \"%s\" ended", stream->slot);
}

/* Make an item of the len bytes at item->memory. */
static bool
read_message(StreamItem *item, size_t len, Err *err)
{
	const char *bytes = item->memory;

	if (len >= DATA_HEADER && bytes[0] == 'w')
	{
		item->kind = STREAM_FRAME;
		item->wal_end = read_u64(bytes + 9);
		item->frame = (Slice){ bytes + DATA_HEADER, len - DATA_HEADER };
		return true;
	}
	if (len == KEEPALIVE_SIZE && bytes[0] == 'k')
	{
		item->kind = STREAM_KEEPALIVE;
		item->wal_end = read_u64(bytes + 1);
		item->reply_requested = bytes[17] != 0;
		return true;
	}
	fail(err,
	     ERR_FATAL,
	     "malformed replication message 0x%02X of %zu bytes",
	     len > 0 ? (unsigned char) bytes[0] : 0U,
	     len);
	stream_release(item);
	return false;
}

bool
stream_next(Stream *stream, StreamItem *item, Err *err)
{
	char *memory = NULL;
	int len;

	*item = (StreamItem){ .kind = STREAM_NOTHING };
	len = PQgetCopyData(stream->conn, &memory, 1);
	if (len == 0)
	{
		if (PQflush(stream->conn) < 0 || PQconsumeInput(stream->conn) == 0)
			return server_fail(stream->conn, NULL, err);
		len = PQgetCopyData(stream->conn, &memory, 1);
	}
	if (len == 0)
		return true;
	if (len < 0)
		return fail_ended(stream, err);
	item->memory = memory;
	return read_message(item, (size_t) len, err);
}

void
stream_release(StreamItem *item)
{
	PQfreemem(item->memory);
	*item = (StreamItem){ .kind = STREAM_NOTHING };
}

Slice
stream_keep(StreamItem *item, Batch *batch)
{
	Slice frame = item->frame;

	if (frame.len < KEEP_BYTES)
		return (Slice){ batch_copy(batch, frame.data, frame.len), frame.len };
	batch_adopt(batch, item->memory, frame.len + DATA_HEADER, PQfreemem);
	item->memory = NULL;
	return frame;
}

int
stream_pid(const Stream *stream)
{
	return PQbackendPID(stream->conn);
}

int
stream_socket(const Stream *stream)
{
	return PQsocket(stream->conn);
}

bool
stream_feedback(Stream *stream, Lsn received, Lsn flushed, bool reply, Err *err)
{
	char message[34] = { 'r' };
	const uint64_t fields[] = {
		received,
		flushed,
		flushed,
		(uint64_t) (clock_wall_ns() / 1000 - POSTGRES_EPOCH_US),
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
	{
		uint64_t swapped = __builtin_bswap64(fields[i]);

		memcpy(message + 1 + i * sizeof swapped, &swapped, sizeof swapped);
	}
	message[33] = reply ? 1 : 0;
	if (PQputCopyData(stream->conn, message, sizeof message) < 0 ||
	    PQflush(stream->conn) < 0)
		return server_fail(stream->conn, NULL, err);
	return true;
}

/*
 * Say that we end and wait shortly until the server has said so too: by then it has
 * read the last feedback.
 */
static void
end_copy(PGconn *conn)
{
	int64_t deadline = clock_mono_us() + CLOSE_WAIT_US;
	bool open = PQputCopyEnd(conn, NULL) >= 0;

	while (open && clock_mono_us() < deadline)
	{
		int unsent = PQflush(conn);
		struct pollfd wait = { PQsocket(conn),
			                   unsent > 0 ? POLLIN | POLLOUT : POLLIN,
			                   0 };
		char *memory = NULL;
		int len = 1;

		if (unsent < 0 || (poll(&wait, 1, 100) < 0 && errno != EINTR) ||
		    PQconsumeInput(conn) == 0)
			return;
		while (len > 0 && clock_mono_us() < deadline)
		{
			len = PQgetCopyData(conn, &memory, 1);
			PQfreemem(memory);
			memory = NULL;
		}
		open = len >= 0;
	}
}

void
stream_close(Stream *stream)
{
	if (stream == NULL)
		return;
	if (PQstatus(stream->conn) == CONNECTION_OK)
		end_copy(stream->conn);
	PQfinish(stream->conn);
	free(stream->slot);
	free(stream);
}

static PGresult *
peek(PGconn *sql, const Config *config, const char *slot, Lsn upto, Err *err)
{
	Buf command = buf_heap();
	PGresult *result = NULL;

	buf_text(&command, "SELECT data FROM pg_logical_slot_peek_binary_changes(");
	server_quote(&command, '\'', slot);
	buf_printf(&command, ", '%X/%X', NULL, 'format', 'frame'", LSN_ARGS(upto));
	if (add_options(&command, &config->env, &sql_style, err))
	{
		buf_char(&command, ')');
		result = PQexecParams(sql, buf_cstr(&command), 0, NULL, NULL, NULL, NULL, 1);
		if (PQresultStatus(result) != PGRES_TUPLES_OK)
		{
			(void) server_fail(sql, result, err);
			PQclear(result);
			result = NULL;
		}
	}
	buf_free(&command);
	return result;
}

PGresult *
stream_peek(PGconn *sql, const Config *config, const char *slot, Lsn upto, Err *err)
{
	PGresult *result = peek(sql, config, slot, upto, err);

	if (result == NULL)
		(void) fail_while(err, "could not peek at slot \"%s\"", slot);
	return result;
}

bool
stream_check(PGconn *sql, const Config *config, const char *slot, Err *err)
{
	/* up to what has long passed: the plugin is started, and stopped after a record */
	PGresult *result = peek(sql, config, slot, 1, err);

	PQclear(result);
	return result != NULL;
}
