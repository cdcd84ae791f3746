/*
 * test_position.c
 *		positions as text, what they cover, and where to start from them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#undef fail
#include <stdio.h>

#include "base/arena.h"
#include "event/lineage.h"
#include "event/position.h"
#include "event/unread.h"
#include "output/recovery.h"

static const Position self = {
	.system_id = UINT64_C(7300000000000000001),
	.timeline = 3,
	.database = "sh op=%\xc3\xa9",
	.slot = "cdc_sink",
	.fingerprint = UINT64_C(0xfedcba9876543210),
};

static Position
at(PositionPhase phase, Lsn commit_lsn, Lsn end_lsn)
{
	Position position = self;

	position.phase = phase;
	position.commit_lsn = commit_lsn;
	position.end_lsn = end_lsn;
	return position;
}

static void
text_round_trips(void **state)
{
	Buf buf = buf_heap();
	Position position = at(POSITION_STREAM, 0x1600000010, 0x1600000048);
	Position back;
	Err err;

	(void) state;
	position.row_lsn = 0x1500000000;
	position.ordinal = 12;
	position_print(&buf, &position);
	assert_string_equal(
		buf_cstr(&buf),
		"cdc-position=2 phase=stream system=7300000000000000001 timeline=3 "
		"database=sh%20op%3D%25%C3%A9 slot=cdc_sink fingerprint=fedcba9876543210 "
		"commit=16/10 end=16/48 row=15/0 ordinal=12 checksum=f0a89f0b");
	assert_true(position_parse((Slice){ buf.data, buf.len }, &back, &err));
	assert_memory_equal(&position, &back, sizeof back);
	for (size_t len = 0; len < buf.len; len++)
		assert_false(position_parse((Slice){ buf.data, len }, &back, &err));
	for (size_t bit = 0; bit < 8 * buf.len; bit++)
	{
		buf.data[bit / 8] = (char) (buf.data[bit / 8] ^ 1 << bit % 8);
		assert_false(position_parse((Slice){ buf.data, buf.len }, &back, &err));
		buf.data[bit / 8] = (char) (buf.data[bit / 8] ^ 1 << bit % 8);
	}
	buf_free(&buf);
}

/* The last transaction is told where it is known. */
static void
last_transaction(void **state)
{
	static const char *const damaged[] = {
		" last=1/10,7 ",   " last=1/10 ",      " last=,, ",
		" last=1/10,x,5 ", " last=1/10,7,-5 ",
	};
	Buf buf = buf_heap();
	Position position = at(POSITION_STREAM, 0x100000010, 0x100000048);
	Position back;
	Err err;

	(void) state;
	position.last = (CommitId){ 0x100000010, 4294967295u, INT64_C(1790000000123456) };
	position_print(&buf, &position);
	assert_non_null(
		strstr(buf_cstr(&buf), " ordinal=0 last=1/10,4294967295,1790000000123456 "));
	assert_true(position_parse((Slice){ buf.data, buf.len }, &back, &err));
	assert_true(back.last.lsn == position.last.lsn);
	assert_true(back.last.xid == position.last.xid);
	assert_true(back.last.time_us == position.last.time_us);
	for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++)
	{
		/* of the format without a checksum, which would be the first to tell */
		buf_reset(&buf);
		buf_printf(&buf,
		           "cdc-position=1 phase=stream system=1 timeline=1 database=d slot=s "
		           "fingerprint=0 commit=1/10 end=1/48 row=0/0 ordinal=0%s",
		           damaged[i]);
		assert_false(position_parse((Slice){ buf.data, buf.len }, &back, &err));
		assert_non_null(strstr(err.text, "no valid \"last\""));
	}
	buf_free(&buf);
}

