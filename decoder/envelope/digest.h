/*
 * digest.h
 *		message digests, under the names that java.security.MessageDigest has.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_DIGEST_H
#define ENVELOPE_DIGEST_H

#include "envelope/buf.h"

#define DIGEST_MAX_BYTES 64
#define DIGEST_NAMES                                                \
	"MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512, SHA-512/224, " \
	"SHA-512/256, SHA3-224, SHA3-256, SHA3-384, SHA3-512"

typedef enum DigestFamily
{
	DIGEST_MD5,
	DIGEST_SHA1,
	DIGEST_SHA256,
	DIGEST_SHA512,
	DIGEST_SHA3,
} DigestFamily;

typedef union DigestState
{
	uint32_t narrow[8];
	uint64_t wide[25];
} DigestState;

typedef struct DigestKind
{
	const char *name;
	DigestFamily family;
	size_t block; /* bytes taken at a time */
	size_t bytes; /* of the result */
	DigestState start;
} DigestKind;

/* One digest on its way. */
typedef struct Digest
{
	const DigestKind *kind;
	DigestState state;
	uint8_t bytes[144]; /* an unfinished block; 144 is SHA3-224's */
	size_t used;
	uint64_t total;
} Digest;

/* The digest of that name, without regard to case; NULL: none. */
const DigestKind *digest_find(Slice name);

void digest_start(Digest *digest, const DigestKind *kind);
void digest_add(Digest *digest, Slice bytes);

/* Write the result and return its length; digest must be started again after. */
size_t digest_finish(Digest *digest, uint8_t result[DIGEST_MAX_BYTES]);

/* java.util.UUID.nameUUIDFromBytes: a version 3 UUID (MD5) of the bytes. */
void digest_uuid(Slice bytes, char uuid[16]);

#endif
