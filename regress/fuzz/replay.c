/*
 * replay.c
 *		runs a fuzzer over the files of directories, without a fuzzing engine.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The bytes are a block of their own size, so that a read beyond them is seen. */
static bool
replay_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	uint8_t *bytes;
	size_t size;
	bool whole;

	if (fd < 0 || fstat(fd, &status) != 0)
	{
		perror(path);
		return false;
	}
	size = (size_t) status.st_size;
	bytes = xmalloc(size + (size == 0));
	whole = read(fd, bytes, size) == (ssize_t) size;
	(void) close(fd);
	if (whole)
		(void) LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	return whole;
}

static int
replay_directory(const char *name)
{
	Arena *arena = arena_new();
	DIR *directory = opendir(name);
	const struct dirent *entry;
	int count = 0;

	while (directory != NULL && count >= 0 && (entry = readdir(directory)) != NULL)
	{
		const char *path = arena_printf(arena, "%s/%s", name, entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		/* a crash is then the last one named */
		(void) fprintf(stderr, "%s\n", path);
		count = replay_file(path) ? count + 1 : -1;
	}
	if (directory != NULL)
		(void) closedir(directory);
	arena_free(arena);
	return count;
}

int
main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++)
	{
		int count = replay_directory(argv[i]);

		if (count <= 0)
		{
			(void) fprintf(stderr, "%s: no inputs\n", argv[i]);
			return 1;
		}
		total += count;
	}
	printf("ok 1 - %d inputs\n", total);
	return 0;
}
