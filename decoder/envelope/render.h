/*
 * render.h
 *		from a change to the bytes a Debezium connector would have given Kafka.
 *
 * The one renderer: the plugin's format=json and record, the worker's Kafka
 * output and bronze all print through it.  A RenderPlan is made once per relation
 * version and options (topic, schema text, one ColumnPlan per column with its
 * encoder and `"name":` already escaped); rendering a change walks it and allocates
 * nothing but room in the caller's Buf.
 *
 * Follows Debezium 3.6.1.Final (PostgreSQL connector) through Kafka Connect's
 * JsonConverter and SimpleHeaderConverter.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_RENDER_H
#define ENVELOPE_RENDER_H

#include "envelope/options.h"
#include "envelope/relation.h"
#include "envelope/transaction.h"
#include "envelope/value.h"

#define RENDER_DEBEZIUM_VERSION "3.6.1.Final"

/* PostgreSQL's MaxTupleAttributeNumber: no tuple is wider. */
#define RENDER_MAX_COLUMNS 1664

typedef struct RenderPlan RenderPlan;

/*
 * Make the plan of a relation.  relation, options and what alloc gives must outlive it.
 * NULL with error set when the relation cannot be rendered.
 */
RenderPlan *render_plan_new(const Relation *relation, const EnvOptions *options,
                            const Alloc *alloc, EnvError *error);

/* The topic, sanitised as Debezium does.  Terminated. */
const char *render_plan_topic(const RenderPlan *plan);

/* What transaction metadata calls the table: "schema.table".  Terminated. */
const char *render_plan_collection(const RenderPlan *plan);

/* Whether records of this relation have a key. */
bool render_plan_has_key(const RenderPlan *plan);

/* Append the Connect schema of keys or values, as JsonConverter prints it, whether or not
 * records carry it; null for the key of a relation without one. */
void render_key_schema(const RenderPlan *plan, Buf *buf);
void render_value_schema(const RenderPlan *plan, Buf *buf);

typedef enum SnapshotMarker
{
	SNAPSHOT_NONE, /* streamed: "false" */
	SNAPSHOT_TRUE,
	SNAPSHOT_FIRST,
	SNAPSHOT_FIRST_IN_COLLECTION,
	SNAPSHOT_LAST_IN_COLLECTION,
	SNAPSHOT_LAST,
} SnapshotMarker;

/* What the source block says beside the relation. */
typedef struct RenderSource
{
	const char *database;
	uint64_t lsn;             /* of the row's change */
	uint64_t last_commit_lsn; /* end LSN of the last commit before; 0: null in sequence */
	int64_t commit_us;        /* commit time, microseconds since 1970 */
	uint32_t xid;             /* 0: null, outside transactions */
	SnapshotMarker snapshot;
	const char *origin; /* NULL: none */
	uint64_t origin_lsn;
} RenderSource;

typedef struct RenderChange
{
	char type;     /* 'I' 'U' 'D' 'T' as on the wire; 'r' a snapshot row (new_tuple) */
	char old_kind; /* 'K' 'O' or 0 */
	Slice old_tuple;
	Slice new_tuple;
	RenderSource source;
	int64_t now_ns;        /* wall clock since 1970, for the envelope's own ts_* */
	TxCounts *transaction; /* counts the events rendered; NULL: transaction is null */
	uint32_t collection;   /* tx_collection() of render_plan_collection() */
	size_t limit; /* most bytes of a record; 0: any.  Rendering stops where one is known
	                 to need more: false, and *needed tells how many at least */
	size_t *needed;
} RenderChange;

/* One Kafka record.  Offsets are into the Buf given to render_records, which may move
 * while it grows. */
typedef struct RenderRecord
{
	size_t key_at;
	size_t key_len;
	bool has_key; /* else the key is null */
	size_t value_at;
	size_t value_len;
	bool has_value;          /* else a tombstone */
	const char *header_name; /* "__debezium.newkey", "__debezium.oldkey" or NULL */
	size_t header_at;        /* its value: the JSON of a key, without schema */
	size_t header_len;
} RenderRecord;

#define RENDER_MAX_RECORDS 3 /* a key change: delete, tombstone, create */

/*
 * Whether Debezium's publication leaves a change of this type of relation (NULL: of none)
 * out, so that not even its transaction is seen: the connector makes it without the
 * operations of skipped.operations, when that is given, and it has a TRUNCATE of
 * partitions or of the root, by publish.via.partition.root.  Where the publication is the
 * user's, an update that moves its key is a delete and a create, as render_records() has
 * it.
 */
bool render_unpublished(const EnvOptions *options, char type, const Relation *relation);

/*
 * Append the records of a change to buf (not reset) and describe them.  *count may be
 * 0: a skipped operation, a delete without replica identity, or a change of a table that
 * has no columns.  False, with error set, when a value is malformed or cannot be
 * represented (the message names the column); nothing is counted then.
 */
bool render_records(const RenderPlan *plan, const RenderChange *change, Buf *buf,
                    RenderRecord records[RENDER_MAX_RECORDS], int *count,
                    EnvError *error);

/* Whether the key columns of the two tuples differ (a key change).  unknown old values:
 * false. */
bool render_key_changed(const RenderPlan *plan, const RenderChange *change, bool *changed,
                        EnvError *error);

/* Append the row's JSON object alone ({"id":1,...}): bronze's before, after.
 * identity_only is for 'K' tuples, whose other columns were not sent: under bronze's
 * options they are left out. */
bool render_row(const RenderPlan *plan, Slice tuple, bool identity_only, Buf *buf,
                EnvError *error);

/* Append the key's JSON object alone; false without error text when the relation has
 * none. */
bool render_key(const RenderPlan *plan, Slice tuple, Buf *buf, EnvError *error);

/*
 * Options for bronze (lake.md 15): decimal=string, time=isostring, binary=base64, no
 * schemas, null stays null, unavailable columns left out of the row (they are listed
 * beside it), 24:00 as PostgreSQL's text.
 */
void render_options_bronze(EnvOptions *options, const EnvOptions *user,
                           const Alloc *alloc);

/* Append the names of the tuple's unchanged columns as a JSON array; nothing when there
 * are none. */
bool render_unchanged(const RenderPlan *plan, Slice tuple, Buf *buf, EnvError *error);

/* The values of the four __debezium.context headers, in order. */
typedef struct RenderContext
{
	const char *names[4];
	const char *values[4]; /* topic prefix, "0", "postgresql", run id (a UUIDv7) */
} RenderContext;

RenderContext render_context(const EnvOptions *options, const char *run_id);

/* Append a key, whose JSON is not in out, as SimpleHeaderConverter prints it.  False when
 * it is not one of the plan's. */
bool render_header_key(const RenderPlan *plan, Slice key, Buf *out);

/*
 * Append one object of format=record:
 * {"topic":..,"partition":null,"key":..,"value":..,"headers":[{"k":..,"v":..}]} as the
 * lines of a captured Debezium run have it.
 */
void render_record_json(const RenderPlan *plan, const Buf *bytes,
                        const RenderRecord *record, const RenderContext *context,
                        Buf *out);

#endif
