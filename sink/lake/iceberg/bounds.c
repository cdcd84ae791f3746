/*
 * bounds.c
 *		single values as bytes: column bounds, partition values, and their order.
 *
 * The machine is little-endian, as the format is (buf.h assumes it too).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/bounds.h"

static Slice
copy_bytes(Arena *arena, const void *bytes, size_t len)
{
	return arena_slice(arena, (Slice){ bytes, len });
}

Slice
bound_boolean(Arena *arena, bool value)
{
	return copy_bytes(arena, value ? "\1" : "\0", 1);
}

Slice
bound_int(Arena *arena, int32_t value)
{
	return copy_bytes(arena, &value, sizeof value);
}

Slice
bound_long(Arena *arena, int64_t value)
{
	return copy_bytes(arena, &value, sizeof value);
}

Slice
bound_float(Arena *arena, float value, BoundSide side)
{
	if (!(value < 0) && !(value > 0))
		value = side == BOUND_LOWER ? -0.0f : 0.0f;
	return copy_bytes(arena, &value, sizeof value);
}

Slice
bound_double(Arena *arena, double value, BoundSide side)
{
	if (!(value < 0) && !(value > 0))
		value = side == BOUND_LOWER ? -0.0 : 0.0;
	return copy_bytes(arena, &value, sizeof value);
}

Slice
bound_decimal(Arena *arena, __int128 unscaled)
{
	uint8_t bytes[16];
	unsigned __int128 rest = (unsigned __int128) unscaled;
	uint8_t filler = unscaled < 0 ? 0xff : 0;
	size_t skip = 0;

	for (int i = 15; i >= 0; i--, rest >>= 8)
		bytes[i] = (uint8_t) rest;

	/* A leading byte is redundant when the next one has the same sign. */
	while (skip < 15 && bytes[skip] == filler &&
	       (bytes[skip + 1] & 0x80) == (filler & 0x80))
		skip++;
	return copy_bytes(arena, bytes + skip, 16 - skip);
}

Slice
bound_uuid(Arena *arena, const uint8_t uuid[16])
{
	return copy_bytes(arena, uuid, 16);
}

Slice
bound_exact(Arena *arena, Slice value)
{
	return arena_slice(arena, value);
}

#define CODE_POINT_MAX 0x10ffff

/* Decode the code point at the front of text; its length, 0 when malformed. */
static size_t
utf8_decode(Slice text, uint32_t *point)
{
	const uint8_t *p = (const uint8_t *) text.data;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;

	if (p[0] < 0x80)
	{
		*point = p[0];
		return 1;
	}
	len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || text.len < len)
		return 0;
	*point = (uint32_t) p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++)
	{
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (p[i] & 0x3fu);
	}
	if (*point < least[len] || *point > CODE_POINT_MAX || (*point & 0x1ff800) == 0xd800)
		return 0;
	return len;
}

static size_t
utf8_encode(uint32_t point, char *out)
{
	size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

	if (len == 1)
	{
		out[0] = (char) point;
		return 1;
	}
	for (size_t i = len - 1; i > 0; i--, point >>= 6)
		out[i] = (char) (0x80 | (point & 0x3f));
	out[0] = (char) ((0xf00 >> len & 0xff) | point);
	return len;
}

bool
bound_string(Arena *arena, Slice value, BoundSide side, Slice *bound)
{
	size_t starts[BOUND_STRING_LENGTH];
	uint32_t points[BOUND_STRING_LENGTH];
	size_t at = 0;
	int count = 0;

	while (at < value.len && count < BOUND_STRING_LENGTH)
	{
		size_t len;

		starts[count] = at;
		len = utf8_decode((Slice){ value.data + at, value.len - at }, &points[count]);
		if (len == 0)
			return false;
		at += len;
		count++;
	}
	*bound = copy_bytes(arena, value.data, at);
	if (at == value.len || side == BOUND_LOWER)
		return true;

	while (count-- > 0)
	{
		char *out;
		uint32_t next = points[count] + 1;

		if (next > CODE_POINT_MAX)
			continue;
		if (next == 0xd800)
			next = 0xe000;
		out = arena_alloc(arena, starts[count] + 4);
		memcpy(out, value.data, starts[count]);
		*bound = (Slice){ out, starts[count] + utf8_encode(next, out + starts[count]) };
		return true;
	}
	return false;
}

