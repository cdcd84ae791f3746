/*
 * index.c
 *		a sharded hash table with linear probing.
 *
 *		hash of the key:  shard (10 bits) | home slot: the other bits, scaled
 *		entry:            key or hash (2 or 3 words) | file | position
 *
 * Deleting moves later entries of the run back, so there are no tombstones and
 * probing stays as short as the load (at most 85 %) makes it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/index.h"

#include <stdlib.h>

#include "base/arena.h"

#define SHARDS     1024
#define MAX_WORDS  5
#define FIRST_SIZE 16
#define FREE_FILE  UINT32_MAX /* in an entry nobody uses */

typedef struct Shard
{
	uint32_t *entries;
	uint32_t capacity;
	uint32_t count;
} Shard;

struct Index
{
	bool exact;
	uint32_t words; /* of an entry */
	uint32_t key_words;
	uint64_t seed[2];
	size_t count;
	Shard shards[SHARDS];
};

/* What is looked for: the words to compare and where they belong. */
typedef struct Probe
{
	uint32_t key[3];
	uint64_t hash;
} Probe;

Index *
index_new(bool exact, const uint8_t seed[16])
{
	Index *index = xmalloc(sizeof *index);

	*index = (Index){ .exact = exact, .key_words = exact ? 2 : 3 };
	index->words = index->key_words + 2;
	memcpy(index->seed, seed, sizeof index->seed);
	return index;
}

void
index_clear(Index *index)
{
	for (size_t i = 0; i < SHARDS; i++)
	{
		free(index->shards[i].entries);
		index->shards[i] = (Shard){ 0 };
	}
	index->count = 0;
}

void
index_free(Index *index)
{
	if (index == NULL)
		return;
	index_clear(index);
	free(index);
}

/* ---- Hashing ---- */

