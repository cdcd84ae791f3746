/*
 * cgroup.h
 *		how much memory the process's control groups let it have: a container's limit.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef BASE_CGROUP_H
#define BASE_CGROUP_H

#include <stdint.h>

/* Where Linux tells of them. */
#define CGROUP_SELF  "/proc/self/cgroup"
#define CGROUP_MOUNT "/sys/fs/cgroup"

/*
 * The least limit, in bytes, of the groups that file self lists and of those around them,
 * of version 2 and of version 1, mounted below mount; 0 when there is none or it cannot
 * be read.
 */
int64_t cgroup_memory_limit(const char *self, const char *mount);

#endif