/* What is awaited of a stream, what it brings, and whether that is the same history. */
static void
history_is_told(void **state)
{
	static const CommitId kafka = { 200, 7, 1000 };
	static const CommitId lake = { 300, 8, 2000 };
	static const struct
	{
		Lsn from;
		CommitId brought[3];
		Lsn passed;
		bool open;
		const char *missing;
	} cases[] = {
		{ 250, { { 0 } }, 0, true, NULL },
		{ 301, { { 0 } }, 1000, false, NULL },
		{ 200, { { 200, 7, 1000 } }, 0, true, NULL },
		{ 100, { { 150, 6, 900 }, { 200, 7, 1000 }, { 300, 8, 2000 } }, 0, false, NULL },
		{ 100,
		  { { 150, 6, 900 }, { 200, 7, 1000 }, { 300, 8, 2000 } },
		  999,
		  false,
		  NULL },
		{ 100, { { 0 } }, 200, true, NULL },
		{ 100, { { 0 } }, 201, true, "Kafka" },
		{ 100, { { 0 } }, 900, true, "Kafka" },
		{ 100, { { 200, 9, 1000 } }, 0, true, "Kafka" },
		{ 100, { { 200, 7, 1001 } }, 0, true, "Kafka" },
		{ 100, { { 200, 7, 1000 }, { 301, 8, 2000 } }, 0, true, "the lake" },
		{ 201, { { 290, 8, 2000 }, { 310, 9, 2100 } }, 0, true, "the lake" },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		Lineage lineage = { 0 };
		Position position = at(POSITION_STREAM, 200, 220);

		position.last = kafka;
		lineage_await(&lineage, &position, "Kafka", cases[i].from);
		position.last = lake;
		lineage_await(&lineage, &position, "the lake", cases[i].from);
		position.last = (CommitId){ 0 };
		lineage_await(&lineage, &position, "nobody", cases[i].from);
		position = at(POSITION_SNAPSHOT, 0, 0);
		position.last = lake;
		lineage_await(&lineage, &position, "nobody", cases[i].from);
		for (size_t j = 0; j < 3 && cases[i].brought[j].lsn != 0; j++)
			lineage_meet(&lineage, cases[i].brought[j]);
		lineage_pass(&lineage, cases[i].passed);
		assert_int_equal(lineage_is_open(&lineage), cases[i].open);
		if (cases[i].missing == NULL)
			assert_int_equal(lineage.missing.commit.lsn, 0);
		else
			assert_string_equal(lineage.missing.where, cases[i].missing);
	}
}

/* What is stored of a table stands with its name, and outlives what the list is put
 * through. */
static void
parts_of_tables(void **state)
{
	static const Relation table = { .relkind = 'r', .schema = "public", .name = "a,b" };
	static const Relation leaf = { .relkind = 'r',
		                           .schema = "public",
		                           .name = "p_1",
		                           .root_relid = 7,
		                           .root_schema = "public",
		                           .root_name = "p" };
	static const Relation root = { .relkind = 'p', .schema = "public", .name = "p" };
	Arena *arena = arena_new();
	const char *list = unread_add(arena, NULL, "public.p,public.a%2Cb,public.c");
	PartRead part;

	(void) state;
	assert_null(unread_partial(arena, list, "public.a,b"));
	list = unread_advance(arena, list, &table, "16384:16400:1024:4294967301");
	list = unread_advance(arena, list, &table, "16384:16400:2048:4294967301");
	list = unread_advance(arena, list, &leaf, "8:80:5:751");
	list = unread_complete(arena, list, &root, "7:0:0:751");
	assert_string_equal(list,
	                    "public.p@8:80:5:751+7:0:0:751,"
	                    "public.a%2Cb@16384:16400:2048:4294967301,public.c");
	assert_ptr_equal(unread_advance(arena, list, &table, NULL), list);
	assert_ptr_equal(unread_advance(arena, list, &table, "1:2:3"), list);
	assert_ptr_equal(unread_add(arena, list, "public.p"), list);
	assert_true(unread_has(list, "public.a,b"));
	assert_null(unread_partial(arena, list, "public.c"));
	assert_true(partial_find(unread_partial(arena, list, "public.a,b"), 16384, &part));
	assert_int_equal(part.filenode, 16400);
	assert_int_equal(part.pages, 2048);
	assert_int_equal(part.xmin, UINT64_C(4294967301));
	list = unread_complete(arena, list, &table, "16384:16400:4096:4294967301");
	assert_string_equal(list, "public.p@8:80:5:751+7:0:0:751,public.c");
	assert_string_equal(unread_remove(arena, list, "public.p"), "public.c");
	assert_ptr_equal(unread_forget(arena, list, &table), list);
	assert_string_equal(unread_forget(arena, list, &leaf), "public.p,public.c");
	assert_string_equal(unread_renew(arena, list, "public.d,public.p"),
	                    "public.p,public.c,public.d");
	assert_ptr_equal(unread_renew(arena, list, "public.c"), list);
	arena_free(arena);
}

