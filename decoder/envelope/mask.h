/*
 * mask.h
 *		column.mask.*, column.truncate.*: which column has which, and what becomes of
 *text.
 *
 * These properties carry their parameters in their names.  Rules are kept in one list;
 * the first kind in the order of MaskKind that names a column applies to it, alone, as in
 * Debezium 3.6 (ColumnMappers).
 *
 * Where a mask acts.  On character types (char, varchar, text, name, citext, "char",
 * enums, domains over them) in the wire's tuples, before they leave the server; snapshots
 * by COPY pass the same function in the worker.  Two exceptions: a null stays null there,
 * and a column that is part of a key, the table's or one of message.key.columns, travels
 * as it is, because Debezium's keys hold it as it is; the renderer masks those in values.
 * Truncation acts on every other type that prints as a string too, in the renderer alone.
 * Masks and hashes leave columns of other types as they are, as Debezium does; their
 * schemas say masked all the same.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_MASK_H
#define ENVELOPE_MASK_H

#include "envelope/digest.h"
#include "envelope/filter.h"
#include "envelope/relation.h"

typedef enum MaskKind
{
	MASK_TRUNCATE,
	MASK_CHARS,
	MASK_HASH_V1, /* of the text as Java serialises a String */
	MASK_HASH_V2, /* of the text */
} MaskKind;

typedef struct MaskRule
{
	const char *property; /* "column.mask.with.10.chars" */
	MaskKind kind;
	uint32_t length; /* TRUNCATE, CHARS: in UTF-16 units, as Java counts */
	const DigestKind *digest;
	Slice salt;
	FilterList columns;
} MaskRule;

typedef struct MaskRules
{
	size_t count;
	MaskRule *rules; /* as they were given; one a property */
} MaskRules;

/*
 * Whether name is a property of one of the families, with dots, or underscores, between
 * its words; *kind is then set.  A salt is taken as it is written.
 */
bool mask_is_property(const char *name, MaskKind *kind);

/* The property's name with *** for a salt, which may not be shown. */
const char *mask_shown(const char *name, const Alloc *alloc);

/*
 * Set the columns of a property that mask_is_property knows, replacing what it had
 * before. False with error set for a bad number, an unknown digest or a bad expression.
 */
bool mask_set(MaskRules *rules, const char *name, const char *columns, const Alloc *alloc,
              EnvError *error);

/* Append all rules as one text: per rule the length, a colon and the bytes of its
 * property, then of its columns; mask_read() gives them back. */
void mask_write(const MaskRules *rules, Buf *text);
bool mask_read(MaskRules *rules, const char *text, const Alloc *alloc, EnvError *error);

void mask_free(MaskRules *rules);

/* What a column of a relation has. */
typedef struct ColumnMask
{
	const MaskRule *rule; /* NULL: nothing; the rest is then unset */
	bool is_text;         /* a character type */
	bool is_char;         /* type "char", whose zero byte is an empty text */
	bool at_source;       /* what travels is masked already */
	uint32_t column_length;
} ColumnMask;

struct EnvOptions;

/* The mask of a column under options; what it points to is theirs. */
ColumnMask mask_find(const struct EnvOptions *options, const Relation *relation,
                     uint16_t column);

/* Whether the bytes of [start, buf->len) are longer than a truncation allows, or are to
 * be masked or hashed; replace them by what stands for them. */
void mask_replace(Buf *buf, size_t start, const ColumnMask *mask);

/* The same where these bytes are one JSON string; others are left alone. */
void mask_replace_json(Buf *buf, size_t start, const ColumnMask *mask);

#endif
