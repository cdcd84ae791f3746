/*
 * numeric.h
 *		numeric as the heap holds it, to numeric_send's form.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef DECODER_NUMERIC_H
#define DECODER_NUMERIC_H

#include <stddef.h>

#include "envelope/buf.h"

/*
 * Append the wire form of a numeric.  payload is what follows the varlena
 * header, of any alignment.  False when it is too short to be a numeric.
 */
bool numeric_append(Buf *out, const char *payload, size_t len);

#endif