/* Two outputs go on where both can. */
static void
parts_of_two_outputs(void **state)
{
	Arena *arena = arena_new();

	(void) state;
	assert_string_equal(partial_meet(arena,
	                                 "1:10:500:70+2:20:9:70+3:30:1:70",
	                                 "4:40:1:70+3:31:1:70+1:10:400:80"),
	                    "1:10:400:70");
	assert_null(partial_meet(arena, "1:10:500:70", NULL));
	assert_null(partial_meet(arena, NULL, "1:10:500:70"));
	assert_null(partial_meet(arena, "1:10:500:70", "1:10:99999999999999999999999:70"));
	arena_free(arena);
}

/* The list of tables is read apart, and may be longer than all the rest. */
static void
unread_tables(void **state)
{
	Arena *arena = arena_new();
	Position position = at(POSITION_STREAM, 0x10, 0x20);
	Position back;
	Buf buf = buf_heap();
	Err err;

	(void) state;
	position.unread = unread_add(arena, NULL, "public.a,sales.o%2Cdd%20name");
	position.outputs = 5;
	for (int i = 0; i < 200; i++)
		position.unread =
			unread_add(arena, position.unread, arena_printf(arena, "public.table_%d", i));
	position_print(&buf, &position);
	assert_true(position_parse((Slice){ buf.data, buf.len }, &back, &err));
	assert_int_equal(back.end_lsn, 0x20);
	assert_int_equal(back.outputs, 5);
	position_parse_texts(arena, (Slice){ buf.data, buf.len }, &back);
	assert_string_equal(back.unread, position.unread);
	assert_null(back.lists);
	assert_true(unread_has(back.unread, "sales.o,dd name"));
	assert_true(unread_has(back.unread, "public.table_199"));
	assert_false(unread_has(back.unread, "public.table_1999"));
	assert_ptr_equal(unread_add(arena, back.unread, "public.a"), back.unread);
	assert_ptr_equal(unread_remove(arena, back.unread, "public.b"), back.unread);
	back.unread = unread_remove(arena, "public.a,sales.o%2Cdd", "sales.o,dd");
	assert_string_equal(back.unread, "public.a");
	assert_null(unread_remove(arena, back.unread, "public.a"));
	position.rest = UINT64_C(0x123456789abcdef0);
	position.lists = "public%5C.a,,,";
	buf_reset(&buf);
	position_print(&buf, &position);
	assert_true(position_parse((Slice){ buf.data, buf.len }, &back, &err));
	position_parse_texts(arena, (Slice){ buf.data, buf.len }, &back);
	assert_true(back.rest == position.rest);
	assert_string_equal(back.lists, position.lists);
	assert_string_equal(back.unread, position.unread);
	buf_free(&buf);
	arena_free(arena);
}

static void
older_form_is_read(void **state)
{
	Position back;
	Err err;

	(void) state;
	assert_true(position_parse(
		slice_from("cdc-position=1 phase=stream system=1 timeline=1 database=d slot=s "
	               "fingerprint=0 commit=1/2 end=1/3 row=0/0 ordinal=0"),
		&back,
		&err));
	assert_int_equal(back.end_lsn, 0x100000003);
}

static void
damage_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"cdc-position=3 phase=stream",
		"cdc-position=1 phase=odd system=1 timeline=1 database=d slot=s fingerprint=0 commit=0/0 "
		"end=0/0 row=0/0 ordinal=0",
		"cdc-position=1 phase=stream system=-1 timeline=1 database=d slot=s fingerprint=0 commit=0/0 "
		"end=0/0 row=0/0 ordinal=0",
		"cdc-position=1 phase=stream system=1 timeline=1 database=d%4 slot=s fingerprint=0 "
		"commit=0/0 end=0/0 row=0/0 ordinal=0",
		"cdc-position=1 phase=stream system=1 timeline=1 database=d slot=s fingerprint=0 commit=0 "
		"end=0/0 row=0/0 ordinal=0",
	};
	Position back;
	Err err;

	(void) state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
	{
		assert_false(position_parse(slice_from(bad[i]), &back, &err));
		assert_int_equal(err.kind, ERR_FATAL);
	}
}

