/*
 * wire.h
 *		the bytes between cdc_decoder (format=frame) and cdc-sink.
 *
 * One frame is one write of the plugin to the walsender, about 64 KiB, never
 * crossing a transaction's end:
 *
 *		+---------+-----------+-----------+ ...
 *		| version | message 1 | message 2 |
 *		+---------+-----------+-----------+ ...
 *		  1 byte
 *
 *		message:
 *		+------------+-----------+------+----------------------+
 *		| u32 length | u64 LSN   | type | body (length - 9)    |
 *		+------------+-----------+------+----------------------+
 *		length counts the LSN, the type byte and the body.
 *		LSN: of the change itself for I U D T M; for B the first change's LSN;
 *		for C the end LSN; for R the LSN of the change that follows.
 *
 * Integers are big-endian.  Bodies are those of PostgreSQL's logical
 * replication protocol, version 1 ("Logical Replication Message Formats" in
 * PostgreSQL's documentation), so that one reader serves pgoutput too:
 *
 *		B  final_lsn u64 (start of the commit record), commit time i64
 *		   (microseconds since 2000-01-01 UTC), xid u32
 *		O  origin LSN u64, origin name string0
 *		R  relation, then the extension drawn below
 *		I  relid u32, 'N', tuple
 *		U  relid u32, ['K' or 'O', tuple], 'N', tuple
 *		D  relid u32, ['K' or 'O', tuple]		(neither: no replica identity)
 *		T  count u32, flags u8 (1 cascade, 2 restart identity), relid u32 ...
 *		M  flags u8 (1 transactional, 2 the plugin's own), LSN u64, prefix string0,
 *		   length u32, bytes
 *		C  flags u8, commit LSN u64, end LSN u64, commit time i64
 *
 *		tuple: count u16, then per column
 *			'n'					null
 *			'u'					unchanged TOAST value, not sent
 *			't' length u32, bytes	PostgreSQL's output text, UTF-8
 *			'b' length u32, bytes	PostgreSQL's binary send form; text inside is UTF-8
 *
 * The tuple has one entry per column of the R message, in its order (dropped,
 * stored generated and excluded columns are in neither).  'K' tuples carry
 * the replica identity's columns and 'n' elsewhere.
 *
 * Which of 't' and 'b' a type travels as is decided by value_is_binary() in
 * value.h alone, for frames and for snapshots by COPY.  Enum values are 'b' with the
 * label's bytes; in enum arrays ('b', array_send's layout) each element is the label.
 *
 * A message of the plugin's own was emitted by nobody; a reader passes over those whose
 * prefix it does not know.  There is one:
 *
 *		cdc_sink.rewritten: relid u32
 *		   The rows of a table (described before, with the columns that it has from here
 *		   on) are rewritten by this transaction without changes of theirs: ALTER TABLE
 *		   with a new type, a volatile default and the like, SET LOGGED.  Once a rewrite,
 *		   at the LSN of its first row; not for a table without rows.
 *
 * R in full:
 *
 *		relid u32, schema string0, name string0, replica identity u8
 *		(d f i n), count u16, per column: flags u8 (1 = part of the replica
 *		identity), name string0, type OID u32, typmod i32
 *	  then, ours:
 *		extension version u8 (1)
 *		relkind u8, root relid u32 (0: not a partition), root schema string0, root name
 *string0 key source u8 (p primary key, u unique index, 0 none), key count u16, per key
 *column: index u16 into the columns above, in key order per column: attnum i16 flags u8
 *(1 not null, 2 identity column, 4 has default, 8 has missing value, 16 generated
 *(snapshots only)) base type OID u32, base typmod i32	(through domains; else as
 *declared) type kind u8						(pg_type.typtype of the base type) type
 *name string0					(pg_type.typname of the base type) type schema string0
 *			declared type text string0			(format_type, as psql shows it)
 *			element OID u32						(0: not an array)
 *			element kind u8, element name string0	(of the element's base type)
 *			[has default]  expression string0	(pg_get_expr)
 *			[has missing]  one tuple entry		(attmissingval: 't' or 'b')
 *			label count u16, labels string0 ...	(enum, or array of enum, in sort order)
 *
 * string0: bytes, then a zero byte.  A reader must refuse a version that it
 * does not know, and treats every length as hostile.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_WIRE_H
#define ENVELOPE_WIRE_H

#include "envelope/buf.h"

#define WIRE_VERSION            1
#define WIRE_RELATION_EXTENSION 1
#define WIRE_FRAME_BYTES \
	((size_t) 64 * 1024) /* the plugin writes when a frame has grown this far */

