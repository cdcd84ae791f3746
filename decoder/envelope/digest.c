/*
 * digest.c
 *		message digests: MD5 (RFC 1321), SHA-1 and SHA-2 (FIPS 180-4), SHA-3 (FIPS 202).
 *
 * Written here because the library that both halves compile links nothing, and the
 * plugin may not bring a second OpenSSL into the server.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/digest.h"

#include <stdio.h>
#include <strings.h>

/* ---- MD5 ---- */

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
md5_block(uint32_t state[4], const uint8_t block[64])
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

/* ---- SHA-1, SHA-2 ---- */

static inline uint32_t
rotate32(uint32_t value, unsigned by)
{
	return value << by | value >> (32 - by);
}

/* To the right, as FIPS 180-4 writes SHA-2. */
static inline uint32_t
right32(uint32_t value, unsigned by)
{
	return value >> by | value << (32 - by);
}

static inline uint64_t
right64(uint64_t value, unsigned by)
{
	return value >> by | value << (64 - by);
}

static void
sha1_block(uint32_t state[5], const uint8_t block[64])
{
	static const uint32_t constants[4] = {
		0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6
	};
	uint32_t words[80];
	uint32_t v[5];

	for (unsigned i = 0; i < 16; i++)
		words[i] = read_u32(block + i * 4);
	for (unsigned i = 16; i < 80; i++)
		words[i] =
			rotate32(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
	memcpy(v, state, sizeof v);
	for (unsigned i = 0; i < 80; i++)
	{
		uint32_t mix = i < 20              ? (v[1] & v[2]) | (~v[1] & v[3])
		               : i >= 40 && i < 60 ? (v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3])
		                                   : v[1] ^ v[2] ^ v[3];
		uint32_t next = rotate32(v[0], 5) + mix + v[4] + constants[i / 20] + words[i];

		v[4] = v[3];
		v[3] = v[2];
		v[2] = rotate32(v[1], 30);
		v[1] = v[0];
		v[0] = next;
	}
	for (unsigned i = 0; i < 5; i++)
		state[i] += v[i];
}

/* The first 64 bits of the fractional parts of the cube roots of the first 80 primes;
 * SHA-256 has the upper halves of the first 64. */
static const uint64_t cube_roots[80] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
	0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
	0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
	0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
	0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
	0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
	0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
	0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
	0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
	0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
	0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
	0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
	0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
	0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
	0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
	0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
	0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static void
