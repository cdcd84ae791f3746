/*
 * inspect.c
 *		three looks, then one page of text or JSON.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "inspect.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/clock.h"
#include "kafka/kafka.h"
#include "lake/lake.h"
#include "source/ask.h"
#include "source/lag.h"
#include "source/owner.h"
#include "source/whereabouts.h"
#include "status/board.h"
#include "status/client.h"

#define STALE_SHOWN 20   /* tables, one by one */
#define LINE_BYTES  4096 /* a name's 63 bytes are 500 where each must be quoted */

typedef struct Inspect
{
	const Config *config;
	PGconn *conn; /* NULL: the server cannot be reached */
	Buf lines;    /* for people */
	Buf json;     /* the members of the object */
	Buf problems; /* of "problems", as JSON strings */
	SlotLag lag;
	bool has_slot; /* lag is filled */
	bool healthy;
} Inspect;

static void line(Inspect *inspect, const char *verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void problem(Inspect *inspect, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
line(Inspect *inspect, const char *verdict, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list args;

	va_start(args, format);
	(void) vsnprintf(text, sizeof text, format, args);
	va_end(args);
	buf_printf(&inspect->lines, "%-4s  %s\n", verdict, text);
}

static void
problem(Inspect *inspect, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list args;

	va_start(args, format);
	(void) vsnprintf(text, sizeof text, format, args);
	va_end(args);
	line(inspect, "fix", "%s", text);
	if (inspect->problems.len > 0)
		buf_char(&inspect->problems, ',');
	board_json_text(&inspect->problems, text);
	inspect->healthy = false;
}

static void
problem_error(Inspect *inspect, const char *what, const Err *err)
{
	problem(inspect,
	        "%s: %s%s%s",
	        what,
	        err->text,
	        *err->hint == '\0' ? "" : ". ",
	        err->hint);
}

static void
json_lsn(Buf *json, const char *name, Lsn lsn)
{
	buf_printf(json, "\"%s\":\"%X/%X\"", name, LSN_ARGS(lsn));
}

/* ---- The slot ---- */

static void
judge_slot(Inspect *inspect)
{
	const SlotState *slot = &inspect->lag.slot;
	const char *name = inspect->config->slot_name;
	Err err = { 0 };

	if (slot->exists &&
	    !slot_is_ours(inspect->config, slot, inspect->config->database_dbname, &err))
		problem_error(inspect, "slot", &err);
	else if (!slot->exists)
		problem(inspect,
		        "slot \"%s\" does not exist. \"cdc-sink run\" makes it with its first "
		        "start; later it is gone for good.",
		        name);
	else if (strcmp(slot->wal_status, "lost") == 0)
		problem(
			inspect,
			"slot \"%s\" has lost WAL that it needs (max_slot_wal_keep_size). Drop it "
			"and start afresh with another slot.name, topic.prefix and lake.namespace.",
			name);
	else if (strcmp(slot->wal_status, "unreserved") == 0)
		problem(inspect,
		        "slot \"%s\" loses WAL that it needs with the next checkpoint. Raise "
		        "max_slot_wal_keep_size at once and let the worker catch up.",
		        name);
	else if (!slot->active)
		problem(inspect, "slot \"%s\": nobody streams from it. Start the worker.", name);
}

static void
print_slot(Inspect *inspect)
{
	const SlotLag *lag = &inspect->lag;
	const SlotState *slot = &lag->slot;
	char seconds[48] = "unknown time";
	char safe[64] = "";

	if (lag->has_seconds)
		(void) snprintf(seconds, sizeof seconds, "%.3f s", lag->lag_seconds);
	if (lag->has_safe_size)
		(void) snprintf(safe,
		                sizeof safe,
		                ", %" PRId64 " bytes until it is lost",
		                lag->safe_wal_size);
	line(inspect,
	     slot->active ? "ok" : "note",
	     "slot \"%s\": %" PRIu64
	     " bytes and %s behind %X/%X, confirmed to %X/%X; WAL is %s, "
	     "%" PRIu64 " bytes kept from %X/%X on%s",
	     inspect->config->slot_name,
	     lag->lag_bytes,
	     seconds,
	     LSN_ARGS(lag->wal_end),
	     LSN_ARGS(slot->confirmed_flush),
	     slot->wal_status,
	     lag->kept_bytes,
	     LSN_ARGS(slot->restart_lsn),
	     safe);
}

static void
json_slot(Inspect *inspect)
{
	const SlotLag *lag = &inspect->lag;
	const SlotState *slot = &lag->slot;
	Buf *json = &inspect->json;

	buf_text(json, "\"slot\":{\"name\":");
	board_json_text(json, inspect->config->slot_name);
	buf_printf(json,
	           ",\"active\":%s,\"active_pid\":%d,\"lag_bytes\":%" PRIu64 ",",
	           slot->active ? "true" : "false",
	           lag->active_pid,
	           lag->lag_bytes);
	if (lag->has_seconds)
		buf_printf(json, "\"lag_seconds\":%.6f,", lag->lag_seconds);
	else
		buf_text(json, "\"lag_seconds\":null,");
	json_lsn(json, "wal_end_lsn", lag->wal_end);
	buf_char(json, ',');
	json_lsn(json, "confirmed_flush_lsn", slot->confirmed_flush);
	buf_char(json, ',');
	json_lsn(json, "restart_lsn", slot->restart_lsn);
	buf_text(json, ",\"wal_status\":");
	board_json_text(json, slot->wal_status);
	if (lag->has_safe_size)
		buf_printf(json, ",\"safe_wal_size\":%" PRId64 "},", lag->safe_wal_size);
	else
		buf_text(json, ",\"safe_wal_size\":null},");
}

static void
look_at_slot(Inspect *inspect)
{
	Err err = { 0 };

	inspect->conn = server_connect(inspect->config, false, &err);
	inspect->has_slot =
		inspect->conn != NULL &&
		server_slot_lag(inspect->conn, inspect->config->slot_name, &inspect->lag, &err);
	if (!inspect->has_slot)
		problem_error(inspect, "server", &err);
	else
		judge_slot(inspect);
	if (inspect->has_slot && inspect->lag.slot.exists)
	{
		print_slot(inspect);
		json_slot(inspect);
	}
	else
		buf_text(&inspect->json, "\"slot\":null,");
}

/* ---- The outputs ---- */

/* "stored up to 0/1, 20 bytes behind the server", and the members of an output. */
static void
show_position(Inspect *inspect, const char *name, const Position *position,
              const char *more)
{
	static const char *const phases[] = {
		[POSITION_NONE] = "none",
		[POSITION_INTENT] = "intent",
		[POSITION_SNAPSHOT] = "snapshot",
		[POSITION_STREAM] = "stream",
	};
	uint64_t behind = inspect->has_slot && inspect->lag.wal_end > position->end_lsn
	                      ? inspect->lag.wal_end - position->end_lsn
	                      : 0;

	buf_printf(
		&inspect->json, "\"%s\":{\"phase\":\"%s\",", name, phases[position->phase]);
	json_lsn(&inspect->json, "stored_lsn", position->end_lsn);
	if (position->phase == POSITION_STREAM && inspect->has_slot)
		buf_printf(&inspect->json, ",\"lag_bytes\":%" PRIu64, behind);
	if (position->phase != POSITION_NONE &&
	    strcmp(position->database, inspect->config->database_dbname) != 0)
		problem(inspect,
		        "%s: the position there belongs to database \"%s\", not \"%s\"",
		        name,
		        position->database,
		        inspect->config->database_dbname);
	else if (position->phase == POSITION_NONE && inspect->has_slot &&
	         inspect->lag.slot.exists)
		problem(inspect,
		        "%s: nothing is stored there, though slot \"%s\" exists: is it what the "
		        "worker writes to?",
		        name,
		        inspect->config->slot_name);
	else if (position->phase == POSITION_NONE)
		line(inspect, "note", "%s: nothing is stored yet%s", name, more);
	else if (position->phase != POSITION_STREAM)
		line(inspect, "note", "%s: the initial snapshot is not complete%s", name, more);
	else
		line(inspect,
		     "ok",
		     "%s: stored to %X/%X, %" PRIu64 " bytes behind%s",
		     name,
		     LSN_ARGS(position->end_lsn),
		     behind,
		     more);
}

static void
fail_output(Inspect *inspect, const char *name, const Err *err)
{
	problem_error(inspect, name, err);
	buf_printf(&inspect->json, "\"%s\":null", name);
}

static void
look_at_kafka(Inspect *inspect)
{
	Position position;
	Err err = { 0 };

	if (!kafka_standing(inspect->config, &position, &err))
	{
		fail_output(inspect, "kafka", &err);
		return;
	}
	show_position(inspect, "kafka", &position, "");
	buf_char(&inspect->json, '}');
}

/* Where the sources of the stale tables are today; unknown where the server does not say.
 */
static Whereabouts *
find_sources(Inspect *inspect, const LakeStanding *lake, Arena *arena)
{
	Whereabouts *sources = arena_zero(arena, sizeof *sources * (lake->stale_count + 1));
	Err err = { 0 };

	for (size_t i = 0; i < lake->stale_count; i++)
		sources[i].relid = lake->stale[i].relid;
	if (inspect->conn != NULL && lake->stale_count > 0 &&
	    !whereabouts_find(
			inspect->conn, inspect->config, arena, sources, lake->stale_count, &err))
		problem_error(inspect, "server", &err);
	return sources;
}

/* The table is read again when somebody asks for it, and not before. */
static bool
is_for_somebody(const LakeStale *stale, const Whereabouts *source)
{
	return !stale->is_waiting &&
	       (source->place == PLACE_UNKNOWN || source->place == PLACE_CAPTURED);
}

/* What to ask for: the name of today, or where nobody knows it the one seen last. */
static void
print_name(const LakeStale *stale, const Whereabouts *source, Arena *arena, Buf *name)
{
	const char *dot = strchr(stale->source, '.');

	if (source->place == PLACE_CAPTURED)
		ask_print(name, source->schema, source->name);
	else if (dot == NULL)
		buf_text(name, stale->source);
	else
		ask_print(name,
		          arena_strndup(arena, stale->source, (size_t) (dot - stale->source)),
		          dot + 1);
}

static void
show_stale_table(Inspect *inspect, const LakeStale *stale, const Whereabouts *source,
                 Arena *arena)
{
	const char *more = "";

	if (is_for_somebody(stale, source))
	{
		Buf name = buf_heap();

		print_name(stale, source, arena, &name);
		problem(inspect,
		        "%s is stale: %s. Read it again: cdc-sink snapshot --tables %s",
		        stale->table,
		        stale->reason,
		        buf_cstr(&name));
		buf_free(&name);
		return;
	}
	if (source->place == PLACE_GONE)
		more = ". Its source does not exist any more: it stays as it is";
	else if (source->place == PLACE_UNCAPTURED)
		more = arena_printf(arena,
		                    ". Its source \"%s.%s\" is not captured: it stays as it is",
		                    source->schema,
		                    source->name);
	else if (source->place == PLACE_PARTITION)
		more = arena_printf(arena,
		                    ". Its source is a partition of \"%s.%s\" now, with which it "
		                    "is read: this table stays as it is until then",
		                    source->schema,
		                    source->name);
	line(inspect, "note", "%s is stale: %s%s", stale->table, stale->reason, more);
}

/* The first of them one by one: what is wrong, and who ends it. */
static void
show_stale(Inspect *inspect, const LakeStanding *lake, Arena *arena)
{
	const Whereabouts *sources = find_sources(inspect, lake, arena);
	size_t left = 0; /* for somebody, and not shown */

	for (size_t i = 0; i < lake->stale_count; i++)
		if (i < STALE_SHOWN)
			show_stale_table(inspect, &lake->stale[i], &sources[i], arena);
		else
			left += is_for_somebody(&lake->stale[i], &sources[i]);
	if (left > 0)
		problem(inspect,
		        "%zu more tables are stale until somebody asks for them: see "
		        "cdc_checkpoints, or \"cdc-sink verify\".",
		        left);
	else if (lake->stale_count > STALE_SHOWN)
		line(inspect,
		     "note",
		     "%zu more tables are stale: see cdc_checkpoints, or \"cdc-sink verify\".",
		     lake->stale_count - STALE_SHOWN);
}

static void
show_cut(Inspect *inspect, const LakeStanding *lake, Arena *arena)
{
	double age = (double) (clock_wall_ns() - lake->cut_us * 1000) / 1e9;
	char more[160];

	(void) snprintf(more,
	                sizeof more,
	                "; last cut at %X/%X, %.1f s old, of %zu tables, %zu stale",
	                LSN_ARGS(lake->cut_lsn),
	                age,
	                lake->tables,
	                lake->stale_count);
	show_position(inspect, "lake", &lake->position, more);
	buf_text(&inspect->json, ",\"cut\":{");
	json_lsn(&inspect->json, "lsn", lake->cut_lsn);
	buf_printf(&inspect->json,
	           ",\"age_seconds\":%.6f,\"tables\":%zu,\"stale_tables\":%zu}}",
	           age,
	           lake->tables,
	           lake->stale_count);
	show_stale(inspect, lake, arena);
}

static void
look_at_lake(Inspect *inspect)
{
	Arena *arena = arena_new();
	LakeStanding lake;
	Err err = { 0 };

	if (!lake_standing(inspect->config, arena, &lake, &err))
		fail_output(inspect, "lake", &err);
	else if (lake.has_cut)
		show_cut(inspect, &lake, arena);
	else
	{
		show_position(inspect, "lake", &lake.position, "");
		buf_text(&inspect->json, ",\"cut\":null}");
	}
	arena_free(arena);
}

static void
look_at_outputs(Inspect *inspect)
{
	bool kafka = (inspect->config->outputs & OUTPUT_KAFKA) != 0;
	bool lake = (inspect->config->outputs & (OUTPUT_BRONZE | OUTPUT_SILVER)) != 0;

	buf_text(&inspect->json, "\"outputs\":{");
	if (kafka)
		look_at_kafka(inspect);
	if (kafka && lake)
		buf_char(&inspect->json, ',');
	if (lake)
		look_at_lake(inspect);
	buf_text(&inspect->json, "},");
}

/* ---- The worker ---- */

static void
look_at_worker(Inspect *inspect)
{
	StatusAnswer text = { .body = buf_heap() };
	StatusAnswer json = { .body = buf_heap() };
	Err err = { 0 };

	if (inspect->config->status_port == 0)
	{
		line(inspect,
		     "note",
		     "worker: not asked, status.port is 0; so it is not known what blocks it");
		buf_text(&inspect->json, "\"worker\":null,");
	}
	else if (!status_ask(inspect->config, "/", &text, &err) ||
	         !status_ask(inspect->config, "/status", &json, &err))
	{
		problem_error(inspect, "worker", &err);
		buf_text(&inspect->json, "\"worker\":null,");
	}
	else
	{
		buf_slice(&inspect->lines, (Slice){ text.body.data, text.body.len });
		buf_text(&inspect->json, "\"worker\":");
		buf_append(&inspect->json, json.body.data, json.body.len - 1); /* a newline */
		buf_char(&inspect->json, ',');
		inspect->healthy = inspect->healthy && text.healthy && json.healthy;
	}
	buf_free(&text.body);
	buf_free(&json.body);
}

bool
inspect_all(const Config *config, bool json, FILE *to)
{
	Inspect inspect = {
		.config = config,
		.lines = buf_heap(),
		.json = buf_heap(),
		.problems = buf_heap(),
		.healthy = true,
	};

	look_at_slot(&inspect);
	look_at_outputs(&inspect);
	look_at_worker(&inspect);
	if (json)
		(void) fprintf(to,
		               "{\"healthy\":%s,%s\"problems\":[%s]}\n",
		               inspect.healthy ? "true" : "false",
		               buf_cstr(&inspect.json),
		               buf_cstr(&inspect.problems));
	else
		(void) fprintf(to,
		               "%s%s\n",
		               buf_cstr(&inspect.lines),
		               inspect.healthy ? "healthy" : "not healthy");
	PQfinish(inspect.conn);
	buf_free(&inspect.lines);
	buf_free(&inspect.json);
	buf_free(&inspect.problems);
	return inspect.healthy;
}

bool
inspect_worker(const Config *config, bool json, FILE *to, bool *healthy, Err *err)
{
	StatusAnswer answer = { .body = buf_heap() };
	bool ok;

	if (config->status_port == 0)
	{
		(void) fail(err, ERR_CONFIG, "there is no worker to ask: status.port is 0");
		return fail_hint(err, "Set status.port for \"cdc-sink run\", too.");
	}
	ok = status_ask(config, json ? "/status" : "/", &answer, err);
	if (ok)
		(void) fwrite(answer.body.data, 1, answer.body.len, to);
	*healthy = answer.healthy;
	buf_free(&answer.body);
	return ok;
}
