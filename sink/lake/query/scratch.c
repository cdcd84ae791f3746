/*
 * scratch.c
 *		directories "cdc-sink.XXXXXX", locked by flock().
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/query/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SCRATCH_PREFIX "cdc-sink."
#define LEFT_SECONDS                                                  \
	60 /* between making a directory and locking it there is far less \
	    */
#define OPEN_FILES 16

struct Scratch
{
	char *directory;
	int lock; /* the directory, opened and locked */
	unsigned files;
};

static int
remove_entry(const char *path, const struct stat *status, int flag, struct FTW *at)
{
	(void) status;
	(void) flag;
	(void) at;
	(void) remove(path);
	return 0;
}

static void
remove_directory(const char *directory)
{
	(void) nftw(directory, remove_entry, OPEN_FILES, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Remove a directory that is ours, old and unlocked. */
static void
remove_left(const char *directory)
{
	int lock = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (lock < 0)
		return;
	if (fstat(lock, &status) == 0 && status.st_uid == geteuid() &&
	    status.st_mtime < time(NULL) - LEFT_SECONDS &&
	    flock(lock, LOCK_EX | LOCK_NB) == 0)
		remove_directory(directory);
	(void) close(lock);
}

static void
remove_all_left(const char *base)
{
	DIR *entries = opendir(base);
	const struct dirent *entry;
	Buf path = buf_heap();

	while (entries != NULL && (entry = readdir(entries)) != NULL)
	{
		if (strncmp(entry->d_name, SCRATCH_PREFIX, strlen(SCRATCH_PREFIX)) != 0)
			continue;
		buf_reset(&path);
		buf_printf(&path, "%s/%s", base, entry->d_name);
		remove_left(buf_cstr(&path));
	}
	if (entries != NULL)
		(void) closedir(entries);
	buf_free(&path);
}

bool
scratch_new(Scratch **scratch, Err *err)
{
	const char *base = getenv("TMPDIR");
	Scratch *made = xmalloc(sizeof *made);
	Buf path = buf_heap();

	if (base == NULL || *base == '\0')
		base = P_tmpdir;
	remove_all_left(base);
	buf_printf(&path, "%s/%sXXXXXX", base, SCRATCH_PREFIX);
	*made = (Scratch){ .directory = xstrdup(buf_cstr(&path)), .lock = -1 };
	buf_free(&path);
	*scratch = made;
	if (mkdtemp(made->directory) != NULL)
	{
		made->lock = open(made->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (made->lock >= 0 && flock(made->lock, LOCK_EX | LOCK_NB) == 0)
			return true;
	}
	(void) fail(err,
	            ERR_FATAL,
	            "could not make a directory for temporary files in \"%s\": %s",
	            base,
	            strerror(errno));
	if (made->lock < 0)
		*made->directory = '\0';
	scratch_free(made);
	*scratch = NULL;
	return fail_hint(err, "Set TMPDIR to a directory that can be written.");
}

void
scratch_free(Scratch *scratch)
{
	if (scratch == NULL)
		return;
	if (*scratch->directory != '\0')
		remove_directory(scratch->directory);
	if (scratch->lock >= 0)
		(void) close(scratch->lock);
	free(scratch->directory);
	free(scratch);
}

const char *
scratch_directory(const Scratch *scratch)
{
	return scratch->directory;
}

const char *
scratch_file(Scratch *scratch, Arena *arena)
{
	return arena_printf(arena, "%s/%u.parquet", scratch->directory, scratch->files++);
}
