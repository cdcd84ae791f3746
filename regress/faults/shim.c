/*
 * shim.c
 *		kills or stops the worker at a named point, lists the points it passes, or sets
 *		its clock.  Preloaded.
 *
 *		FAULT_AT=before|after:POINT:N	SIGKILL around the Nth pass of POINT
 *		FAULT_STOP=1					SIGSTOP there instead
 *		FAULT_TRACE=FILE				append the name of each point passed, a line each
 *		FAULT_CLOCK=FILE				add the seconds in FILE, 8 bytes as int64_t lie in
 *										memory, to the wall clock; they may change any
 *time
 *
 * A point is what makes something durable elsewhere: a call of libpq or librdkafka, or
 * "CALL KIND" for a system call on a file of the lake, as in "link metadata".
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>

typedef struct Plan
{
	bool armed;
	bool after;
	int signal;
	char point[64];
	unsigned long pass;
	int trace;                     /* -1: none */
	const volatile int64_t *clock; /* seconds to add; NULL: none */
} Plan;

static Plan plan = { .trace = -1 };
static atomic_ulong passes;

static void
map_clock(const char *path)
{
	int fd = (int) syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	void *map = fd < 0 ? MAP_FAILED
	                   : mmap(NULL, sizeof *plan.clock, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		abort();
	plan.clock = map;
	(void) close(fd);
}

__attribute__((constructor)) static void
read_plan(void)
{
	const char *at = getenv("FAULT_AT");
	const char *trace = getenv("FAULT_TRACE");
	const char *clock = getenv("FAULT_CLOCK");
	char when[8];

	if (at != NULL)
		plan.armed = sscanf(at, "%7[a-z]:%63[^:]:%lu", when, plan.point, &plan.pass) == 3;
	plan.after = plan.armed && strcmp(when, "after") == 0;
	plan.signal = getenv("FAULT_STOP") != NULL ? SIGSTOP : SIGKILL;
	if (clock != NULL)
		map_clock(clock);
	if (trace != NULL)
		plan.trace = (int) syscall(
			SYS_openat, AT_FDCWD, trace, O_WRONLY | O_CREAT | O_APPEND, 0644);
}

/* Before the call: whether this is the pass to die at. */
static bool
pass(const char *point)
{
	bool now = plan.armed && strcmp(plan.point, point) == 0 &&
	           atomic_fetch_add(&passes, 1) + 1 == plan.pass;
	char line[80];
	int length;

	if (plan.trace >= 0)
	{
		length = snprintf(line, sizeof line, "%s\n", point);
		(void) !syscall(SYS_write, plan.trace, line, (size_t) length);
	}
	if (now && !plan.after)
		(void) kill(getpid(), plan.signal);
	return now;
}

static void
passed(bool now)
{
	if (now && plan.after)
		(void) kill(getpid(), plan.signal);
}

/* RESULT f(...) where the real one is called between two halves of a point. */
#define CALL(point, type, real, ...)      \
	do                                    \
	{                                     \
		bool now_ = pass(point);          \
		type result_ = real(__VA_ARGS__); \
		passed(now_);                     \
		return result_;                   \
	} while (0)

#define REAL(type, name, ...)         \
	static type (*real)(__VA_ARGS__); \
	if (real == NULL)                 \
	*(void **) &real = dlsym(RTLD_NEXT, name)

/* ---- The wall clock ---- */

/* By system calls: the allocator asks for the time before dlsym can be used. */
int
clock_gettime(clockid_t id, struct timespec *now)
{
	int result = (int) syscall(SYS_clock_gettime, id, now);

	if (result == 0 && plan.clock != NULL &&
	    (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		now->tv_sec += *plan.clock;
	return result;
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec exact;

	(void) zone;
	(void) clock_gettime(CLOCK_REALTIME, &exact);
	now->tv_sec = exact.tv_sec;
	now->tv_usec = exact.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *now)
{
	struct timespec exact;

	(void) clock_gettime(CLOCK_REALTIME, &exact);
	if (now != NULL)
		*now = exact.tv_sec;
	return exact.tv_sec;
}

int
timespec_get(struct timespec *now, int base)
{
	return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

/* A deadline by that clock, for a kernel that goes by another.  Deadlines by the
 * monotonic clock are small. */
static struct timespec
shifted(const struct timespec *until)
{
	struct timespec deadline = *until;

	if (plan.clock != NULL && deadline.tv_sec > 1000000000)
		deadline.tv_sec -= *plan.clock;
	return deadline;
}

int
pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                       const struct timespec *restrict until)
{
	static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
	struct timespec deadline = shifted(until);

	/* By version, where there is an older function of the same name. */
	if (real == NULL)
		*(void **) &real = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
	if (real == NULL)
		*(void **) &real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
	return real(cond, mutex, &deadline);
}

int
cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex,
              const struct timespec *restrict until)
{
	struct timespec deadline = shifted(until);

	REAL(int, "cnd_timedwait", cnd_t *, mtx_t *, const struct timespec *);
	return real(cond, mutex, &deadline);
}

int
sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until)
{
	struct timespec deadline = shifted(until);

	REAL(int, "sem_timedwait", sem_t *, const struct timespec *);
	return real(semaphore, &deadline);
}

/* ---- libpq ---- */

static const char *
statement_point(const char *query)
{
	static const char *const statements[][2] = {
		{ "CREATE_REPLICATION_SLOT", "slot" },
		{ "DROP_REPLICATION_SLOT", "drop slot" },
		{ "START_REPLICATION", "start" },
		{ "COPY", "copy" },
	};

	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
		if (strncmp(query, statements[i][0], strlen(statements[i][0])) == 0)
			return statements[i][1];
	return NULL;
}

PGresult *
PQexec(PGconn *conn, const char *query)
{
	const char *point = statement_point(query);

	REAL(PGresult *, "PQexec", PGconn *, const char *);
	if (point == NULL)
		return real(conn, query);
	CALL(point, PGresult *, real, conn, query);
}

int
PQsendQuery(PGconn *conn, const char *query)
{
	const char *point = statement_point(query);

	REAL(int, "PQsendQuery", PGconn *, const char *);
	if (point == NULL)
		return real(conn, query);
	CALL(point, int, real, conn, query);
}

int
PQputCopyData(PGconn *conn, const char *buffer, int nbytes)
{
	REAL(int, "PQputCopyData", PGconn *, const char *, int);
	CALL("feedback", int, real, conn, buffer, nbytes);
}

/* ---- librdkafka ---- */

rd_kafka_error_t *
rd_kafka_init_transactions(rd_kafka_t *rk, int timeout_ms)
{
	REAL(rd_kafka_error_t *, "rd_kafka_init_transactions", rd_kafka_t *, int);
	CALL("kafka init", rd_kafka_error_t *, real, rk, timeout_ms);
}

rd_kafka_error_t *
rd_kafka_begin_transaction(rd_kafka_t *rk)
{
	REAL(rd_kafka_error_t *, "rd_kafka_begin_transaction", rd_kafka_t *);
	CALL("kafka begin", rd_kafka_error_t *, real, rk);
}

rd_kafka_error_t *
rd_kafka_commit_transaction(rd_kafka_t *rk, int timeout_ms)
{
	REAL(rd_kafka_error_t *, "rd_kafka_commit_transaction", rd_kafka_t *, int);
	CALL("kafka commit", rd_kafka_error_t *, real, rk, timeout_ms);
}

rd_kafka_error_t *
rd_kafka_produceva(rd_kafka_t *rk, const rd_kafka_vu_t *parts, size_t count)
{
	REAL(rd_kafka_error_t *,
	     "rd_kafka_produceva",
	     rd_kafka_t *,
	     const rd_kafka_vu_t *,
	     size_t);
	CALL("kafka produce", rd_kafka_error_t *, real, rk, parts, count);
}

void
rd_kafka_CreateTopics(rd_kafka_t *rk, rd_kafka_NewTopic_t **topics, size_t count,
                      const rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue)
{
	bool now = pass("kafka topic");

	REAL(void,
	     "rd_kafka_CreateTopics",
	     rd_kafka_t *,
	     rd_kafka_NewTopic_t **,
	     size_t,
	     const rd_kafka_AdminOptions_t *,
	     rd_kafka_queue_t *);
	real(rk, topics, count, options, queue);
	passed(now);
}

/* ---- Files of the lake ---- */

static bool
has(const char *path, const char *part)
{
	return strstr(path, part) != NULL;
}

/* NULL: not a file of the lake. */
static const char *
kind_of(const char *path)
{
	bool table = has(path, "/metadata") || has(path, "/data");

	if (!table || has(path, "/proc/"))
		return NULL;
	if (has(path, "cdc_checkpoints"))
		return "checkpoint";
	if (has(path, "/.tmp-"))
		return "temporary";
	if (has(path, ".metadata.json"))
		return "metadata";
	if (has(path, "version-hint"))
		return "hint";
	if (has(path, ".avro"))
		return "manifest";
	if (has(path, ".parquet"))
		return "data";
	return "directory";
}

static const char *
file_point(char point[64], const char *call, const char *path)
{
	const char *kind = kind_of(path);

	if (kind == NULL)
		return NULL;
	(void) snprintf(point, 64, "%s %s", call, kind);
	return point;
}

static const char *
fd_point(char point[64], const char *call, int fd)
{
	char link[64];
	char path[1024];
	ssize_t length;

	(void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof path - 1);
	if (length <= 0)
		return NULL;
	path[length] = '\0';
	return file_point(point, call, path);
}

int
open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;
	char point[64];

	REAL(int, "open", const char *, int, ...);
	if ((flags & O_CREAT) == 0)
		return real(path, flags);
	va_start(arguments, flags);
	mode = va_arg(arguments, mode_t);
	va_end(arguments);
	if (file_point(point, "create", path) == NULL)
		return real(path, flags, mode);
	CALL(point, int, real, path, flags, mode);
}