static void
covers_whole_and_split_transactions(void **state)
{
	Position whole = at(POSITION_STREAM, 100, 120);
	Position split = at(POSITION_STREAM, 100, 90);
	Position snapshot = at(POSITION_SNAPSHOT, 100, 100);
	Position point = at(POSITION_STREAM, 100, 100);

	(void) state;
	assert_true(position_covers(&point, 99, 98, 0));
	assert_false(position_covers(&point, 100, 98, 0));
	split.row_lsn = 50;
	split.ordinal = 2;
	assert_true(position_covers(&whole, 99, 5, 0));
	assert_true(position_covers(&whole, 100, 99, 7));
	assert_false(position_covers(&whole, 101, 5, 0));
	assert_true(position_covers(&split, 99, 98, 0));
	assert_true(position_covers(&split, 100, 49, 9));
	assert_true(position_covers(&split, 100, 50, 2));
	assert_false(position_covers(&split, 100, 50, 3));
	assert_false(position_covers(&split, 100, 51, 0));
	assert_false(position_covers(&snapshot, 1, 1, 0));
}

typedef struct Case
{
	const char *name;
	Position kafka;
	Position lake;
	bool slot_exists;
	Lsn confirmed;
	bool adopt;
	int expected; /* RecoveryAction, or -1: refused */
} Case;

static void
start_is_decided(void **state)
{
	const Position none = { .phase = POSITION_NONE };
	const Position intent = at(POSITION_INTENT, 0, 0);
	const Position snapshot = at(POSITION_SNAPSHOT, 100, 100);
	const Position done = at(POSITION_STREAM, 100, 100);
	const Position later = at(POSITION_STREAM, 200, 220);
	const Position foreign = later;
	const Position filters = later;
	const Case cases[] = {
		{ "nothing anywhere", none, none, false, 0, false, RECOVERY_FRESH },
		{ "a stranger's slot", none, none, true, 90, false, -1 },
		{ "a slot to adopt", none, none, true, 90, true, RECOVERY_ADOPT },
		{ "killed between the two intents",
		  intent,
		  none,
		  false,
		  0,
		  false,
		  RECOVERY_AGAIN },
		{ "killed before the slot", intent, intent, false, 0, false, RECOVERY_AGAIN },
		{ "killed after the slot", intent, intent, true, 100, false, RECOVERY_AGAIN },
		{ "killed between the two snapshot marks",
		  snapshot,
		  intent,
		  true,
		  100,
		  false,
		  RECOVERY_AGAIN },
		{ "killed in the snapshot",
		  snapshot,
		  snapshot,
		  true,
		  100,
		  false,
		  RECOVERY_AGAIN },
		{ "killed between the two ends",
		  done,
		  snapshot,
		  true,
		  100,
		  false,
		  RECOVERY_AGAIN },
		{ "streaming", later, done, true, 100, false, RECOVERY_STREAM },
		{ "slot ahead of one output", later, done, true, 150, false, -1 },
		{ "slot gone", later, later, false, 0, false, -1 },
		{ "a new output", later, none, true, 100, false, RECOVERY_JOIN },
		{ "an output that was there before", later, none, true, 100, false, -1 },
		{ "a new output, and the slot ahead", later, none, true, 250, false, -1 },
		{ "a snapshot beside a stream", later, snapshot, true, 100, false, -1 },
		{ "beyond the server's WAL",
		  at(POSITION_STREAM, 900, 1001),
		  later,
		  true,
		  100,
		  false,
		  -1 },
		{ "beyond the timeline's switch",
		  at(POSITION_STREAM, 700, 701),
		  later,
		  true,
		  100,
		  false,
		  -1 },
		{ "another system", foreign, later, true, 100, false, -1 },
		{ "other filters", filters, later, true, 100, false, -1 },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		const Case *c = &cases[i];
		StoredPosition stored[2] = { { "Kafka", 1, c->kafka },
			                         { "the lake", 6, c->lake } };
		RecoveryInput input = {
			.stored = stored,
			.count = 2,
			.self = self,
			.slot_exists = c->slot_exists,
			.confirmed_flush = c->confirmed,
			.server_flush = 1000,
			.timeline_switch = 700,
			.adopt = c->adopt,
		};
		Recovery recovery = { 0 };
		Err err = { 0 };
		bool ok;

		if (strcmp(c->name, "another system") == 0)
			stored[0].position.system_id++;
		if (strcmp(c->name, "an output that was there before") == 0)
			stored[0].position.outputs = 5;
		if (strcmp(c->name, "other filters") == 0)
			stored[0].position.fingerprint++;
		ok = recovery_decide(&input, &recovery, &err);
		if (ok != (c->expected >= 0) || (ok && (int) recovery.action != c->expected))
			print_error("%s: action %d, %s\n",
			            c->name,
			            recovery.action,
			            ok ? "accepted" : err.text);
		assert_true(ok == (c->expected >= 0) &&
		            (!ok || (int) recovery.action == c->expected));
		if (!ok)
		{
			assert_int_equal(err.kind, ERR_CONFIG);
			assert_true(err.hint[0] != '\0');
		}
		if (ok && recovery.action == RECOVERY_STREAM)
			assert_true(recovery.least_end == 100);
	}
}

