/*
 * cgroup.c
 *		memory.max and memory.limit_in_bytes, from the process's group to the root's.
 *
 * Within a container the path may be one of the host's, of which nothing is mounted but
 * the end: so a file that is missing is no limit, and the walk goes on to the mount.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/cgroup.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The number in a file; 0: none, as with "max", or one beyond any machine, by which
 * version 1 says the same. */
static int64_t
read_limit(const char *path)
{
	FILE *file = fopen(path, "re");
	int64_t limit = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%" SCNd64, &limit) != 1 || limit < 0 || limit > INT64_MAX >> 10)
		limit = 0;
	(void) fclose(file);
	return limit;
}

static int64_t
lesser(int64_t left, int64_t right)
{
	return left == 0 || (right != 0 && right < left) ? right : left;
}

/* The least limit of group, which is shortened, and of all above it. */
static int64_t
least_limit(const char *mount, char *group, const char *name)
{
	int64_t least = 0;
	char path[PATH_MAX];
	char *slash;

	for (;;)
	{
		if (snprintf(path, sizeof path, "%s%s/%s", mount, group, name) <
		    (int) sizeof path)
			least = lesser(least, read_limit(path));
		if ((slash = strrchr(group, '/')) == NULL)
			return least;
		*slash = '\0';
	}
}

/* Whether a list such as "cpu,memory" has the word. */
static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; *list != '\0'; list += strcspn(list, ","), list += *list == ',')
		if (strncmp(list, word, len) == 0 && (list[len] == ',' || list[len] == '\0'))
			return true;
	return false;
}

/* "4:memory:/docker/0123" is of version 1, "0::/docker/0123" of version 2. */
static int64_t
limit_of_line(char *line, const char *mount)
{
	char *controllers = strchr(line, ':');
	char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
	char below[PATH_MAX];

	if (group == NULL)
		return 0;
	*controllers++ = '\0';
	*group++ = '\0';
	group[strcspn(group, "\n")] = '\0';
	if (*controllers == '\0')
		return least_limit(mount, group, "memory.max");
	(void) snprintf(below, sizeof below, "%s/memory", mount);
	return has_word(controllers, "memory")
	           ? least_limit(below, group, "memory.limit_in_bytes")
	           : 0;
}

int64_t
cgroup_memory_limit(const char *self, const char *mount)
{
	FILE *file = fopen(self, "re");
	int64_t least = 0;
	char line[PATH_MAX + 256];

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof line, file) != NULL)
		least = lesser(least, limit_of_line(line, mount));
	(void) fclose(file);
	return least;
}
