/*
 * compare_state.h
 *		what the files of the comparison share: compare.c (tables), compare_spool.c
 *(source rows into files), compare_sql.c (the comparison).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_COMPARE_STATE_H
#define LAKE_COMPARE_STATE_H

#include "lake/checkpoints.h"
#include "lake/compare.h"
#include "lake/query/query.h"
#include "lake/query/scratch.h"
#include "lake/rowplan.h"

/* A silver table of the cut. */
typedef struct CutTable
{
	const char *name;
	bool is_stale;
	bool is_compared;
	TableState *state; /* at the cut */
	Shape *shape;      /* idem */
} CutTable;

typedef struct SpoolRow
{
	RowPlan *plan;
	Slice tuple;
} SpoolRow;

/* Tuples on their way into temporary files of rows, or of their keys alone. */
typedef struct Spool
{
	bool is_keys;
	Arena *tuples;
	SpoolRow *rows;
	size_t count;
	size_t room;
	size_t bytes; /* of the tuples */
	size_t next;  /* row to convert */
	const char **paths;
	size_t path_count;
} Spool;

typedef struct ComparePlan
{
	const Relation *relation;
	RowPlan *plan;
} ComparePlan;

/* What is compared: fields of both sides, _overflow last, and where the key is. */
typedef struct CompareColumns
{
	IcebergField *fields;
	int32_t count; /* without _overflow */
	int32_t *key;  /* indexes of fields */
	int32_t key_count;
} CompareColumns;

struct Compare
{
	const Config *config;
	Store store;
	Scratch *scratch;
	Query *query;

	/* The cut. */
	Arena *cut_arena;
	Checkpoints *checkpoints;
	CutTable *tables;
	size_t table_count;
	bool is_loaded; /* tables are */

	/* Of compare_key(): the relation it was last asked about. */
	const Relation *key_relation;
	Identity key_identity;
	Arena *key_arena;
	Value *key_values;

	/* The table at hand. */
	Arena *arena;
	const CutTable *table; /* NULL: there is none */
	Shape *shape;          /* after the relations given */
	uint32_t *relids;      /* of these */
	size_t relid_count;
	ComparePlan *plans;
	size_t plan_count;
	RowPlan *plan; /* of the relation at hand */
	Spool rows;
	Spool keys;

	/* Of the row at hand. */
	Arena *scratch_arena;
	RowDraft draft;
};

/* ---- Source rows (compare_spool.c) ---- */

void spool_init(Spool *spool, bool is_keys);
void spool_reset(Spool *spool);
void spool_fini(Spool *spool);
MUST_CHECK bool spool_add(Compare *compare, Spool *spool, RowPlan *plan, Slice tuple,
                          Err *err);

/* Write what is buffered, rows before keys. */
MUST_CHECK bool spool_flush(Compare *compare, Err *err);

/* ---- The comparison (compare_sql.c) ---- */

/* Compare the spooled files with the files of table. */
MUST_CHECK bool compare_files(Compare *compare, const CompareColumns *columns,
                              CompareResult *result, Err *err);

#endif
