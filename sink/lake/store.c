/*
 * store.c
 *		opening the warehouse.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/store.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "envelope/render.h"

#define PARQUET_MEMORY_MIN ((int64_t) 128 << 20)

void
store_random(uint8_t bytes[16])
{
	/* 16 bytes never come short. */
	if (getrandom(bytes, 16, 0) != 16)
		abort();
}

bool
store_init(Store *store, const Config *config, Err *err)
{
	Alloc alloc;
	const char *warehouse;
	int64_t memory = config->max_memory / 2;

	*store = (Store){ .arena = arena_new(), .config = config };
	alloc = arena_as_alloc(store->arena);
	store_random(store->seed);
	store->bronze = arena_zero(store->arena, sizeof *store->bronze);
	render_options_bronze(store->bronze, &config->env, &alloc);
	if (!storage_local_uri(store->arena, config->lake_warehouse, &warehouse, err))
		return false;
	store->storage = storage_local_new();
	store->catalog = catalog_file_new(store->storage, warehouse);
	return parquet_new(
		memory < PARQUET_MEMORY_MIN ? PARQUET_MEMORY_MIN : memory, &store->parquet, err);
}

void
store_fini(Store *store)
{
	parquet_free(store->parquet);
	catalog_free(store->catalog);
	storage_free(store->storage);
	if (store->arena != NULL)
		arena_free(store->arena);
	*store = (Store){ 0 };
}

CutStamp
store_stamp(Store *store, const Position *position)
{
	int64_t now_ms = clock_wall_ns() / 1000000;

	if (now_ms <= store->last_ms)
		now_ms = store->last_ms + 1;
	store->last_ms = now_ms;
	return (CutStamp){ .timestamp_ms = now_ms, .position = *position };
}

Lsn
position_covered(const Position *position)
{
	if (position->commit_lsn != 0 && position->commit_lsn >= position->end_lsn)
		return position->commit_lsn - 1;
	return position->commit_lsn;
}
