/*
 * md5.c
 *		MD5 (RFC 1321), for the UUIDs that Java derives from names.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/md5.h"

/* floor(2^32 * |sin(i + 1)|), RFC 1321 section 3.4 */
static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
	0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
	0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
	0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
	0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
	0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
	0xeb86d391,
};

static const uint8_t shifts[4][4] = {
	{ 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
};

static void
add_block(uint32_t state[4], const uint8_t block[64])
{
	uint32_t words[16];
	uint32_t a = state[0];
	uint32_t b = state[1];
	uint32_t c = state[2];
	uint32_t d = state[3];

	memcpy(words, block, sizeof words);
	for (unsigned i = 0; i < 64; i++)
	{
		unsigned round = i / 16;
		unsigned shift = shifts[round][i % 4];
		uint32_t mix;
		uint32_t word;
		uint32_t sum;

		if (round == 0)
			mix = (b & c) | (~b & d), word = words[i];
		else if (round == 1)
			mix = (d & b) | (~d & c), word = words[(5 * i + 1) % 16];
		else if (round == 2)
			mix = b ^ c ^ d, word = words[(3 * i + 5) % 16];
		else
			mix = c ^ (b | ~d), word = words[7 * i % 16];
		sum = a + mix + sines[i] + word;
		a = d;
		d = c;
		c = b;
		b += sum << shift | sum >> (32 - shift);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

void
md5_uuid(Slice bytes, char uuid[16])
{
	uint32_t state[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
	uint64_t bits = (uint64_t) bytes.len * 8;
	uint8_t block[64];
	size_t at = 0;

	for (; bytes.len - at >= 64; at += 64)
		add_block(state, (const uint8_t *) bytes.data + at);
	memset(block, 0, sizeof block);
	memcpy(block, bytes.data + at, bytes.len - at);
	block[bytes.len - at] = 0x80;
	if (bytes.len - at >= 56)
	{
		add_block(state, block);
		memset(block, 0, sizeof block);
	}
	memcpy(block + 56, &bits, sizeof bits);
	add_block(state, block);
	memcpy(uuid, state, 16);
	uuid[6] = (char) ((uuid[6] & 0x0f) | 0x30);
	uuid[8] = (char) ((uuid[8] & 0x3f) | 0x80);
}
