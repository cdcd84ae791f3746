/*
 * numeric.c
 *		numeric as the heap holds it, to numeric_send's form.
 *
 * NumericData is private to PostgreSQL's numeric.c, but its layout cannot change
 * without dump and reload.  In native byte order, after the varlena header:
 *
 *		short form		u16 header: 1 0 sign(1) scale(6) weight(7, two's complement)
 *		long form		u16 header: sign(2: 00 plus, 01 minus) scale(14); i16 weight
 *		special			u16 header: 1 1 ...: 0xC000 NaN, 0xD000 inf, 0xF000 -inf
 *		then			i16 digits of base 10000, most significant first
 *
 * The wire (numeric_send), big-endian: u16 count, i16 weight, u16 sign, u16 scale,
 * digits.  For specials the server reads scale and weight by the short form's
 * masks, so infinities travel with scale 32; the same is done here.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "numeric.h"

#define FORM_MASK   0xC000
#define FORM_SHORT  0x8000
#define FORM_SPEC   0xC000
#define SPEC_MASK   0xF000
#define LONG_SCALE  0x3FFF
#define SHORT_SIGN  0x2000
#define SHORT_SCALE 0x1F80
#define SHORT_SHIFT 7
#define WEIGHT_SIGN 0x0040
#define WEIGHT_MASK 0x003F
#define WIRE_MINUS  0x4000

static uint16_t
native_u16(const char *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

static char *
put_u16(char *at, uint16_t value)
{
	value = __builtin_bswap16(value);
	memcpy(at, &value, sizeof value);
	return at + sizeof value;
}

static uint16_t
short_weight(uint16_t header)
{
	uint16_t weight = header & WEIGHT_MASK;

	return (header & WEIGHT_SIGN) != 0 ? (uint16_t) (weight | (uint16_t) ~WEIGHT_MASK)
	                                   : weight;
}

bool
numeric_append(Buf *out, const char *payload, size_t len)
{
	uint16_t header, weight, sign, scale;
	size_t count;
	char *at;

	if (len < sizeof header)
		return false;
	header = native_u16(payload);
	payload += sizeof header;
	len -= sizeof header;
	if ((header & FORM_SHORT) != 0)
	{
		bool special = (header & FORM_MASK) == FORM_SPEC;

		weight = short_weight(header);
		scale = (header & SHORT_SCALE) >> SHORT_SHIFT;
		sign = special ? header & SPEC_MASK : (header & SHORT_SIGN) != 0 ? WIRE_MINUS : 0;
	}
	else
	{
		if (len < sizeof weight)
			return false;
		weight = native_u16(payload);
		payload += sizeof weight;
		len -= sizeof weight;
		scale = header & LONG_SCALE;
		sign = header & FORM_MASK;
	}

	count = len / sizeof(uint16_t);
	at = buf_reserve(out, 8 + count * 2);
	at = put_u16(at, (uint16_t) count);
	at = put_u16(at, weight);
	at = put_u16(at, sign);
	at = put_u16(at, scale);
	for (size_t i = 0; i < count; i++)
		at = put_u16(at, native_u16(payload + i * 2));
	out->len += 8 + count * 2;
	return true;
}
