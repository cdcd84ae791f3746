/*
 * parquet.h
 *		Parquet files through DuckDB: written from rows, read back with row positions.
 *
 * One Parquet is one DuckDB instance, for one thread.  Rows are pulled from a
 * callback in pieces of a vector (2,048) or less when they are wide, and written in
 * row groups of 16 MB, so that memory has a bound whatever a row holds.  Columns
 * carry the field ids of the schema, nested ones too, and the footer has the
 * key "iceberg.schema"; reading is by field id, so a file written under an
 * older schema of its table reads as the current one: columns added since are
 * null, renamed and widened ones come right.
 *
 * Bounds, null and NaN counts are taken from the cells as they are written:
 * DuckDB's RETURN_STATS gives text that is truncated and rounded.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_PARQUET_PARQUET_H
#define LAKE_PARQUET_PARQUET_H

#include "lake/cell.h"
#include "lake/iceberg/manifest.h"

typedef struct Parquet Parquet;

/* memory_bytes limits what DuckDB buffers.  ERR_FATAL when it does not start. */
MUST_CHECK bool parquet_new(int64_t memory_bytes, Parquet **parquet, Err *err);
void parquet_free(Parquet *parquet); /* NULL is allowed */

/* A row of so many bytes will be written: raises the limit where one row alone could
 * exceed it.  For the life of parquet. */
MUST_CHECK bool parquet_expect(Parquet *parquet, size_t row_bytes, Err *err);

typedef enum RowStatus
{
	ROW_FAILED = -1, /* err is set */
	ROW_END = 0,
	ROW_READY = 1,
} RowStatus;

/*
 * Fill row, one cell per field of the schema; what cells point to must stay
 * until the next call.
 */
typedef RowStatus (*ParquetNext)(void *context, Cell *row, Err *err);

typedef struct ParquetWrite
{
	const char *local_path;
	const IcebergSchema *schema;
	ParquetNext next;
	void *context;
	size_t row_bytes; /* of the largest row, about; 0: not known to be large */
} ParquetWrite;

#define PARQUET_ROW_GROUP_BYTES 16777216 /* uncompressed, about: what a reader holds */

#define PARQUET_METRIC_COLUMNS 100 /* bounds and counts for so many, as Java writes */

/*
 * Write one file and fill record count, size, counts and bounds of file (the
 * arena's); path, content and partition are the caller's.  Rows keep their
 * order.  Nothing is durable yet.  On failure the file is removed; ERR_FATAL when it
 * could not be written (disk full), or the error of next().
 */
MUST_CHECK bool parquet_write(Parquet *parquet, const ParquetWrite *write, Arena *arena,
                              DataFile *file, Err *err);

typedef struct ParquetRows ParquetRows;

typedef struct ParquetRead
{
	const char *local_path;
	const IcebergField *fields; /* the columns wanted, by id */
	int32_t field_count;
	bool by_name;              /* the file has no field ids: not one of ours */
	const char *const *others; /* files to read after it */
	int32_t other_count;
	int64_t small_rows; /* how many there are, when each is small; 0: not known */
} ParquetRead;

/*
 * Read a file from its first row to its last, then the others: to start costs far more
 * than a small file does.  What read points to must stay until parquet_close().  A read
 * may run inside a write's next().  Errors name the file that is missing or damaged.
 */
MUST_CHECK bool parquet_open(Parquet *parquet, const ParquetRead *read,
                             ParquetRows **rows, Err *err);

/* Go to the next row; *end at the end. */
MUST_CHECK bool parquet_next(ParquetRows *rows, bool *end, Err *err);

/* The current row's file, or the last row's, is not what its metadata say: an error that
 * names it, and what.  Returns false. */
bool parquet_damaged(const ParquetRows *rows, const char *what, Err *err);

/* The current row's position in its file, and which file that is: 0 is the first one. */
int64_t parquet_position(const ParquetRows *rows);
int32_t parquet_file(const ParquetRows *rows);

/* A column of the current row.  Bytes are valid until the next call of parquet_next();
 * items are the arena's. */
Cell parquet_cell(const ParquetRows *rows, int32_t column, Arena *arena);

void parquet_close(ParquetRows *rows); /* NULL is allowed */

#endif
