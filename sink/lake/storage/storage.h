/*
 * storage.h
 *		where the lake's files are: whole objects by URI.
 *
 * Paths are absolute URIs ("file:///lake/bronze.db/..."), the same bytes that
 * metadata and position deletes hold; nothing decodes or normalises them.  What
 * put and put_if_absent report as done is durable: it survives a power cut.
 *
 * Data files are written by DuckDB, to the name storage_local_path() gives, and
 * do not count until storage_publish() made them durable.
 *
 * What many files of one commit cost is mostly waiting for the disk.  So they can be
 * made in steps, each step for all of them before the next:
 *
 *		write, stage		new files, and new versions beside their names
 *		publish				all of these durable, at once
 *		place				the staged ones get their names
 *		publish_names		durable, too
 *
 * A Storage serves one thread.
 *
 * Errors: ERR_RETRY for what may pass (disk full, I/O error), ERR_CONFIG for
 * what somebody must change (permission, read-only), ERR_CONFLICT from
 * put_if_absent alone.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_STORAGE_STORAGE_H
#define LAKE_STORAGE_STORAGE_H

#include "base/arena.h"
#include "base/err.h"

typedef struct Storage Storage;

typedef struct StoredFile
{
	const char *path;    /* URI */
	int64_t size;        /* bytes */
	int64_t modified_ms; /* since 1970 */
} StoredFile;

typedef struct StoredFiles
{
	const StoredFile *items;
	int32_t count;
} StoredFiles;

typedef struct StorageOps
{
	const char *scheme; /* "file" */

	/* The whole file; bytes->data is NULL when there is none. */
	bool (*get)(Storage *storage, Arena *arena, const char *path, Slice *bytes, Err *err);

	/* Create or replace, atomically: a reader sees the old bytes or the new. */
	bool (*put)(Storage *storage, const char *path, Slice bytes, Err *err);

	/* Create.  ERR_CONFLICT when the file exists; of many callers one wins. */
	bool (*put_if_absent)(Storage *storage, const char *path, Slice bytes, Err *err);

	/* Create a file to which nobody refers yet, to be published. */
	bool (*write)(Storage *storage, const char *path, Slice bytes, Err *err);

	/* Write what is to have the name path beside it, to be published as *staged. */
	bool (*stage)(Storage *storage, Arena *arena, const char *path, Slice bytes,
	              const char **staged, Err *err);

	/*
	 * Give a staged file its name: in place of the file that has it, or only if there is
	 * none (ERR_CONFLICT).  On failure the staged file is gone.
	 */
	bool (*place)(Storage *storage, const char *staged, const char *path, bool replaces,
	              Err *err);

	/*
	 * Files below a directory in byte order of paths: deep, every one at any
	 * depth; else those directly in it and its directories, which end in "/".
	 * A directory that does not exist is empty.
	 */
	bool (*list)(Storage *storage, Arena *arena, const char *directory, bool deep,
	             StoredFiles *files, Err *err);

	/* Remove a file; that it is missing is no error. */
	bool (*remove)(Storage *storage, const char *path, Err *err);

	/* Size in bytes, -1 when there is no such file. */
	bool (*size)(Storage *storage, const char *path, int64_t *size, Err *err);

	/*
	 * The name under which DuckDB can write a file of this URI.  Directories
	 * above it are made when for_writing.
	 */
	bool (*local_path)(Storage *storage, Arena *arena, const char *path, bool for_writing,
	                   const char **local, Err *err);

	/* Make files durable, and their names. */
	bool (*publish)(Storage *storage, const char *const *paths, int32_t count, Err *err);

	/* The names alone, of files that are durable: after place and remove. */
	bool (*publish_names)(Storage *storage, const char *const *paths, int32_t count,
	                      Err *err);

	void (*free)(Storage *storage);
} StorageOps;

/* Implementations embed this as their first member. */
struct Storage
{
	const StorageOps *ops;
};

/* What callers use: each is the op of that name. */
MUST_CHECK bool storage_get(Storage *storage, Arena *arena, const char *path,
                            Slice *bytes, Err *err);
MUST_CHECK bool storage_put(Storage *storage, const char *path, Slice bytes, Err *err);
MUST_CHECK bool storage_put_if_absent(Storage *storage, const char *path, Slice bytes,
                                      Err *err);
MUST_CHECK bool storage_list(Storage *storage, Arena *arena, const char *directory,
                             bool deep, StoredFiles *files, Err *err);
MUST_CHECK bool storage_remove(Storage *storage, const char *path, Err *err);
MUST_CHECK bool storage_size(Storage *storage, const char *path, int64_t *size, Err *err);
MUST_CHECK bool storage_local_path(Storage *storage, Arena *arena, const char *path,
                                   bool for_writing, const char **local, Err *err);
MUST_CHECK bool storage_write(Storage *storage, const char *path, Slice bytes, Err *err);
MUST_CHECK bool storage_stage(Storage *storage, Arena *arena, const char *path,
                              Slice bytes, const char **staged, Err *err);
MUST_CHECK bool storage_place(Storage *storage, const char *staged, const char *path,
                              bool replaces, Err *err);
MUST_CHECK bool storage_publish(Storage *storage, const char *const *paths, int32_t count,
                                Err *err);
MUST_CHECK bool storage_publish_names(Storage *storage, const char *const *paths,
                                      int32_t count, Err *err);
void storage_free(Storage *storage); /* NULL is allowed */

/*
 * Say that a system call on a file failed with an errno: "could not WHAT "PATH": ...".
 * ERR_CONFIG when somebody must change something, ERR_FATAL when the process has come to
 * a limit of its own, else ERR_RETRY.  Returns false.
 */
bool storage_fail_errno(Err *err, int code, const char *what, const char *path);

/* A file that nobody refers to yet was removed, as the next writer of its table does with
 * what an earlier one has left: ERR_CONFLICT.  Returns false. */
bool storage_fail_lost(Err *err, const char *path);

/*
 * The local file system: any file:/// path.  The directories above a file are
 * made on demand.
 */
Storage *storage_local_new(void);

/*
 * The absolute URI of a directory given as a path or a file: URI, without a
 * trailing slash; "." and ".." and doubled slashes are resolved by text, so that
 * one place has one spelling.  A relative path counts from the working directory.
 */
MUST_CHECK bool storage_local_uri(Arena *arena, const char *directory, const char **uri,
                                  Err *err);

/* Whether a path is that of a staged file, or of one that a crash left before it had its
 * name. */
bool storage_is_temporary(const char *path);

/*
 * A table, namespace or partition name as one part of a path: bytes other than
 * letters, digits, "_", "-" and "." become %XX, and a leading "." too.  Names
 * whose encoding is longer than a file name may be end in a hash of the whole
 * name instead.  Different names give different parts.
 */
const char *storage_encode_part(Arena *arena, const char *name);

/* The name that a part encodes; a part cut short by a hash gives itself. */
const char *storage_decode_part(Arena *arena, const char *part);

#endif
