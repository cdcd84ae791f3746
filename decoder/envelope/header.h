/*
 * header.h
 *		a key as the text of a header: __debezium.newkey and __debezium.oldkey.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_HEADER_H
#define ENVELOPE_HEADER_H

#include "envelope/plan.h"

/*
 * Append the key of a row as Kafka Connect's SimpleHeaderConverter prints a Struct
 * (data.Values.convertToString): like its JSON, but that decimals and dates are written
 * out and strings have only quotes and backslashes escaped.  values are the row's, known
 * to be well-formed: its key was rendered before.
 */
void header_put_key(Buf *buf, const RenderPlan *plan, const Value *values);

#endif