static inline uint64_t
rotate(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static inline void
sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

/* SipHash-2-4 with 128 bits of output (Aumasson and Bernstein's reference). */
static void
sip_hash(const uint64_t seed[2], Slice bytes, uint64_t result[2])
{
	uint64_t v[4] = { seed[0] ^ UINT64_C(0x736f6d6570736575),
		              seed[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
		              seed[0] ^ UINT64_C(0x6c7967656e657261),
		              seed[1] ^ UINT64_C(0x7465646279746573) };
	size_t whole = bytes.len & ~(size_t) 7;
	uint64_t word;

	for (size_t at = 0; at < whole; at += 8)
	{
		memcpy(&word, bytes.data + at, sizeof word);
		sip_word(v, word);
	}
	word = 0;
	if (bytes.len > whole)
		memcpy(&word, bytes.data + whole, bytes.len - whole);
	sip_word(v, word | (uint64_t) bytes.len << 56);
	v[2] ^= 0xee;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	result[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
	v[1] ^= 0xdd;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	result[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* A bijection that spreads small and regular integers (splitmix64). */
static inline uint64_t
mix(uint64_t word)
{
	word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
	return word ^ word >> 31;
}

/* The hash of what an entry holds: the same for a probe and for a stored entry. */
static inline uint64_t
key_hash(const Index *index, const uint32_t *key)
{
	uint64_t word;

	memcpy(&word, key, sizeof word);
	return index->exact ? mix(word ^ index->seed[0]) : word;
}

static Probe
probe_make(const Index *index, Slice key)
{
	Probe probe = { { 0 }, 0 };
	uint64_t hash[2];

	if (index->exact)
	{
		if (key.len > 0)
			memcpy(probe.key, key.data, key.len < 8 ? key.len : 8);
	}
	else
	{
		sip_hash(index->seed, key, hash);
		memcpy(probe.key, hash, sizeof probe.key);
	}
	probe.hash = key_hash(index, probe.key);
	return probe;
}

/* ---- Slots ---- */

static inline uint32_t
home_slot(const Shard *shard, uint64_t hash)
{
	return (uint32_t) ((uint64_t) (uint32_t) hash * shard->capacity >> 32);
}

static inline uint32_t *
slot_entry(const Index *index, const Shard *shard, uint32_t slot)
{
	return shard->entries + (size_t) slot * index->words;
}

static inline uint32_t *
entry_place(const Index *index, uint32_t *entry)
{
	return entry + index->key_words;
}

static inline bool
entry_is_free(const Index *index, uint32_t *entry)
{
	return *entry_place(index, entry) == FREE_FILE;
}

static inline bool
entry_matches(const Index *index, const uint32_t *entry, const Probe *probe)
{
	return entry[0] == probe->key[0] && entry[1] == probe->key[1] &&
	       (index->exact || entry[2] == probe->key[2]);
}

static inline Shard *
find_shard(const Index *index, uint64_t hash)
{
	return (Shard *) &index->shards[hash >> 54];
}

/* The slot of the probe, or the free one where it belongs.  The shard has a free slot. */
static uint32_t
find_slot(const Index *index, const Shard *shard, const Probe *probe)
{
	uint32_t slot = home_slot(shard, probe->hash);

	for (;;)
	{
		uint32_t *entry = slot_entry(index, shard, slot);

		if (entry_is_free(index, entry) || entry_matches(index, entry, probe))
			return slot;
		if (++slot == shard->capacity)
			slot = 0;
	}
}

static void
shard_grow(const Index *index, Shard *shard, uint32_t capacity)
{
	Shard grown = { .count = shard->count, .capacity = capacity };
	size_t bytes;

	bytes = (size_t) grown.capacity * index->words * sizeof(uint32_t);
	grown.entries = xmalloc(bytes);
	memset(grown.entries, 0xFF, bytes);
	for (uint32_t slot = 0; slot < shard->capacity; slot++)
	{
		uint32_t *entry = slot_entry(index, shard, slot);
		Probe probe;

		if (entry_is_free(index, entry))
			continue;
		memcpy(probe.key, entry, sizeof(uint32_t) * index->key_words);
		probe.hash = key_hash(index, entry);
		memcpy(slot_entry(index, &grown, find_slot(index, &grown, &probe)),
		       entry,
		       sizeof(uint32_t) * index->words);
	}
	free(shard->entries);
	*shard = grown;
}

static bool
has_room(uint64_t capacity, uint64_t count)
{
	return count * 20 <= capacity * 17;
}

static uint32_t
next_capacity(uint32_t capacity)
{
	if (capacity == 0)
		return FIRST_SIZE;
	return capacity < 256 ? capacity * 2 : capacity + capacity / 8;
}

/* ---- The interface ---- */

void
index_reserve(Index *index, size_t count)
{
	/* and a sixteenth, as some shards have more than others */
	uint64_t each = (uint64_t) count / SHARDS * 17 / 16;
	uint32_t capacity = 0;

	while (!has_room(capacity, each))
		capacity = next_capacity(capacity);
	for (size_t i = 0; i < SHARDS; i++)
		if (index->shards[i].capacity < capacity)
			shard_grow(index, &index->shards[i], capacity);
}

bool
index_find(const Index *index, Slice key, RowPlace *place)
{
	Probe probe = probe_make(index, key);
	const Shard *shard = find_shard(index, probe.hash);
	uint32_t *entry;

	if (shard->count == 0)
		return false;
	entry = slot_entry(index, shard, find_slot(index, shard, &probe));
	if (entry_is_free(index, entry))
		return false;
	memcpy(place, entry_place(index, entry), sizeof *place);
	return true;
}

bool
index_put(Index *index, Slice key, RowPlace place, RowPlace *old)
{
	Probe probe = probe_make(index, key);
	Shard *shard = find_shard(index, probe.hash);
	uint32_t *entry;
	bool was_there;

	if (!has_room(shard->capacity, shard->count + 1))
		shard_grow(index, shard, next_capacity(shard->capacity));
	entry = slot_entry(index, shard, find_slot(index, shard, &probe));
	was_there = !entry_is_free(index, entry);
	if (was_there)
		memcpy(old, entry_place(index, entry), sizeof *old);
	else
	{
		memcpy(entry, probe.key, sizeof(uint32_t) * index->key_words);
		shard->count++;
		index->count++;
	}
	memcpy(entry_place(index, entry), &place, sizeof place);
	return was_there;
}

/* Fill the hole at slot from the run behind it. */
static void
close_hole(const Index *index, const Shard *shard, uint32_t hole)
{
	uint32_t slot = hole;

	for (;;)
	{
		uint32_t *entry;
		uint32_t home;

		if (++slot == shard->capacity)
			slot = 0;
		entry = slot_entry(index, shard, slot);
		if (entry_is_free(index, entry))
			break;
		home = home_slot(shard, key_hash(index, entry));
		/* Stay when home lies cyclically behind the hole, up to slot. */
		if (hole <= slot ? hole < home && home <= slot : hole < home || home <= slot)
			continue;
		memcpy(slot_entry(index, shard, hole), entry, sizeof(uint32_t) * index->words);
		hole = slot;
	}
	*entry_place(index, slot_entry(index, shard, hole)) = FREE_FILE;
}

bool
index_take(Index *index, Slice key, RowPlace *old)
{
	Probe probe = probe_make(index, key);
	Shard *shard = find_shard(index, probe.hash);
	uint32_t *entry;
	uint32_t slot;

	if (shard->count == 0)
		return false;
	slot = find_slot(index, shard, &probe);
	entry = slot_entry(index, shard, slot);
	if (entry_is_free(index, entry))
		return false;
	memcpy(old, entry_place(index, entry), sizeof *old);
	close_hole(index, shard, slot);
	shard->count--;
	index->count--;
	return true;
}

size_t
index_count(const Index *index)
{
	return index->count;
}

size_t
index_bytes(const Index *index)
{
	size_t bytes = sizeof *index;

	for (size_t i = 0; i < SHARDS; i++)
		bytes += (size_t) index->shards[i].capacity * index->words * sizeof(uint32_t);
	return bytes;
}
