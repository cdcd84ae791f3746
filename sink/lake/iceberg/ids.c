/*
 * ids.c
 *		snapshot ids and uuids; randomness is the caller's.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/ids.h"

#include "envelope/buf.h"

void
uuid4_from_random(uint8_t bytes[16])
{
	bytes[6] = (uint8_t) ((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (uint8_t) ((bytes[8] & 0x3f) | 0x80);
}

const char *
uuid_format(const uint8_t uuid[16], char text[UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *out = text;

	for (int i = 0; i < 16; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[uuid[i] >> 4];
		*out++ = digits[uuid[i] & 15];
	}
	*out = '\0';
	return text;
}

static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool
uuid_parse(const char *text, uint8_t uuid[16])
{
	for (int i = 0; i < 16; i++)
	{
		int high;
		int low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return false;
		high = hex_value(text[0]);
		low = high < 0 ? -1 : hex_value(text[1]);
		if (low < 0)
			return false;
		uuid[i] = (uint8_t) (high << 4 | low);
		text += 2;
	}
	return true;
}

int64_t
snapshot_id_from_uuid(const uint8_t uuid[16])
{
	return (int64_t) ((read_u64(uuid) ^ read_u64(uuid + 8)) & INT64_MAX);
}