ssize_t
write(int fd, const void *data, size_t size)
{
	char point[64];

	REAL(ssize_t, "write", int, const void *, size_t);
	if (fd <= 2 || fd_point(point, "write", fd) == NULL)
		return real(fd, data, size);
	CALL(point, ssize_t, real, fd, data, size);
}

ssize_t
pwrite(int fd, const void *data, size_t size, off_t at)
{
	char point[64];

	REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
	if (fd_point(point, "write", fd) == NULL)
		return real(fd, data, size, at);
	CALL(point, ssize_t, real, fd, data, size, at);
}

int
fsync(int fd)
{
	char point[64];

	REAL(int, "fsync", int);
	if (fd_point(point, "fsync", fd) == NULL)
		return real(fd);
	CALL(point, int, real, fd);
}

int
syncfs(int fd)
{
	char point[64];

	REAL(int, "syncfs", int);
	if (fd_point(point, "syncfs", fd) == NULL)
		return real(fd);
	CALL(point, int, real, fd);
}

int
link(const char *from, const char *to)
{
	char point[64];

	REAL(int, "link", const char *, const char *);
	if (file_point(point, "link", to) == NULL)
		return real(from, to);
	CALL(point, int, real, from, to);
}

int
rename(const char *from, const char *to)
{
	char point[64];

	REAL(int, "rename", const char *, const char *);
	if (file_point(point, "rename", to) == NULL)
		return real(from, to);
	CALL(point, int, real, from, to);
}

int
unlink(const char *path)
{
	char point[64];

	REAL(int, "unlink", const char *);
	if (file_point(point, "unlink", path) == NULL)
		return real(path);
	CALL(point, int, real, path);
}
