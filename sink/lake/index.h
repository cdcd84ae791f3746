/*
 * index.h
 *		where the current row of a key is: key -> (file, position).
 *
 * The key is the canonical bytes of the stored silver values (lake.md 8).  Keys
 * whose width never exceeds 8 bytes are kept as they are.  Others are kept as 96
 * bits of a seeded 128-bit hash (SipHash-2-4): that two of 10^8 keys meet has a chance of
 * 6e-14.  An entry is 16 or 20 bytes; a thousand shards grow by an eighth, one
 * at a time, so that growing needs little room and never stops the stream.
 *
 * One thread.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_INDEX_H
#define LAKE_INDEX_H

#include "envelope/buf.h"

typedef struct Index Index;

typedef struct RowPlace
{
	uint32_t file;
	uint32_t position;
} RowPlace;

/* seed is random bytes.  exact: no key is wider than 8 bytes. */
Index *index_new(bool exact, const uint8_t seed[16]);
void index_free(Index *index); /* NULL is allowed */

/* Make room for so many keys at once: growing by and by moves each key many times. */
void index_reserve(Index *index, size_t count);

/* Where key is; false when it is not there. */
bool index_find(const Index *index, Slice key, RowPlace *place);

/*
 * Set the place of key.  Returns whether it was there before, with that place
 * in *old.
 */
bool index_put(Index *index, Slice key, RowPlace place, RowPlace *old);

/* Take key out; false when it is not there. */
bool index_take(Index *index, Slice key, RowPlace *old);

void index_clear(Index *index);
size_t index_count(const Index *index);
size_t index_bytes(const Index *index);

#endif