sha256_block(uint32_t state[8], const uint8_t block[64])
{
	uint32_t words[64];
	uint32_t v[8];

	for (unsigned i = 0; i < 16; i++)
		words[i] = read_u32(block + i * 4);
	for (unsigned i = 16; i < 64; i++)
	{
		uint32_t a = words[i - 15];
		uint32_t b = words[i - 2];

		words[i] = words[i - 16] + (right32(a, 7) ^ right32(a, 18) ^ a >> 3) +
		           words[i - 7] + (right32(b, 17) ^ right32(b, 19) ^ b >> 10);
	}
	memcpy(v, state, sizeof v);
	for (unsigned i = 0; i < 64; i++)
	{
		uint32_t one = v[7] + (right32(v[4], 6) ^ right32(v[4], 11) ^ right32(v[4], 25)) +
		               ((v[4] & v[5]) ^ (~v[4] & v[6])) +
		               (uint32_t) (cube_roots[i] >> 32) + words[i];
		uint32_t two = (right32(v[0], 2) ^ right32(v[0], 13) ^ right32(v[0], 22)) +
		               ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += one;
		v[0] = one + two;
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += v[i];
}

static void
sha512_block(uint64_t state[8], const uint8_t block[128])
{
	uint64_t words[80];
	uint64_t v[8];

	for (unsigned i = 0; i < 16; i++)
		words[i] = read_u64(block + i * 8);
	for (unsigned i = 16; i < 80; i++)
	{
		uint64_t a = words[i - 15];
		uint64_t b = words[i - 2];

		words[i] = words[i - 16] + (right64(a, 1) ^ right64(a, 8) ^ a >> 7) +
		           words[i - 7] + (right64(b, 19) ^ right64(b, 61) ^ b >> 6);
	}
	memcpy(v, state, sizeof v);
	for (unsigned i = 0; i < 80; i++)
	{
		uint64_t one = v[7] +
		               (right64(v[4], 14) ^ right64(v[4], 18) ^ right64(v[4], 41)) +
		               ((v[4] & v[5]) ^ (~v[4] & v[6])) + cube_roots[i] + words[i];
		uint64_t two = (right64(v[0], 28) ^ right64(v[0], 34) ^ right64(v[0], 39)) +
		               ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += one;
		v[0] = one + two;
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += v[i];
}

/* ---- SHA-3 ---- */

static void
keccak(uint64_t lanes[25])
{
	static const uint64_t rounds[24] = {
		0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
		0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
		0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
		0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
		0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
		0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
	};

	for (unsigned round = 0; round < 24; round++)
	{
		uint64_t columns[5];
		uint64_t moved[25];
		unsigned x = 1;
		unsigned y = 0;

		for (unsigned i = 0; i < 5; i++)
			columns[i] =
				lanes[i] ^ lanes[i + 5] ^ lanes[i + 10] ^ lanes[i + 15] ^ lanes[i + 20];
		for (unsigned i = 0; i < 25; i++)
			lanes[i] ^= columns[(i + 4) % 5] ^ right64(columns[(i + 1) % 5], 63);
		moved[0] = lanes[0];
		for (unsigned t = 0; t < 24; t++)
		{
			unsigned shift = (t + 1) * (t + 2) / 2 % 64;
			unsigned next = (2 * x + 3 * y) % 5;
			uint64_t lane = lanes[x + 5 * y];

			moved[y + 5 * next] =
				shift == 0 ? lane : lane << shift | lane >> (64 - shift);
			x = y;
			y = next;
		}
		for (unsigned i = 0; i < 25; i++)
			lanes[i] = moved[i] ^
			           (~moved[i / 5 * 5 + (i + 1) % 5] & moved[i / 5 * 5 + (i + 2) % 5]);
		lanes[0] ^= rounds[round];
	}
}

static void
sha3_block(Digest *digest)
{
	for (unsigned i = 0; i < digest->kind->block / 8; i++)
	{
		uint64_t word;

		memcpy(&word, digest->bytes + i * 8, sizeof word); /* little-endian */
		digest->state.wide[i] ^= word;
	}
	keccak(digest->state.wide);
}

/* ---- The table ---- */

#define NARROW(...)               \
	{                             \
		.narrow = { __VA_ARGS__ } \
	}
#define WIDE(...)               \
	{                           \
		.wide = { __VA_ARGS__ } \
	}

/* clang-format off */
static const DigestKind kinds[] = {
	{ "MD5", DIGEST_MD5, 64, 16, NARROW(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476) },
	{ "SHA-1", DIGEST_SHA1, 64, 20, NARROW(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0) },
	{ "SHA-224", DIGEST_SHA256, 64, 28, NARROW(
	  0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4) },
	{ "SHA-256", DIGEST_SHA256, 64, 32, NARROW(
	  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19) },
	{ "SHA-384", DIGEST_SHA512, 128, 48, WIDE(
	  0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
	  0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4) },
	{ "SHA-512", DIGEST_SHA512, 128, 64, WIDE(
	  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179) },
	{ "SHA-512/224", DIGEST_SHA512, 128, 28, WIDE(
	  0x8c3d37c819544da2, 0x73e1996689dcd4d6, 0x1dfab7ae32ff9c82, 0x679dd514582f9fcf,
	  0x0f6d2b697bd44da8, 0x77e36f7304c48942, 0x3f9d85a86a1d36c8, 0x1112e6ad91d692a1) },
	{ "SHA-512/256", DIGEST_SHA512, 128, 32, WIDE(
	  0x22312194fc2bf72c, 0x9f555fa3c84c64c2, 0x2393b86b6f53b151, 0x963877195940eabd,
	  0x96283ee2a88effe3, 0xbe5e1e2553863992, 0x2b0199fc2c85b8aa, 0x0eb72ddc81c52ca2) },
	{ "SHA3-224", DIGEST_SHA3, 144, 28, WIDE(0) },
	{ "SHA3-256", DIGEST_SHA3, 136, 32, WIDE(0) },
	{ "SHA3-384", DIGEST_SHA3, 104, 48, WIDE(0) },
	{ "SHA3-512", DIGEST_SHA3, 72, 64, WIDE(0) },
};

/* Other names that java.security.MessageDigest knows. */
static const char *const aliases[][2] = {
	{ "SHA", "SHA-1" },       { "SHA1", "SHA-1" },      { "SHA224", "SHA-224" },
	{ "SHA256", "SHA-256" },  { "SHA384", "SHA-384" },  { "SHA512", "SHA-512" },
};
/* clang-format on */

const DigestKind *
digest_find(Slice name)
{
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (strlen(aliases[i][0]) == name.len &&
		    strncasecmp(aliases[i][0], name.data, name.len) == 0)
			name = slice_from(aliases[i][1]);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strlen(kinds[i].name) == name.len &&
		    strncasecmp(kinds[i].name, name.data, name.len) == 0)
			return &kinds[i];
	return NULL;
}

/* ---- Running one ---- */

static void
add_block(Digest *digest)
{
	switch (digest->kind->family)
	{
		case DIGEST_MD5:
			md5_block(digest->state.narrow, digest->bytes);
			break;
		case DIGEST_SHA1:
			sha1_block(digest->state.narrow, digest->bytes);
			break;
		case DIGEST_SHA256:
			sha256_block(digest->state.narrow, digest->bytes);
			break;
		case DIGEST_SHA512:
			sha512_block(digest->state.wide, digest->bytes);
			break;
		case DIGEST_SHA3:
			sha3_block(digest);
			break;
	}
	digest->used = 0;
}

void
digest_start(Digest *digest, const DigestKind *kind)
{
	digest->kind = kind;
	digest->state = kind->start;
	digest->used = 0;
	digest->total = 0;
}

void
digest_add(Digest *digest, Slice bytes)
{
	digest->total += bytes.len;
	while (bytes.len > 0)
	{
		size_t room = digest->kind->block - digest->used;
		size_t part = bytes.len < room ? bytes.len : room;

		memcpy(digest->bytes + digest->used, bytes.data, part);
		digest->used += part;
		bytes.data += part;
		bytes.len -= part;
		if (digest->used == digest->kind->block)
			add_block(digest);
	}
}

/* Fill up with zeros to where the length, or the last bit of SHA-3, goes. */
static void
pad(Digest *digest, uint8_t first, size_t tail)
{
	size_t block = digest->kind->block;

	digest->bytes[digest->used++] = first;
	if (digest->used > block - tail)
	{
		memset(digest->bytes + digest->used, 0, block - digest->used);
		add_block(digest);
	}
	memset(digest->bytes + digest->used, 0, block - digest->used);
}

static void
put_length(Digest *digest)
{
	uint64_t bits = digest->total * 8;

	if (digest->kind->family != DIGEST_MD5)
		bits = __builtin_bswap64(bits);
	memcpy(digest->bytes + digest->kind->block - 8, &bits, sizeof bits);
}

size_t
digest_finish(Digest *digest, uint8_t result[DIGEST_MAX_BYTES])
{
	const DigestKind *kind = digest->kind;

	if (kind->family == DIGEST_SHA3)
	{
		pad(digest, 0x06, 0);
		digest->bytes[kind->block - 1] |= 0x80;
	}
	else
	{
		pad(digest, 0x80, kind->block / 8);
		put_length(digest);
	}
	add_block(digest);
	if (kind->family == DIGEST_SHA1 || kind->family == DIGEST_SHA256)
		for (int i = 0; i < 8; i++)
			digest->state.narrow[i] = __builtin_bswap32(digest->state.narrow[i]);
	if (kind->family == DIGEST_SHA512)
		for (int i = 0; i < 8; i++)
			digest->state.wide[i] = __builtin_bswap64(digest->state.wide[i]);
	memcpy(result, &digest->state, kind->bytes);
	return kind->bytes;
}

void
digest_uuid(Slice bytes, char uuid[16])
{
	uint8_t result[DIGEST_MAX_BYTES];
	Digest digest;

	digest_start(&digest, &kinds[0]);
	digest_add(&digest, bytes);
	(void) digest_finish(&digest, result);
	memcpy(uuid, result, 16);
	uuid[6] = (char) ((uuid[6] & 0x0f) | 0x30);
	uuid[8] = (char) ((uuid[8] & 0x3f) | 0x80);
}
