/*
 * store.h
 *		what every table of the lake writes through: storage, catalog, DuckDB, names.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_STORE_H
#define LAKE_STORE_H

#include "config/config.h"
#include "event/position.h"
#include "lake/catalog/catalog.h"
#include "lake/parquet/parquet.h"

typedef struct Store
{
	Arena *arena; /* of the store's own strings */
	const Config *config;
	Storage *storage;
	Catalog *catalog;
	Parquet *parquet;
	Position self;      /* whose stream this is */
	int64_t last_ms;    /* timestamp-ms of the newest snapshot of any table */
	uint8_t seed[16];   /* of the key indexes */
	EnvOptions *bronze; /* how bronze renders */
} Store;

/* Open the warehouse of config.  store_fini() releases what was opened, in any case. */
MUST_CHECK bool store_init(Store *store, const Config *config, Err *err);
void store_fini(Store *store);

/* In order, for bsearch(). */
typedef struct SnapshotIds
{
	int64_t *items;
	size_t count;
} SnapshotIds;

/* What the snapshots of one cut have in common. */
typedef struct CutStamp
{
	int64_t timestamp_ms;
	Position position;
	bool is_snapshot;        /* a table's initial snapshot */
	const SnapshotIds *kept; /* those that may not expire; NULL: none expires */
} CutStamp;

/* A stamp whose timestamp is after every snapshot before it. */
CutStamp store_stamp(Store *store, const Position *position);

/*
 * The commit LSN at or below which a position covers everything.  The position
 * of a snapshot has commit_lsn = end_lsn: a transaction may commit right there,
 * and is not in it.
 */
Lsn position_covered(const Position *position);

/* Random bytes for ids. */
void store_random(uint8_t bytes[16]);

#endif
