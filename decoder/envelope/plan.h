/*
 * plan.h
 *		what render.c walks: a relation with everything constant already printed.
 *
 * Internal to the renderer.  Fragments end where the next variable value
 * starts, so that rendering is copying and printing in turns.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_PLAN_H
#define ENVELOPE_PLAN_H

#include "envelope/header.h"
#include "envelope/render.h"
#include "envelope/types.h"

typedef struct ColumnPlan
{
	ColumnCodec codec;
	ColumnType type;
	const char *field;    /* its name in Value and Key */
	Slice lead;           /* ,"name": */
	Slice null_json;      /* what a null prints as: null, the default or a zero */
	Slice unchanged_json; /* what an unchanged TOAST value prints as */
	bool unchanged_lost;  /* and it has no place there: an error */
	bool in_value;        /* part of Value: neither omitted nor excluded */
	bool propagate;       /* its schema says the type in PostgreSQL */
	ColumnMask mask;
} ColumnPlan;

/* A column of Key, which no mask touches. */
typedef struct KeyPlan
{
	uint16_t index; /* into the relation's columns */
	ColumnPlan column;
	HeaderType header; /* how it prints in a header */
	HeaderType items;
} KeyPlan;

struct RenderPlan
{
	const Relation *relation;
	const EnvOptions *options;
	const char *schema; /* in source: the table's, or its partition root's */
	const char *table;
	const char *topic;
	const char *schema_name; /* the topic, as the names of schemas start */
	const char *collection;  /* schema.table */
	Slice topic_json;
	ColumnPlan *columns;   /* one for each of the relation's */
	const Slice *defaults; /* of each column: its JSON, or empty */
	KeyPlan *key;          /* in the order of Key */
	uint16_t key_count;
	bool has_key;
	HeaderType key_header;
	Slice key_head; /* "" or {"schema":...,"payload": */
	Slice value_head;
	Slice source_head;  /* ,"source":{ ... "ts_ms": */
	Slice source_table; /* ,"schema":..,"table":..,"txId": */
};

/*
 * Append the envelope's ,"source":{...}; of plan it takes options, source_head and
 * source_table.
 */
void render_source(Buf *buf, const RenderPlan *plan, const RenderSource *source);

/* Append an event's block {"id":...}, counting it; null without counts. */
void render_transaction(Buf *buf, const RenderSource *source, TxCounts *counts,
                        uint32_t collection);

/* A buffer over alloc, which must outlive it; what it outgrows stays with alloc. */
Buf plan_buf(Alloc *alloc);

/* Fill source_head and source_table from options, schema and table. */
void plan_source(RenderPlan *plan, const Alloc *alloc);

/* Append ,{...}: the schemas of the envelope's fields source and transaction. */
void schema_source(Buf *buf);
void schema_transaction(Buf *buf);

/*
 * Append the schema of a field: the JSON of a Connect schema without its closing
 * brace's field.  default_json and field may be empty.
 */
void schema_field(Buf *buf, const ColumnPlan *column, bool optional, Slice default_json,
                  Slice field);

/* Append {"schema":...,"payload": for keys and values.  defaults: one for each of the
 * relation's columns. */
void schema_key_head(Buf *buf, const RenderPlan *plan, const Slice *defaults);
void schema_value_head(Buf *buf, const RenderPlan *plan, const Slice *defaults);

#endif
