/*
 * names.h
 *		names of schemas and fields that Avro takes.
 *
 * Debezium's SchemaNameAdjuster: a name of Avro starts with an ASCII letter or an
 * underscore and goes on with these and digits; a schema's has dots too.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_NAMES_H
#define ENVELOPE_NAMES_H

#include "envelope/buf.h"
#include "envelope/options.h"

/*
 * Append name as mode wants it.  AVRO writes an underscore for each other UTF-16 unit,
 * and keeps a digit at the start behind one; AVRO_UNICODE writes _u and the unit's
 * hexadecimal digits, for underscores too.
 */
void names_adjust(Buf *buf, AdjustMode mode, bool is_field, const char *name);

#endif