bool
bound_binary(Arena *arena, Slice value, BoundSide side, Slice *bound)
{
	size_t len = value.len < BOUND_STRING_LENGTH ? value.len : BOUND_STRING_LENGTH;
	char *out;

	*bound = copy_bytes(arena, value.data, len);
	if (len == value.len || side == BOUND_LOWER)
		return true;
	while (len > 0 && (uint8_t) value.data[len - 1] == 0xff)
		len--;
	if (len == 0)
		return false;
	out = arena_alloc(arena, len);
	memcpy(out, value.data, len);
	out[len - 1] = (char) (out[len - 1] + 1);
	*bound = (Slice){ out, len };
	return true;
}

/* An integer of 1 to 16 bytes, two's complement, in either byte order. */
static __int128
integer_of(Slice bytes, bool big_endian)
{
	const uint8_t *p = (const uint8_t *) bytes.data;
	unsigned __int128 value =
		(p[big_endian ? 0 : bytes.len - 1] & 0x80) ? ~(unsigned __int128) 0 : 0;

	for (size_t i = 0; i < bytes.len; i++)
		value = value << 8 | p[big_endian ? i : bytes.len - 1 - i];
	return (__int128) value;
}

__int128
bound_integer(const IcebergType *type, Slice bytes)
{
	return integer_of(bytes, type->kind == ICEBERG_DECIMAL);
}

double
bound_real(Slice bytes)
{
	float narrow;
	double wide;

	if (bytes.len == sizeof narrow)
	{
		memcpy(&narrow, bytes.data, sizeof narrow);
		return (double) narrow;
	}
	memcpy(&wide, bytes.data, sizeof wide);
	return wide;
}

static int
compare_bytes(Slice a, Slice b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* How the bytes of a kind are laid out, and how long they may be. */
typedef enum Layout
{
	LAYOUT_BYTES,
	LAYOUT_INTEGER,
	LAYOUT_REAL,
	LAYOUT_DECIMAL,
} Layout;

static const struct
{
	Layout layout;
	size_t len;    /* 0: any */
	size_t narrow; /* before a promotion (int to long, float to double) */
} layouts[] = {
	/* clang-format off */
	[ICEBERG_BOOLEAN]     = { LAYOUT_INTEGER, 1, 1 },
	[ICEBERG_INT]         = { LAYOUT_INTEGER, 4, 4 },
	[ICEBERG_LONG]        = { LAYOUT_INTEGER, 8, 4 },
	[ICEBERG_FLOAT]       = { LAYOUT_REAL, 4, 4 },
	[ICEBERG_DOUBLE]      = { LAYOUT_REAL, 8, 4 },
	[ICEBERG_DECIMAL]     = { LAYOUT_DECIMAL, 0, 0 },
	[ICEBERG_DATE]        = { LAYOUT_INTEGER, 4, 4 },
	[ICEBERG_TIME]        = { LAYOUT_INTEGER, 8, 8 },
	[ICEBERG_TIMESTAMP]   = { LAYOUT_INTEGER, 8, 8 },
	[ICEBERG_TIMESTAMPTZ] = { LAYOUT_INTEGER, 8, 8 },
	[ICEBERG_STRING]      = { LAYOUT_BYTES, 0, 0 },
	[ICEBERG_UUID]        = { LAYOUT_BYTES, 16, 16 },
	[ICEBERG_FIXED]       = { LAYOUT_BYTES, 0, 0 },
	[ICEBERG_BINARY]      = { LAYOUT_BYTES, 0, 0 },
	/* clang-format on */
};

bool
bound_is_valid(const IcebergType *type, Slice bytes)
{
	if (iceberg_is_nested(type))
		return false;
	if (type->kind == ICEBERG_DECIMAL)
		return bytes.len >= 1 && bytes.len <= 16;
	if (type->kind == ICEBERG_FIXED)
		return bytes.len == (size_t) type->length;
	return layouts[type->kind].len == 0 || bytes.len == layouts[type->kind].len ||
	       bytes.len == layouts[type->kind].narrow;
}

int
bound_compare(const IcebergType *type, Slice a, Slice b)
{
	Layout layout = LAYOUT_BYTES;

	if (bound_is_valid(type, a) && bound_is_valid(type, b))
		layout = layouts[type->kind].layout;
	if (layout == LAYOUT_REAL)
	{
		double left = bound_real(a);
		double right = bound_real(b);

		return (left > right) - (left < right);
	}
	if (layout == LAYOUT_INTEGER || layout == LAYOUT_DECIMAL)
	{
		__int128 left = bound_integer(type, a);
		__int128 right = bound_integer(type, b);

		return (left > right) - (left < right);
	}
	return compare_bytes(a, b);
}
