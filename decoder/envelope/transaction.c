/*
 * transaction.c
 *		collections, their numbers, and the order of Java's HashMap.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/transaction.h"

#include "envelope/value.h"

#include <stdlib.h>

#define FIRST_ROOM   64
#define JAVA_BUCKETS 16 /* HashMap.DEFAULT_INITIAL_CAPACITY */

void
tx_counts_init(TxCounts *counts, const Alloc *alloc)
{
	*counts = (TxCounts){
		.alloc = *alloc, .count = 1, .room = FIRST_ROOM, .buckets = JAVA_BUCKETS
	};
	counts->collections = alloc_zero(alloc, FIRST_ROOM * sizeof *counts->collections);
	counts->slots = alloc_zero(alloc, FIRST_ROOM * sizeof *counts->slots);
	counts->touched = alloc_zero(alloc, FIRST_ROOM * sizeof *counts->touched);
}

void
tx_counts_reset(TxCounts *counts)
{
	for (uint32_t i = 0; i < counts->touched_count; i++)
		counts->collections[counts->touched[i].collection].events = 0;
	counts->touched_count = 0;
	counts->messages = 0;
	counts->total = 0;
}

/* One UTF-8 character as its code point; names are valid UTF-8. */
static uint32_t
next_character(const char **at)
{
	const unsigned char *bytes = (const unsigned char *) *at;
	int more = bytes[0] >= 0xF0 ? 3 : bytes[0] >= 0xE0 ? 2 : bytes[0] >= 0xC0 ? 1 : 0;
	uint32_t code = more == 0 ? bytes[0] : bytes[0] & (0x3FU >> more);
	int i = 1;

	for (; i <= more && (bytes[i] & 0xC0) == 0x80; i++)
		code = code << 6 | (bytes[i] & 0x3FU);
	*at += i;
	return code;
}

/* String.hashCode() over UTF-16 units, then HashMap.hash(). */
static uint32_t
java_hash(const char *name)
{
	uint32_t hash = 0;

	while (*name != '\0')
	{
		uint32_t code = next_character(&name);

		if (code >= 0x10000)
		{
			hash = hash * 31 + (0xD800 + ((code - 0x10000) >> 10));
			code = 0xDC00 + ((code - 0x10000) & 0x3FF);
		}
		hash = hash * 31 + code;
	}
	return hash ^ hash >> 16;
}

/* A block twice the size, its first half as before; the old one stays with alloc. */
static void *
doubled(const TxCounts *counts, const void *old, size_t item)
{
	void *grown = alloc_zero(&counts->alloc, counts->room * 2 * item);

	memcpy(grown, old, counts->room * item);
	return grown;
}

static void
grow(TxCounts *counts)
{
	counts->collections =
		doubled(counts, counts->collections, sizeof *counts->collections);
	counts->touched = doubled(counts, counts->touched, sizeof *counts->touched);
	counts->room *= 2;
	counts->slots = alloc_zero(&counts->alloc, counts->room * sizeof *counts->slots);
	for (uint32_t i = 1; i < counts->count; i++)
	{
		uint32_t *slot = &counts->slots[counts->collections[i].hash & (counts->room - 1)];

		counts->collections[i].next = *slot;
		*slot = i;
	}
}

uint32_t
tx_collection(TxCounts *counts, const char *name)
{
	uint32_t hash = java_hash(name);
	uint32_t *slot = &counts->slots[hash & (counts->room - 1)];

	for (uint32_t i = *slot; i != 0; i = counts->collections[i].next)
		if (strcmp(counts->collections[i].name, name) == 0)
			return i;
	if (counts->count == counts->room)
	{
		grow(counts);
		slot = &counts->slots[hash & (counts->room - 1)];
	}
	counts->collections[counts->count] = (TxCollection){
		.name = alloc_copy(&counts->alloc, slice_from(name)), .hash = hash, .next = *slot
	};
	*slot = counts->count;
	return counts->count++;
}

/* One more entry; HashMap's load factor is 3/4. */
static void
grow_map(TxCounts *counts)
{
	if (counts->touched_count + counts->messages > counts->buckets / 4 * 3)
		counts->buckets *= 2;
}

uint64_t
tx_count(TxCounts *counts, uint32_t collection)
{
	TxCollection *counted = &counts->collections[collection];

	counts->total++;
	if (collection == TX_MESSAGE)
	{
		counts->messages++;
		grow_map(counts);
		return 1;
	}
	if (counted->events == 0)
	{
		counts->touched[counts->touched_count++].collection = collection;
		grow_map(counts);
	}
	return ++counted->events;
}

TxMark
tx_mark(const TxCounts *counts, uint32_t collection)
{
	return (TxMark){ counts->total, counts->collections[collection].events };
}

void
tx_take_back(TxCounts *counts, uint32_t collection, TxMark mark)
{
	TxCollection *counted = &counts->collections[collection];

	if (mark.events == 0 && counted->events != 0)
		counts->touched_count--;
	counted->events = mark.events;
	counts->total = mark.total;
}

static int
compare_places(const void *left, const void *right)
{
	const TxPlace *a = left;
	const TxPlace *b = right;

	if (a->bucket != b->bucket)
		return a->bucket < b->bucket ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void
put_entry(Buf *buf, const char *name, uint64_t events)
{
	buf_text(buf,
	         buf->data[buf->len - 1] == '[' ? "{\"data_collection\":"
	                                        : ",{\"data_collection\":");
	json_string(buf, slice_from(name));
	buf_text(buf, ",\"event_count\":");
	buf_uint64(buf, events);
	buf_char(buf, '}');
}

void
tx_print(TxCounts *counts, Buf *buf)
{
	for (uint32_t i = 0; i < counts->touched_count; i++)
	{
		TxPlace *place = &counts->touched[i];

		place->order = i;
		place->bucket =
			counts->collections[place->collection].hash & (counts->buckets - 1);
	}
	qsort(
		counts->touched, counts->touched_count, sizeof *counts->touched, compare_places);
	buf_char(buf, '[');
	for (uint32_t i = 0; i < counts->touched_count; i++)
	{
		const TxCollection *counted = &counts->collections[counts->touched[i].collection];

		put_entry(buf, counted->name, counted->events);
	}
	for (uint64_t i = 0; i < counts->messages; i++)
		put_entry(buf, TX_MESSAGE_NAME, 1);
	buf_char(buf, ']');
}
