/*
 * tuple.h
 *		heap tuples to the wire's tuples.
 *
 * A ColumnPlan says all that is needed to write a column's datum; common types are
 * written without a function-manager call and without allocating.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef DECODER_TUPLE_H
#define DECODER_TUPLE_H

#include "compat.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

#include "library.h"
#include "text.h"

/* A row beyond this cannot be handed to the client: its buffers end at MaxAllocSize. */
#define TUPLE_BYTES_MAX ((size_t) MaxAllocSize - 2 * WIRE_FRAME_BYTES)

typedef struct EnumLabel
{
	Oid oid;
	Slice text; /* UTF-8 */
} EnumLabel;

struct ColumnPlan;
struct TupleWriter;

/* Append the wire form of a datum that is neither null nor stored elsewhere. */
typedef void (*DatumWriter)(struct TupleWriter *writer, const struct ColumnPlan *column,
                            Datum datum, Buf *out);

typedef struct ColumnPlan
{
	DatumWriter write;
	int at;       /* in the deformed tuple */
	char kind;    /* 't' or 'b' */
	bool varlena; /* may be compressed or elsewhere */
	uint16 fixed; /* 1, 2, 4, 8: an integer of that width goes out as it is; else 0 */
	/* arrays: how elements lie, and how one is written */
	DatumWriter write_element;
	int16 element_len;
	bool element_by_value;
	char element_align;
	/* enums and arrays of them, sorted by OID */
	int label_count;
	EnumLabel *labels;
	/* masked columns: what write calls, and the mask */
	DatumWriter write_plain;
	ColumnMask mask;
	/* 't' */
	FmgrInfo output;
} ColumnPlan;

/* What writing tuples needs again and again; one a stream. */
typedef struct TupleWriter
{
	TextConverter converter;
	bool label_missed; /* an enum value that the plan does not know was met */
	Buf scratch;       /* an aligned copy of a short varlena */
	StringInfoData text;
	Datum *values; /* room for a tuple's columns */
	bool *nulls;
} TupleWriter;

/* Make a writer whose memory is in context. */
void tuple_writer_init(TupleWriter *writer, MemoryContext context);

/*
 * Choose how values of column are written; at, kind, label fields are the caller's. ERROR
 * when value_is_binary wants a form that this server has no writer for.
 */
void column_plan_init(ColumnPlan *plan, const RelationColumn *column,
                      MemoryContext context);

/* Have the column's values masked as they are written, where mask acts at the source. */
void column_plan_mask(ColumnPlan *plan, ColumnMask mask);

/* Append the kind, length and bytes of one datum. */
void tuple_write_datum(TupleWriter *writer, const ColumnPlan *column, Datum datum,
                       Buf *out);

/*
 * Append a tuple.  False when it holds more than TUPLE_BYTES_MAX; what was
 * appended is then incomplete.
 */
bool tuple_write(TupleWriter *writer, const ColumnPlan *columns, int count,
                 TupleDesc descriptor, HeapTuple tuple, Buf *out);

#endif
