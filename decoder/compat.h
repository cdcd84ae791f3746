/*
 * compat.h
 *		what differs between the servers the plugin compiles for (15 to 18).
 *
 * The only file that looks at PG_VERSION_NUM.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef DECODER_COMPAT_H
#define DECODER_COMPAT_H

#include "postgres.h"

#include "access/htup.h"
#include "replication/output_plugin.h"
#include "replication/reorderbuffer.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* What goes before a function that does not return; 18 gave it this name. */
#ifndef pg_noreturn
#define pg_noreturn _Noreturn
#endif

#if PG_VERSION_NUM < 160000
extern PGDLLEXPORT void _PG_output_plugin_init(OutputPluginCallbacks *callbacks);
#endif

/* Whether a column has no value in the table; 18 brought such. */
#ifdef ATTRIBUTE_GENERATED_VIRTUAL
#define attribute_is_virtual(attribute) \
	((attribute)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#else
#define attribute_is_virtual(attribute) false
#endif

/* The tuples of a change, NULL where it has none.  A wrapper lay around them until 17. */
static inline HeapTuple
change_old_tuple(ReorderBufferChange *change)
{
#if PG_VERSION_NUM >= 170000
	return change->data.tp.oldtuple;
#else
	return change->data.tp.oldtuple == NULL ? NULL : &change->data.tp.oldtuple->tuple;
#endif
}

static inline HeapTuple
change_new_tuple(ReorderBufferChange *change)
{
#if PG_VERSION_NUM >= 170000
	return change->data.tp.newtuple;
#else
	return change->data.tp.newtuple == NULL ? NULL : &change->data.tp.newtuple->tuple;
#endif
}

#endif
