/*
 * decimal.h
 *		the values of Connect's logical type Decimal.
 *
 * Unscaled bytes: big-endian two's complement, as java.math.BigInteger.toByteArray().
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONNECT_DECIMAL_H
#define CONNECT_DECIMAL_H

#include "connect/schema.h"

/* The parameter scale of a Decimal's schema; 0 when it has none. */
int decimal_scale(const ConnectSchema *schema);

/* Append the number as java.math.BigDecimal.toString() has it: with an exponent when
 * scale is negative or the number smaller than a millionth. */
void decimal_print(Buf *buf, Slice unscaled, int scale);

#endif
