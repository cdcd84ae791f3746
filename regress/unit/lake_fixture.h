/*
 * lake_fixture.h
 *		for tests of the lake: relations, tuples and events by hand, tables as text.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef UNIT_LAKE_FIXTURE_H
#define UNIT_LAKE_FIXTURE_H

#include "config/config.h"
#include "envelope/value.h"
#include "event/event.h"
#include "output/output.h"

typedef struct LakeFixture
{
	Arena *arena;
	char directory[64];
	Config config;
	BatchBudget budget;
	Position self;
	Output *output;
	Batch *batch;
	Txn txn;
	Lsn lsn;
	uint32_t xid;
} LakeFixture;

LakeFixture *fixture_new(void);
void fixture_free(LakeFixture *fixture); /* removes the directory */

/* Open and close the output.  Fails the test when that fails. */
void fixture_open(LakeFixture *fixture, Position *stored);
void fixture_close(LakeFixture *fixture);

/* Hand the gathered events over, ask for a cut and wait until it is durable.  False with
 * err when the output failed. */
bool fixture_cut(LakeFixture *fixture, Err *err);

/* Hand over without waiting for a cut. */
void fixture_send(LakeFixture *fixture);

typedef struct ColumnSpec
{
	const char *name;
	int attnum;
	uint32_t oid;
	int typmod; /* -1: none */
	bool is_key;
	const char *missing; /* int4's binary form as a number; NULL: none */
	const char *default_text;
} ColumnSpec;

/* A table public.<name>; identity is d, f, n. */
const Relation *fixture_relation(LakeFixture *fixture, uint32_t relid, const char *name,
                                 char identity, const ColumnSpec *columns, int count);

/*
 * A tuple from texts in column order: NULL is null, "~" an unchanged value, else the
 * value's text: integers, text; numeric only as integers.
 */
Slice fixture_tuple(LakeFixture *fixture, const Relation *relation,
                    const char *const *texts);

/* The raw bytes of a value, for types that fixture_tuple() does not know. */
Slice fixture_raw(LakeFixture *fixture, const Relation *relation, const Slice *values);

void fixture_begin(LakeFixture *fixture);
void fixture_commit(LakeFixture *fixture);
void fixture_insert(LakeFixture *fixture, const Relation *relation, Slice tuple);
void fixture_update(LakeFixture *fixture, const Relation *relation, char old_kind,
                    Slice old, Slice tuple);
void fixture_delete(LakeFixture *fixture, const Relation *relation, char old_kind,
                    Slice old);
void fixture_truncate(LakeFixture *fixture, const Relation *relation);
void fixture_snapshot(LakeFixture *fixture, const Relation *relation, const Slice *tuples,
                      int count);
void fixture_snapshot_end(LakeFixture *fixture);

/* A table that is read in the middle of the stream, to its end, behind what partial
 * (partial.h) says; NULL: from its beginning. */
void fixture_reread(LakeFixture *fixture, const Relation *relation, const char *partial,
                    const Slice *tuples, int count);
void fixture_keepalive(LakeFixture *fixture);

/* The live rows of a lake table as sorted lines "a|b|c", columns by name, from its
 * current snapshot. */
const char *fixture_rows(LakeFixture *fixture, const char *table,
                         const char *const *columns, int count);

/* Live files: data or position deletes. */
int64_t fixture_files(LakeFixture *fixture, const char *table, int content);
const char *fixture_property(LakeFixture *fixture, const char *table, const char *name);

#endif