/* Lists of tables may differ where they are known and nothing else does. */
static void
other_lists(void **state)
{
	static const struct
	{
		uint64_t rest; /* stored; ours is 7 */
		const char *lists;
		bool done;
		bool accepted;
	} cases[] = {
		{ 7, "public%5C.a,,,", false, true },
		{ 8, "public%5C.a,,,", false, false },
		{ 7, NULL, false, false }, /* older positions know neither */
		{ 0, NULL, false, false },
		{ 7, "public%5C.a,,,", true, false },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		StoredPosition stored = { "Kafka", 1, at(POSITION_STREAM, 90, 100) };
		RecoveryInput input = {
			.stored = &stored,
			.count = 1,
			.self = self,
			.slot_exists = true,
			.confirmed_flush = 100,
			.server_flush = 1000,
			.done = cases[i].done,
		};
		Recovery recovery = { 0 };
		Err err = { 0 };

		input.self.rest = 7;
		stored.position.fingerprint++;
		stored.position.rest = cases[i].rest;
		stored.position.lists = cases[i].lists;
		assert_int_equal(recovery_decide(&input, &recovery, &err), cases[i].accepted);
		if (cases[i].accepted)
			assert_int_equal(recovery.action, RECOVERY_STREAM);
		else
			assert_non_null(strstr(err.text, "other table, column or row filters"));
	}
}

/* What snapshot.mode makes of positions that the default mode streams from, or refuses.
 */
/* A snapshot that was killed goes on while its slot stands where it was made. */
static void
snapshot_resumes(void **state)
{
	static const struct
	{
		PositionPhase kafka;
		const char *unread;
		bool slot_exists;
		bool slot_lost;
		Lsn confirmed;
		Lsn lake_end;
		int expected;
	} cases[] = {
		{ POSITION_SNAPSHOT, "public.a", true, false, 100, 100, RECOVERY_RESUME },
		{ POSITION_STREAM, NULL, true, false, 100, 100, RECOVERY_RESUME },
		{ POSITION_SNAPSHOT, NULL, true, false, 100, 100, RECOVERY_AGAIN },
		{ POSITION_INTENT, NULL, true, false, 100, 100, RECOVERY_AGAIN },
		{ POSITION_SNAPSHOT, "public.a", false, false, 0, 100, RECOVERY_AGAIN },
		{ POSITION_SNAPSHOT, "public.a", true, true, 100, 100, RECOVERY_AGAIN },
		{ POSITION_SNAPSHOT, "public.a", true, false, 101, 100, RECOVERY_AGAIN },
		{ POSITION_SNAPSHOT, "public.a", true, false, 100, 99, RECOVERY_AGAIN },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		StoredPosition stored[2] = {
			{ "Kafka", 1, at(cases[i].kafka, 100, 100) },
			{ "the lake",
			  6,
			  at(POSITION_SNAPSHOT, cases[i].lake_end, cases[i].lake_end) },
		};
		RecoveryInput input = {
			.stored = stored,
			.count = 2,
			.self = self,
			.slot_exists = cases[i].slot_exists,
			.slot_lost = cases[i].slot_lost,
			.confirmed_flush = cases[i].confirmed,
			.server_flush = 1000,
			.resumes = true,
		};
		Recovery recovery = { 0 };
		Err err = { 0 };

		stored[0].position.unread = cases[i].unread;
		stored[1].position.unread = "public.b";
		assert_true(recovery_decide(&input, &recovery, &err));
		assert_int_equal(recovery.action, cases[i].expected);
		if (recovery.action == RECOVERY_RESUME)
			assert_int_equal(recovery.least_end, 100);
	}
}