enum WireColumnFlags
{
	WIRE_COLUMN_IDENTITY = 1, /* in the first part of R: replica identity */
};

enum WireMessageFlags
{
	WIRE_TRANSACTIONAL = 1,
	WIRE_OWN = 2,
};

#define WIRE_REWRITTEN "cdc_sink.rewritten"

enum WireExtensionFlags
{
	WIRE_NOT_NULL = 1,
	WIRE_IDENTITY_COLUMN = 2,
	WIRE_HAS_DEFAULT = 4,
	WIRE_HAS_MISSING = 8,
	WIRE_GENERATED = 16,
};

/* ---- Writing: the plugin, and the worker where it makes relations for snapshots ---- */

void wire_begin_frame(Buf *frame);

/* Start a message; returns the mark that wire_end_message wants. */
size_t wire_begin_message(Buf *frame, uint64_t lsn, char type);
void wire_end_message(Buf *frame, size_t mark);

void wire_string0(Buf *frame, const char *text);

/* One tuple entry.  kind is 't' or 'b'. */
void wire_value(Buf *frame, char kind, const void *bytes, uint32_t len);

/* ---- Reading ---- */

/*
 * A bounds-checked position in bytes.  Reading beyond the end sets failed,
 * returns zeros and empty strings, and moves nothing: check once at the end.
 */
typedef struct WireReader
{
	const char *at;
	const char *end;
	bool failed;
} WireReader;

static inline WireReader
wire_reader(Slice bytes)
{
	return (WireReader){ bytes.data, bytes.data + bytes.len, false };
}

static inline const char *
wire_take(WireReader *reader, size_t len)
{
	const char *at = reader->at;

	if (reader->failed || (size_t) (reader->end - at) < len)
	{
		reader->failed = true;
		return NULL;
	}
	reader->at = at + len;
	return at;
}

static inline uint8_t
wire_u8(WireReader *reader)
{
	const char *at = wire_take(reader, 1);

	return at == NULL ? 0 : (uint8_t) *at;
}

static inline uint16_t
wire_u16(WireReader *reader)
{
	const char *at = wire_take(reader, 2);

	return at == NULL ? 0 : read_u16(at);
}

static inline uint32_t
wire_u32(WireReader *reader)
{
	const char *at = wire_take(reader, 4);

	return at == NULL ? 0 : read_u32(at);
}

static inline uint64_t
wire_u64(WireReader *reader)
{
	const char *at = wire_take(reader, 8);

	return at == NULL ? 0 : read_u64(at);
}

/* Bytes up to a zero byte, which is skipped; terminated in place.  "" on failure. */
const char *wire_read_string0(WireReader *reader);

/* Skip one tuple (count and entries) and return its bytes; empty on failure. */
Slice wire_read_tuple(WireReader *reader);

typedef struct WireMessage
{
	uint64_t lsn;
	char type;
	Slice body;
} WireMessage;

/* Open a frame: checks the version and leaves reader at the first message. */
bool wire_open_frame(Slice frame, WireReader *reader, EnvError *error);

/* The next message of the frame.  False at the end (reader->failed unset) or when it is
 * cut short (set). */
bool wire_next(WireReader *reader, WireMessage *message);

typedef struct WireBegin
{
	uint64_t final_lsn;
	int64_t commit_time; /* microseconds since 2000-01-01 UTC */
	uint32_t xid;
} WireBegin;

typedef struct WireCommit
{
	uint8_t flags;
	uint64_t commit_lsn;
	uint64_t end_lsn;
	int64_t commit_time;
} WireCommit;

/* I, U or D.  old_kind is 'K', 'O' or 0; an absent tuple has data NULL. */
typedef struct WireChange
{
	uint32_t relid;
	char old_kind;
	Slice old_tuple;
	Slice new_tuple;
} WireChange;

typedef struct WireTruncate
{
	uint32_t count;
	uint8_t flags;
	const char *relids; /* count big-endian u32 */
} WireTruncate;

typedef struct WireLogical
{
	uint8_t flags;
	uint64_t lsn;
	const char *prefix;
	Slice content;
} WireLogical;

/* Each false, with error set, when the body is malformed. */
bool wire_read_begin(Slice body, WireBegin *begin, EnvError *error);
bool wire_read_commit(Slice body, WireCommit *commit, EnvError *error);
bool wire_read_change(char type, Slice body, WireChange *change, EnvError *error);
bool wire_read_truncate(Slice body, WireTruncate *truncate, EnvError *error);
bool wire_read_logical(Slice body, WireLogical *logical, EnvError *error);
bool wire_read_origin(Slice body, uint64_t *lsn, const char **name, EnvError *error);

#endif
