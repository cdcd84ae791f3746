/*
 * files.h
 *		the data files of a silver table and which of their rows are dead.
 *
 * A file has a number by which the key index refers to it; numbers are never
 * used twice.  Dead rows are a bitmap; those that died since the last commit are
 * listed too, until position deletes say so in the table (lake.md 10):
 *
 *		up to two files touched		one file-scoped delete file each, with all dead rows
 *									of the file, replacing the one before
 *		more						one delete file over all of them, with the new dead
 *rows eight such live				all dead rows of all files, in one, replacing all
 *		every row dead				the data file leaves the table
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_FILES_H
#define LAKE_FILES_H

#include "lake/index.h"
#include "lake/table.h"

#define BUFFER_FILE 0u /* rows not yet in a file */

typedef struct LiveFile
{
	char *uri; /* NULL: the file has left */
	int64_t rows;
	uint64_t *dead; /* NULL: no row is */
	int64_t dead_count;
	uint32_t *fresh; /* died since the last commit, in order of dying */
	uint32_t fresh_count;
	uint32_t fresh_room;
	char *scoped; /* its file-scoped delete file; NULL: none */
} LiveFile;

typedef struct LiveFiles
{
	LiveFile *items; /* by number; 0 is the buffer and stays empty */
	uint32_t count;
	uint32_t room;
	char **shared; /* delete files over several data files */
	uint32_t shared_count;
	uint32_t shared_room;
} LiveFiles;

void files_init(LiveFiles *files);
void files_fini(LiveFiles *files);

/* Read the live files of the table's current snapshot, with their dead rows. */
MUST_CHECK bool files_load(LiveFiles *files, Table *table, Err *err);

/* A new file; its number. */
uint32_t files_add(LiveFiles *files, const char *uri, int64_t rows);

void files_kill(LiveFiles *files, RowPlace place);
bool files_is_dead(const LiveFile *file, int64_t position);

/* Every file leaves (TRUNCATE). */
void files_clear(LiveFiles *files);

/* Take one file out of the table and the list. */
void files_drop(LiveFiles *files, Table *table, uint32_t number);

/* Live rows over all files. */
int64_t files_live_rows(const LiveFiles *files);

/* Put position deletes for the fresh dead rows into the table's next commit, and take out
 * what is empty. */
MUST_CHECK bool files_flush(LiveFiles *files, Table *table, Err *err);

#endif