static void
modes_decide(void **state)
{
	typedef enum Mode
	{
		INITIAL,
		WHEN_NEEDED,
		ALWAYS,
		INITIAL_ONLY
	} Mode;
	const Position none = { .phase = POSITION_NONE };
	const Position later = at(POSITION_STREAM, 200, 220);
	const struct
	{
		Mode mode;
		Position kafka;
		Position lake;
		bool slot_exists;
		bool slot_lost;
		Lsn confirmed;
		int expected;
	} cases[] = {
		{ INITIAL, later, later, true, true, 100, -1 },
		{ WHEN_NEEDED, later, later, true, false, 100, RECOVERY_STREAM },
		{ WHEN_NEEDED, later, later, true, true, 100, RECOVERY_AGAIN },
		{ WHEN_NEEDED, later, later, false, false, 0, RECOVERY_AGAIN },
		{ WHEN_NEEDED, later, later, true, false, 300, RECOVERY_AGAIN },
		{ WHEN_NEEDED, later, none, true, false, 100, RECOVERY_JOIN },
		{ WHEN_NEEDED, none, none, true, false, 100, -1 },
		{ WHEN_NEEDED, none, none, true, true, 100, -1 },
		{ ALWAYS, later, later, true, false, 100, RECOVERY_AGAIN },
		{ ALWAYS, later, later, false, false, 0, RECOVERY_AGAIN },
		{ ALWAYS, none, none, false, false, 0, RECOVERY_FRESH },
		{ ALWAYS, none, none, true, false, 100, -1 },
		{ INITIAL_ONLY, later, later, false, false, 0, RECOVERY_STREAM },
		{ INITIAL_ONLY, later, none, true, false, 100, -1 },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		StoredPosition stored[2] = { { "Kafka", 1, cases[i].kafka },
			                         { "the lake", 6, cases[i].lake } };
		RecoveryInput input = {
			.stored = stored,
			.count = 2,
			.self = self,
			.slot_exists = cases[i].slot_exists,
			.confirmed_flush = cases[i].confirmed,
			.server_flush = 1000,
			.slot_lost = cases[i].slot_lost,
			.done = cases[i].mode == INITIAL_ONLY,
			.again = cases[i].mode == ALWAYS,
			.again_if_lost = cases[i].mode == WHEN_NEEDED,
		};
		Recovery recovery = { 0 };
		Err err = { 0 };
		bool ok = recovery_decide(&input, &recovery, &err);

		if (ok != (cases[i].expected >= 0) ||
		    (ok && (int) recovery.action != cases[i].expected))
		{
			print_error("%zu: action %d, %s\n", i, recovery.action, ok ? "" : err.text);
			assert_true(false);
		}
		/* why all is read again is told to the user */
		if (cases[i].mode == WHEN_NEEDED && ok && recovery.action == RECOVERY_AGAIN)
			assert_true(err.text[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_round_trips),
		cmocka_unit_test(last_transaction),
		cmocka_unit_test(history_is_told),
		cmocka_unit_test(unread_tables),
		cmocka_unit_test(parts_of_tables),
		cmocka_unit_test(parts_of_two_outputs),
		cmocka_unit_test(other_lists),
		cmocka_unit_test(snapshot_resumes),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(older_form_is_read),
		cmocka_unit_test(covers_whole_and_split_transactions),
		cmocka_unit_test(start_is_decided),
		cmocka_unit_test(modes_decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
