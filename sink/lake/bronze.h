/*
 * bronze.h
 *		every change of one source table, appended.
 *
 * One row per source row change: a key change is one u with the old key in
 * before.  Changes are kept as the wire's tuples and rendered when they are written
 * (lake.md 15).  Partitioned by day(source_ts); (commit_lsn, lsn, ordinal) is the
 * dedupe key.
 *
 * As with silver, there is no undo.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_BRONZE_H
#define LAKE_BRONZE_H

#include "event/event.h"
#include "lake/table.h"

typedef struct Bronze Bronze;

/* table becomes bronze's. */
Bronze *bronze_open(Store *store, Table *table);

MUST_CHECK bool bronze_make(Store *store, const char *name, const Relation *relation,
                            Bronze **bronze, Err *err);
void bronze_close(Bronze *bronze); /* NULL is allowed */

Table *bronze_table(Bronze *bronze);

/* The source table's OID, of the root where it is partitioned. */
uint32_t bronze_relid(const Bronze *bronze);

/* The table is now another relation: a table dropped and created again. */
void bronze_set_relid(Bronze *bronze, uint32_t relid);

/* Bytes of before or after as JSON, of which none can be more: readers and Parquet's
 * pages end at 2 GB. */
#define BRONZE_TEXT_MAX ((size_t) 3 << 29)

/* At most how many bytes the larger of before and after has as JSON. */
size_t bronze_text_bytes(const Event *event);

/* Append an INSERT, UPDATE, DELETE, TRUNCATE or READ.  received_us is the wall clock,
 * since 1970. */
MUST_CHECK bool bronze_event(Bronze *bronze, const Event *event, int64_t received_us,
                             Err *err);

/* The initial snapshot begins: what is stored will be replaced. */
void bronze_replace(Bronze *bronze);

/* Write buffered rows to data files, uncommitted. */
MUST_CHECK bool bronze_flush(Bronze *bronze, Err *err);

#endif
