/*
 * local.c
 *		the local file system as storage.
 *
 * A file appears under its name only when it is whole and on disk:
 *
 *		write a temporary file beside it, fsync, link() or rename(), fsync the directory
 *
 * A file to which nothing refers yet is written under its name.  Many files that are to
 * be durable before the next step cost one syncfs(), where that tells errors: on
 * a disk with other work to do an fsync() of each takes a hundred times as long.
 *
 * link() fails when the name is taken, which makes it the test-and-set that
 * commits need; renameat2(RENAME_NOREPLACE) serves where links are refused.  A
 * crash leaves at most a temporary file, whose name begins with TEMP_PREFIX; it
 * counts as an orphan (lake/orphans.h).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "lake/storage/storage.h"

#define TEMP_PREFIX    ".tmp-"
#define FILE_MODE      0666 /* less the umask */
#define DIRECTORY_MODE 0777
#define SYNC_TOGETHER  32 /* files from which on one syncfs() takes less time */

typedef struct LocalStorage
{
	Storage base;
	Arena *scratch;     /* of one operation */
	uint64_t temporary; /* makes names of temporary files unique */
	bool tells_errors;  /* syncfs() does */
} LocalStorage;

bool
storage_fail_errno(Err *err, int code, const char *what, const char *path)
{
	static const struct
	{
		int code;
		ErrKind kind;
		const char *hint;
	} known[] = {
		/* clang-format off */
		{ EACCES,       ERR_CONFIG, "Let the user the worker runs as read and write there; nothing stored is lost." },
		{ EPERM,        ERR_CONFIG, "Let the user the worker runs as read and write there; nothing stored is lost." },
		{ EROFS,        ERR_CONFIG, "Mount the file system for writing and start again; nothing stored is lost." },
		{ ENOENT,       ERR_CONFIG, "Create the directory, mount what belongs there, or choose another warehouse." },
		{ ENOTDIR,      ERR_CONFIG, "A part of the path is a file where a directory is needed." },
		{ EISDIR,       ERR_CONFIG, "A directory is in the place of a file." },
		{ ENAMETOOLONG, ERR_CONFIG, "Choose a warehouse with a shorter path." },
		{ ELOOP,        ERR_CONFIG, "Remove the loop of symbolic links." },
		{ ENOSPC,       ERR_RETRY,  "Make room on the file system of the warehouse; nothing stored is lost, and changes wait in the slot." },
		{ EDQUOT,       ERR_RETRY,  "Raise the quota of the worker's user; nothing stored is lost, and changes wait in the slot." },
		{ EMFILE,       ERR_FATAL,  "Raise the limit of open files (ulimit -n, LimitNOFILE) and start again; nothing stored is lost." },
		{ ENOMEM,       ERR_FATAL,  "Raise the memory limit or lower max.memory and start again; nothing stored is lost." },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
	{
		if (known[i].code != code)
			continue;
		fail(err, known[i].kind, "could not %s \"%s\": %s", what, path, strerror(code));
		return fail_hint(err, "%s", known[i].hint);
	}
	return fail(err, ERR_RETRY, "could not %s \"%s\": %s", what, path, strerror(code));
}

bool
storage_fail_lost(Err *err, const char *path)
{
	return fail(err,
	            ERR_CONFLICT,
	            "file \"%s\" was removed by somebody else before its commit",
	            path);
}

/* The path of a file: URI; both file:/x and file:///x are in use. */
static bool
path_of(const char *uri, const char **path, Err *err)
{
	if (strncmp(uri, "file:///", 8) == 0)
		*path = uri + 7;
	else if (strncmp(uri, "file:/", 6) == 0 && uri[6] != '/')
		*path = uri + 5;
	else
	{
		fail(err, ERR_FATAL, "\"%s\" is not a path of the local file system", uri);
		return false;
	}
	return true;
}

static const char *
parent_of(Arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash > path ? arena_strndup(arena, path, (size_t) (slash - path))
	                             : "/";
}

/* Make what is in a directory, or a file's bytes, survive a power cut. */
static bool
sync_path(const char *path, int flags, Err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	int code = 0;

	if (fd < 0)
		return storage_fail_errno(err, errno, "open", path);
	if (fsync(fd) != 0)
		code = errno;
	close(fd);
	return code == 0 || storage_fail_errno(err, code, "fsync", path);
}

/* Make a directory and those above it; each new name is durable. */
static bool
make_directories(Arena *arena, const char *path, Err *err)
{
	struct stat status;
	const char *parent;

	if (stat(path, &status) == 0)
		return S_ISDIR(status.st_mode) ||
		       storage_fail_errno(err, ENOTDIR, "create directory", path);
	if (errno != ENOENT)
		return storage_fail_errno(err, errno, "create directory", path);
	parent = parent_of(arena, path);
	if (!make_directories(arena, parent, err))
		return false;
	if (mkdir(path, DIRECTORY_MODE) != 0 && errno != EEXIST)
		return storage_fail_errno(err, errno, "create directory", path);
	return sync_path(parent, O_DIRECTORY, err);
}

static int
write_all(int fd, Slice bytes)
{
	while (bytes.len > 0)
	{
		ssize_t written = write(fd, bytes.data, bytes.len);

		if (written < 0 && errno != EINTR)
			return errno;
		if (written > 0)
		{
			bytes.data += written;
			bytes.len -= (size_t) written;
		}
	}
	return 0;
}

/* Write bytes to a new file, not yet on disk. */
static bool
write_new(LocalStorage *local, const char *path, Slice bytes, Err *err)
{
	int code;
	int fd;

	if (!make_directories(local->scratch, parent_of(local->scratch, path), err))
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return storage_fail_errno(err, errno, "create file", path);
	code = write_all(fd, bytes);
	if (close(fd) != 0 && code == 0)
		code = errno;
	if (code == 0)
		return true;
	unlink(path);
	return storage_fail_errno(err, code, "write file", path);
}

/* A name beside that of path, path being a URI or not. */
static const char *
temporary_name(LocalStorage *local, Arena *arena, const char *path)
{
	return arena_printf(arena,
	                    "%s/" TEMP_PREFIX "%d-%lld-%llu",
	                    parent_of(local->scratch, path),
	                    (int) getpid(),
	                    (long long) clock_mono_us(),
	                    (unsigned long long) local->temporary++);
}

bool
storage_is_temporary(const char *path)
{
	const char *name = strrchr(path, '/');
	size_t prefix = strlen(TEMP_PREFIX);

	return name != NULL && strncmp(name + 1, TEMP_PREFIX, prefix) == 0 &&
	       strspn(name + 1 + prefix, "-0123456789") == strlen(name + 1 + prefix);
}

static bool
local_write(Storage *storage, const char *uri, Slice bytes, Err *err)
{
	LocalStorage *local = (LocalStorage *) storage;
	const char *path;

	arena_reset(local->scratch);
	return path_of(uri, &path, err) && write_new(local, path, bytes, err);
}

static bool
stage(LocalStorage *local, Arena *arena, const char *uri, Slice bytes,
      const char **staged, Err *err)
{
	const char *path;

	*staged = temporary_name(local, arena, uri);
	return path_of(*staged, &path, err) && write_new(local, path, bytes, err);
}

static bool
local_stage(Storage *storage, Arena *arena, const char *uri, Slice bytes,
            const char **staged, Err *err)
{
	LocalStorage *local = (LocalStorage *) storage;

	arena_reset(local->scratch);
	return stage(local, arena, uri, bytes, staged, err);
}

/* Give a temporary file its name if the name is free.  0 or an errno. */
static int
link_or_rename(const char *temporary, const char *path)
{
	struct stat status;
	int code;

	if (link(temporary, path) == 0)
	{
		unlink(temporary);
		return 0;
	}
	code = errno;

	/* NFS repeats a call whose answer was lost: a second name means it had worked. */
	if (code == EEXIST && stat(temporary, &status) == 0 && status.st_nlink == 2)
		code = 0;
	if (code == EPERM || code == EOPNOTSUPP || code == ENOSYS || code == EMLINK)
	{
		if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
			return 0;
		code = errno;
	}
	unlink(temporary);
	return code;
}

static bool
place_new(const char *temporary, const char *path, Err *err)
{
	int code = link_or_rename(temporary, path);

	if (code == EEXIST)
		return fail(err, ERR_CONFLICT, "file \"%s\" already exists", path);
	if (code == ENOENT)
		return storage_fail_lost(err, temporary);
	if (code == EINVAL || code == ENOSYS || code == EOPNOTSUPP)
	{
		fail(err,
		     ERR_CONFIG,
		     "file system of \"%s\" cannot create a file only if it is absent",
		     path);
		return fail_hint(
			err, "Use a file system with hard links or renameat2(RENAME_NOREPLACE).");
	}
	return code == 0 || storage_fail_errno(err, code, "create file", path);
}

static bool
place_over(const char *temporary, const char *path, Err *err)
{
	int code;

	if (rename(temporary, path) == 0)
		return true;
	code = errno;
	unlink(temporary);
	return storage_fail_errno(err, code, "write file", path);
}

static bool
local_place(Storage *storage, const char *staged, const char *uri, bool replaces,
            Err *err)
{
	const char *temporary;
	const char *path;

	(void) storage;
	return path_of(staged, &temporary, err) && path_of(uri, &path, err) &&
	       (replaces ? place_over : place_new)(temporary, path, err);
}

static bool
sync_staged(const char *staged, Err *err)
{
	const char *path;

	if (!path_of(staged, &path, err))
		return false;
	if (sync_path(path, 0, err))
		return true;
	unlink(path);
	return false;
}

static bool
put(Storage *storage, const char *uri, Slice bytes, bool replaces, Err *err)
{
	LocalStorage *local = (LocalStorage *) storage;
	const char *staged;
	const char *path;

	arena_reset(local->scratch);
	return path_of(uri, &path, err) &&
	       stage(local, local->scratch, uri, bytes, &staged, err) &&
	       sync_staged(staged, err) && local_place(storage, staged, uri, replaces, err) &&
	       sync_path(parent_of(local->scratch, path), O_DIRECTORY, err);
}

static bool
local_put(Storage *storage, const char *uri, Slice bytes, Err *err)
{
	return put(storage, uri, bytes, true, err);
}

static bool
local_put_if_absent(Storage *storage, const char *uri, Slice bytes, Err *err)
{
	return put(storage, uri, bytes, false, err);
}

static bool
read_all(int fd, char *to, size_t len, size_t *got)
{
	*got = 0;
	while (*got < len)
	{
		ssize_t count = read(fd, to + *got, len - *got);

		if (count == 0)
			break;
		if (count < 0 && errno != EINTR)
			return false;
		if (count > 0)
			*got += (size_t) count;
	}
	return true;
}

static bool
local_get(Storage *storage, Arena *arena, const char *uri, Slice *bytes, Err *err)
{
	const char *path;
	struct stat status;
	bool ok = false;
	char *text;
	int fd;

	(void) storage;
	*bytes = (Slice){ 0 };
	if (!path_of(uri, &path, err))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || storage_fail_errno(err, errno, "open file", path);
	if (fstat(fd, &status) != 0)
		storage_fail_errno(err, errno, "read file", path);
	else if (!S_ISREG(status.st_mode))
		fail(err, ERR_CONFIG, "\"%s\" is not a regular file", path);
	else
	{
		text = arena_alloc(arena, (size_t) status.st_size + 1);
		ok = read_all(fd, text, (size_t) status.st_size, &bytes->len) ||
		     storage_fail_errno(err, errno, "read file", path);
		text[bytes->len] = '\0';
		bytes->data = text;
	}
	close(fd);
	return ok;
}

static bool
local_size(Storage *storage, const char *uri, int64_t *size, Err *err)
{
	const char *path;
	struct stat status;

	(void) storage;
	*size = -1;
	if (!path_of(uri, &path, err))
		return false;
	if (stat(path, &status) != 0)
		return errno == ENOENT || storage_fail_errno(err, errno, "stat file", path);
	*size = (int64_t) status.st_size;
	return true;
}

static bool
local_remove(Storage *storage, const char *uri, Err *err)
{
	const char *path;

	(void) storage;
	return path_of(uri, &path, err) &&
	       (unlink(path) == 0 || errno == ENOENT ||
	        storage_fail_errno(err, errno, "remove file", path));
}

typedef struct Listing
{
	Arena *arena;
	bool deep;
	StoredFile *items;
	int32_t count;
	int32_t capacity;
	Err *err;
} Listing;

static void
add_file(Listing *listing, const char *uri, const struct stat *status)
{
	StoredFile *grown;

	if (listing->count == listing->capacity)
	{
		listing->capacity = listing->capacity > 0 ? 2 * listing->capacity : 64;
		grown = arena_alloc(listing->arena, (size_t) listing->capacity * sizeof *grown);
		if (listing->count > 0)
			memcpy(grown, listing->items, (size_t) listing->count * sizeof *grown);
		listing->items = grown;
	}
	listing->items[listing->count++] = (StoredFile){
		.path = uri,
		.size = S_ISDIR(status->st_mode) ? 0 : (int64_t) status->st_size,
		.modified_ms = (int64_t) status->st_mtim.tv_sec * 1000 +
		               (int64_t) status->st_mtim.tv_nsec / 1000000,
	};
}

static bool list_directory(Listing *listing, const char *uri, const char *path);

static bool
list_entry(Listing *listing, const char *uri, const char *path)
{
	struct stat status;

	/* A symbolic link to a directory is not followed: it might lead back. */
	if (lstat(path, &status) != 0)
		return errno == ENOENT ||
		       storage_fail_errno(listing->err, errno, "stat file", path);
	if (S_ISDIR(status.st_mode))
	{
		if (listing->deep)
			return list_directory(listing, uri, path);
		add_file(listing, arena_printf(listing->arena, "%s/", uri), &status);
		return true;
	}
	if (S_ISREG(status.st_mode) || S_ISLNK(status.st_mode))
		add_file(listing, uri, &status);
	return true;
}

static bool
list_directory(Listing *listing, const char *uri, const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	bool ok = true;

	if (!directory)
		return errno == ENOENT ||
		       storage_fail_errno(listing->err, errno, "list directory", path);
	while (ok && (errno = 0, entry = readdir(directory)) != NULL)
	{
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		ok = list_entry(listing,
		                arena_printf(listing->arena, "%s/%s", uri, entry->d_name),
		                arena_printf(listing->arena, "%s/%s", path, entry->d_name));
	}
	if (ok && errno != 0)
		ok = storage_fail_errno(listing->err, errno, "list directory", path);
	closedir(directory);
	return ok;
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(((const StoredFile *) a)->path, ((const StoredFile *) b)->path);
}

static bool
local_list(Storage *storage, Arena *arena, const char *uri, bool deep, StoredFiles *files,
           Err *err)
{
	Listing listing = { .arena = arena, .deep = deep, .err = err };
	const char *path;

	(void) storage;
	*files = (StoredFiles){ 0 };
	if (!path_of(uri, &path, err) || !list_directory(&listing, uri, path))
		return false;
	if (listing.count > 0)
		qsort(
			listing.items, (size_t) listing.count, sizeof *listing.items, compare_paths);
	*files = (StoredFiles){ listing.items, listing.count };
	return true;
}

static bool
local_local_path(Storage *storage, Arena *arena, const char *uri, bool for_writing,
                 const char **local, Err *err)
{
	const char *path;

	(void) storage;
	if (!path_of(uri, &path, err))
		return false;
	*local = arena_strdup(arena, path);
	return !for_writing || make_directories(arena, parent_of(arena, path), err);
}

/*
 * Whether syncfs() is as good as an fsync() of each file of that file system: it tells
 * I/O errors, and is not only a wish, as in a file system in user space.
 */
static bool
syncs_whole(const LocalStorage *local, int fd)
{
	static const uint32_t known[] = { EXT4_SUPER_MAGIC,
		                              XFS_SUPER_MAGIC,
		                              BTRFS_SUPER_MAGIC };
	struct statfs status;

	if (!local->tells_errors || fstatfs(fd, &status) != 0)
		return false;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if ((uint32_t) status.f_type == known[i])
			return true;
	return false;
}

/* Make all that is written on the file system of path durable, if it can be. */
static bool
sync_file_system(const LocalStorage *local, const char *path, bool *done, Err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	int code = 0;

	if (fd < 0)
		return storage_fail_errno(err, errno, "open", path);
	*done = syncs_whole(local, fd);
	if (*done && syncfs(fd) != 0)
		code = errno;
	close(fd);
	return code == 0 || storage_fail_errno(err, code, "sync file system of", path);
}

/* Many files at once: by file system, mostly one.  Cleared done: they are too few, or
 * that does not serve. */
static bool
sync_together(LocalStorage *local, const char *const *uris, int32_t count, bool *done,
              Err *err)
{
	const char *last = "";
	dev_t synced = 0;

	*done = count >= SYNC_TOGETHER;
	for (int32_t i = 0; i < count && *done; i++)
	{
		const char *directory;
		struct stat status;
		const char *path;

		if (!path_of(uris[i], &path, err))
			return false;
		directory = parent_of(local->scratch, path);
		if (strcmp(directory, last) == 0)
			continue;
		if (stat(directory, &status) != 0)
			return storage_fail_errno(err, errno, "stat directory", directory);
		if ((last[0] == '\0' || status.st_dev != synced) &&
		    !sync_file_system(local, directory, done, err))
			return false;
		last = directory;
		synced = status.st_dev;
	}
	return true;
}

/* Files of a directory mostly come in a row: each run costs one fsync. */
static bool
sync_directories(LocalStorage *local, const char *const *uris, int32_t count, Err *err)
{
	const char *synced = "";

	for (int32_t i = 0; i < count; i++)
	{
		const char *directory;
		const char *path;

		if (!path_of(uris[i], &path, err))
			return false;
		directory = parent_of(local->scratch, path);
		if (strcmp(directory, synced) != 0 && !sync_path(directory, O_DIRECTORY, err))
			return false;
		synced = directory;
	}
	return true;
}

static bool
local_publish(Storage *storage, const char *const *uris, int32_t count, Err *err)
{
	LocalStorage *local = (LocalStorage *) storage;
	struct stat status;
	const char *path;
	bool done;

	arena_reset(local->scratch);
	if (!sync_together(local, uris, count, &done, err))
		return false;
	for (int32_t i = 0; i < count; i++)
	{
		if (!path_of(uris[i], &path, err))
			return false;
		if (stat(path, &status) != 0)
			return errno == ENOENT ? storage_fail_lost(err, path)
			                       : storage_fail_errno(err, errno, "stat file", path);
		if (!done && !sync_path(path, 0, err))
			return false;
	}
	return done || sync_directories(local, uris, count, err);
}

static bool
local_publish_names(Storage *storage, const char *const *uris, int32_t count, Err *err)
{
	LocalStorage *local = (LocalStorage *) storage;
	bool done;

	arena_reset(local->scratch);
	return sync_together(local, uris, count, &done, err) &&
	       (done || sync_directories(local, uris, count, err));
}

static void
local_free(Storage *storage)
{
	LocalStorage *local = (LocalStorage *) storage;

	arena_free(local->scratch);
	free(local);
}

static const StorageOps local_ops = {
	.scheme = "file",
	.get = local_get,
	.put = local_put,
	.put_if_absent = local_put_if_absent,
	.write = local_write,
	.stage = local_stage,
	.place = local_place,
	.list = local_list,
	.remove = local_remove,
	.size = local_size,
	.local_path = local_local_path,
	.publish = local_publish,
	.publish_names = local_publish_names,
	.free = local_free,
};

/* Before Linux 5.8 syncfs() succeeds when a write has failed. */
static bool
syncfs_tells_errors(void)
{
	struct utsname system;
	int major = 0;
	int minor = 0;

	return uname(&system) == 0 && sscanf(system.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 8));
}

