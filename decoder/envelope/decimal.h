/*
 * decimal.h
 *		the values of Connect's logical type Decimal.
 *
 * Unscaled bytes: big-endian two's complement, as java.math.BigInteger.toByteArray().
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_DECIMAL_H
#define ENVELOPE_DECIMAL_H

#include "envelope/buf.h"

/*
 * Append the number as java.math.BigDecimal.toString() has it: with an exponent when
 * scale is negative or the number smaller than a millionth.  base64: of the unscaled
 * bytes, and not of buf.  False, with nothing appended, when it is none.
 */
bool decimal_print(Buf *buf, Slice base64, int scale);

#endif
