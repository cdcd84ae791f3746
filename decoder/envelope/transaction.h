/*
 * transaction.h
 *		counting the events of a source transaction (provide.transaction.metadata).
 *
 * Debezium numbers the events of a transaction, over all and per data collection, and
 * lists the collections with their counts when it ends.  A collection is known by its
 * name ("schema.table"), which is looked up once per table version; counting an event
 * is then two increments.
 *
 * Each logical message is a data collection of its own, as its id in Debezium is an
 *object that equals no other.
 *
 * The order of that list is the order in which Java's HashMap of strings is walked
 * (io.debezium.pipeline.txmetadata.TransactionContext), table size included: it grows
 * with the most collections a transaction ever had and never shrinks.  Messages come
 *last: their place there is by the object's address.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_TRANSACTION_H
#define ENVELOPE_TRANSACTION_H

#include "envelope/buf.h"

typedef struct TxCollection
{
	const char *name;
	uint32_t hash;   /* String.hashCode(), spread as HashMap does */
	uint32_t next;   /* in the same slot of the lookup; 0: none */
	uint64_t events; /* of the open transaction */
} TxCollection;

/* A collection with events, and its place in the list. */
typedef struct TxPlace
{
	uint32_t collection;
	uint32_t order; /* of its first event */
	uint32_t bucket;
} TxPlace;

typedef struct TxCounts
{
	Alloc alloc;
	TxCollection *collections; /* the first is not used: 0 stands for messages */
	uint32_t count;            /* with the first */
	uint32_t room;             /* a power of two, also of slots */
	uint32_t *slots;
	TxPlace *touched; /* in order of their first events */
	uint32_t touched_count;
	uint64_t messages; /* logical messages of the open transaction */
	uint32_t buckets;  /* of the HashMap */
	uint64_t total;    /* events of the open transaction, messages too */
} TxCounts;

/* Where a count stood, to take back what a failed event counted. */
typedef struct TxMark
{
	uint64_t total;
	uint64_t events;
} TxMark;

/* What alloc gives must outlive counts. */
void tx_counts_init(TxCounts *counts, const Alloc *alloc);

/* Forget the events counted: another transaction begins. */
void tx_counts_reset(TxCounts *counts);

/* The number that stands for a name, never 0; the same for the same name for ever. */
uint32_t tx_collection(TxCounts *counts, const char *name);

/* Count one event of collection, or with TX_MESSAGE a logical message; its number there
 * is returned, total has the other. */
#define TX_MESSAGE      0
#define TX_MESSAGE_NAME "LOGICAL_DECODING_MESSAGE"
uint64_t tx_count(TxCounts *counts, uint32_t collection);

TxMark tx_mark(const TxCounts *counts, uint32_t collection);
void tx_take_back(TxCounts *counts, uint32_t collection, TxMark mark);

/* Append the list [{"data_collection":"public.t","event_count":1},...]. */
void tx_print(TxCounts *counts, Buf *buf);

#endif