Storage *
storage_local_new(void)
{
	LocalStorage *local = xmalloc(sizeof *local);

	*local = (LocalStorage){ .base = { &local_ops },
		                     .scratch = arena_new(),
		                     .tells_errors = syncfs_tells_errors() };
	return &local->base;
}

/* Append the parts of text to path, resolving "." and "..". */
static void
append_parts(Buf *path, const char *text)
{
	while (*text)
	{
		size_t len = strcspn(text, "/");

		if (len == 2 && strncmp(text, "..", 2) == 0)
			while (path->len > 0 && path->data[--path->len] != '/')
				;
		else if (len > 0 && !(len == 1 && *text == '.'))
		{
			buf_char(path, '/');
			buf_append(path, text, len);
		}
		text += len;
		text += *text == '/';
	}
}

bool
storage_local_uri(Arena *arena, const char *directory, const char **uri, Err *err)
{
	Buf path = buf_heap();
	bool is_absolute = directory[0] == '/';
	char *cwd;

	if (strncmp(directory, "file:", 5) == 0)
	{
		if (!path_of(directory, &directory, err))
			return false;
		is_absolute = true;
	}
	if (!is_absolute)
	{
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return storage_fail_errno(err, errno, "find directory", directory);
		append_parts(&path, cwd);
		free(cwd);
	}
	append_parts(&path, directory);
	*uri = arena_printf(arena, "file://%.*s", (int) path.len, path.data ? path.data : "");
	buf_free(&path);
	return true;
}
