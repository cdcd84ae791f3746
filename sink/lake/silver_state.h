/*
 * silver_state.h
 *		what the files of silver share: silver.c (changes), silver_write.c, silver_load.c.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_SILVER_STATE_H
#define LAKE_SILVER_STATE_H

#include "lake/files.h"
#include "lake/rowplan.h"
#include "lake/silver.h"

#define COLUMNS_PROPERTY "cdc.columns"
#define STALE_PROPERTY   "cdc.stale"
#define NO_KEY_FLAG      "no_key"

/* A buffered row. */
typedef struct SilverRow
{
	const Relation *relation;
	Slice tuple; /* in the buffer's arena */
	Lsn commit_lsn;
	int64_t commit_us;
	RowPlace fill; /* the stored row that has the unchanged columns; file 0: none */
	char op;       /* c u r */
	bool is_live;
} SilverRow;

typedef struct PlanSlot
{
	const Relation *relation;
	RowPlan *plan;
} PlanSlot;

/* Files numbered below before lack the column. */
typedef struct FillTask
{
	ShapeFill fill;
	uint32_t before;
} FillTask;

struct Silver
{
	Store *store;
	Table *table;
	Shape *shape;
	const Relation **relations; /* in force, one of the table or of each leaf seen */
	uint32_t relation_count;
	Lsn truncated_lsn; /* of the TRUNCATE whose leaves are being counted; 0: none */
	int32_t truncated_count;
	Lsn emptied_lsn; /* of the last TRUNCATE of the whole table */
	Shape **retired; /* since the last commit: pending changes point into them */
	uint32_t retired_count;
	Index *index; /* NULL for IDENTITY_APPEND */
	LiveFiles files;
	int32_t last_id; /* greatest field id ever given */
	char *stale;
	bool is_readable; /* snapshots do not leave the table out */
	bool asks;        /* to be read, and was not heard yet */

	Arena *buffer; /* of the rows' tuples */
	SilverRow *rows;
	uint32_t row_count;
	uint32_t row_room;
	uint32_t live_count;

	PlanSlot *plans; /* for the shape in force */
	uint32_t plan_count;
	FillTask *tasks;
	uint32_t task_count;
	bool key_is_new; /* while rows are indexed anew by another key ... */
	bool lacks_keys; /* ... which some of them lack */

	Arena *scratch;
	Buf key;
	Buf old_key;
	RowDraft draft; /* in draft_arena */
	Arena *draft_arena;
};

/* Nothing is wrong any more. */
void silver_unset_stale(Silver *silver);

/* Say that a TRUNCATE left partitions out, if one did. */
void silver_settle_truncate(Silver *silver);

/* The plan of a relation under the shape in force. */
RowPlan *silver_plan(Silver *silver, const Relation *relation);

/* Let plans go when they are many: most are of versions that have passed, those needed
 * are made again.  Nobody may hold one. */
void silver_forget_plans(Silver *silver);

/* Take a new shape into force; plans of the old one go. */
void silver_set_shape(Silver *silver, Shape *shape);

/* Put silver->key into the index, once more when whole rows are the key. */
void silver_index_add(Silver *silver, RowPlace place);

/*
 * Give the key's buffered row its place in a file: the one indexed, or for whole rows the
 * first still buffered.
 */
void silver_index_settle(Silver *silver, RowPlace place);

/* A new, empty index for the shape's identity. */
void silver_index_reset(Silver *silver);

/* Index all rows of all files anew. */
MUST_CHECK bool silver_index_load(Silver *silver, Err *err);

/* Index the rows of a file just written, by reading them back (lake.md 9). */
MUST_CHECK bool silver_index_file(Silver *silver, uint32_t number, const char *local_path,
                                  Err *err);

/* Rewrite files that lack columns added with a constant default (lake.md 5). */
MUST_CHECK bool silver_rewrite(Silver *silver, Err *err);

#endif
