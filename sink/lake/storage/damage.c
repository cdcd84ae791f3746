/*
 * damage.c
 *		telling a damaged file from a full disk and from a process at its limits.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/storage/damage.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"

#define PROBE_BYTES ((off_t) 8 << 20) /* room that a data file may well need */

static bool
hint_to_restore(Err *err)
{
	return fail_hint(
		err,
		"Nothing was changed, and changes since wait in the slot. Restore the file from "
		"a copy and start again; without a copy, start afresh with another slot.name "
		"and lake.namespace.");
}

bool
damage_found(Err *err, const char *path)
{
	if (err->kind != ERR_FATAL)
		return false;
	err->kind = ERR_CONFIG;
	if (path != NULL && strstr(err->text, path) == NULL)
		(void) fail_while(err, "file \"%s\" is damaged", path);
	return hint_to_restore(err);
}

bool
damage_reading(Err *err, const char *local_path)
{
	int fd;

	if (err->kind != ERR_FATAL || err->hint[0] != '\0')
		return false;
	fd = open(local_path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
	{
		(void) fail(err, ERR_FATAL, "file \"%s\" of the table is missing", local_path);
		return damage_found(err, NULL);
	}
	if (fd < 0)
		return storage_fail_errno(err, errno, "open file", local_path);
	close(fd);
	/* Another thread may have freed some meanwhile: be careful to call that damage. */
	if (limits_no_files())
		return storage_fail_errno(err, EMFILE, "open file", local_path);
	return damage_found(err, local_path);
}

bool
damage_writing(Err *err, const char *local_path)
{
	int code;
	int fd;

	if (err->kind != ERR_FATAL || err->hint[0] != '\0')
		return false;
	fd = open(local_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return storage_fail_errno(err, errno, "create file", local_path);
	code = posix_fallocate(fd, 0, PROBE_BYTES);
	close(fd);
	(void) unlink(local_path);
	if (code == ENOSPC || code == EDQUOT || code == EFBIG || code == EIO)
		return storage_fail_errno(err, code, "write file", local_path);
	return fail_while(err, "could not write file \"%s\"", local_path);
}
