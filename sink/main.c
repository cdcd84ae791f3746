/*
 * main.c
 *		cdc-sink: from the command line to one command's exit code.
 *
 * Exit codes: 0 did what was asked, 1 a failure that a restart may heal (verify, check
 * and status: not all was well), 2 somebody must change something first.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/limits.h"
#include "base/log.h"
#include "config/args.h"
#include "config/fit.h"
#include "inspect.h"
#include "kafka/kafka.h"
#include "lake/check.h"
#include "pipeline.h"
#include "source/ask.h"
#include "source/check.h"
#include "status/board.h"
#include "transform/transform.h"
#include "verify.h"

enum
{
	EXIT_DONE = 0,
	EXIT_RESTART = 1,
	EXIT_CONFIG = 2,
};

/*
 * Read by jemalloc, which the worker is linked with: librdkafka makes half a dozen small
 * blocks a record in one thread and frees them by the thousand in another, which costs
 * glibc's malloc half of the worker's time.  One arena: few threads allocate at the same
 * time, and each arena keeps pages of its own.
 */
const char *const malloc_conf = "narenas:1";

/* A command that needs a configuration.  Returns the exit code, or -1 with err set. */
typedef int (*CommandRun)(const Config *config, const Args *args, Err *err);

static int run_run(const Config *config, const Args *args, Err *err);
static int run_check(const Config *config, const Args *args, Err *err);
static int run_status(const Config *config, const Args *args, Err *err);
static int run_snapshot(const Config *config, const Args *args, Err *err);
static int run_verify(const Config *config, const Args *args, Err *err);
static int run_config(const Config *config, const Args *args, Err *err);

static const CommandRun command_runs[COMMAND_COUNT] = {
	[COMMAND_RUN] = run_run,           [COMMAND_CHECK] = run_check,
	[COMMAND_STATUS] = run_status,     [COMMAND_VERIFY] = run_verify,
	[COMMAND_SNAPSHOT] = run_snapshot, [COMMAND_CONFIG] = run_config,
};

static int
report(const Err *err)
{
	(void) fprintf(stderr, "cdc-sink: error: %s\n", err->text);
	if (err->hint[0] != '\0')
		(void) fprintf(stderr, "cdc-sink: hint: %s\n", err->hint);
	return err->kind == ERR_CONFIG || err->kind == ERR_DATA ? EXIT_CONFIG : EXIT_RESTART;
}

/* Commands that print something and need no configuration.  False: not one of them. */
static bool
print_and_leave(const Args *args)
{
	if (args->command == COMMAND_HELP || args->command == COMMAND_COUNT)
		args_print_help(args->command == COMMAND_HELP ? args->help_about : COMMAND_COUNT,
		                stdout);
	else if (args->command == COMMAND_VERSION)
		args_print_version(stdout);
	else if (args->command == COMMAND_CONFIG && args->document == DOCUMENT_METRICS)
		board_print_reference(stdout);
	else if (args->command == COMMAND_CONFIG && args->document != DOCUMENT_EFFECTIVE)
		args_print_document(args->document, stdout);
	else
		return false;
	return true;
}

int
main(int argc, char **argv)
{
	Arena *arena = arena_new();
	Config *config = NULL;
	Err err = { 0 };
	Args args;
	int code = -1;

	limits_explain_abort();
	if (args_parse(arena, argc, argv, environ, &args, &err))
	{
		args.input.memory_limit = cgroup_memory_limit(CGROUP_SELF, CGROUP_MOUNT);
		if (print_and_leave(&args))
			code = EXIT_DONE;
		else if ((config = config_load(arena, &args.input, &err)) != NULL)
		{
			log_set_level((LogLevel) config->log_level);
			if (transform_check(config, &err))
				code = command_runs[args.command](config, &args, &err);
		}
	}
	if (code < 0)
		code = report(&err);
	config_free(config);
	arena_free(arena);
	if (fflush(stdout) != 0 && code == EXIT_DONE)
		code = EXIT_RESTART;
	return code;
}

/* Signals have a thread of their own: nothing happens in a handler. */
static void *
wait_for_signal(void *argument)
{
	static const uint64_t one = 1;
	PipelineStop *stop = argument;
	sigset_t signals;
	int number;

	(void) sigemptyset(&signals);
	(void) sigaddset(&signals, SIGTERM);
	(void) sigaddset(&signals, SIGINT);
	if (sigwait(&signals, &number) != 0)
		return NULL;
	atomic_store(&stop->requested, 1);
	if (write(stop->wake_fd, &one, sizeof one) < 0)
		return NULL;
	/* A second signal ends at once, which is safe at any moment.  sigwait() waits on when
	 * the process is stopped and continued, which sigwaitinfo() does not. */
	if (sigwait(&signals, &number) != 0)
		return NULL;
	_exit(EXIT_RESTART);
}

static int
run_run(const Config *config, const Args *args, Err *err)
{
	PipelineStop stop = { .wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) };
	sigset_t signals;
	pthread_t thread;
	int code;

	config_log_fit(config);
	(void) sigemptyset(&signals);
	(void) sigaddset(&signals, SIGTERM);
	(void) sigaddset(&signals, SIGINT);
	if (stop.wake_fd < 0 || pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR)
	{
		(void) fail(err, ERR_FATAL, "could not start: %s", strerror(errno));
		return -1;
	}
	code = pthread_create(&thread, NULL, wait_for_signal, &stop);
	if (code != 0)
	{
		(void) limits_no_thread(err, code);
		return -1;
	}
	(void) pthread_detach(thread);
	if (!limits_prepare(err))
		return -1;
	return pipeline_run(config, args->until_lsn, &stop, err) ? EXIT_DONE : -1;
}

/* Every part is looked at, whatever the one before found. */
static int
run_check(const Config *config, const Args *args, Err *err)
{
	bool ok;

	(void) args;
	config_log_fit(config);
	ok = check_source(config, stdout, err);
	if ((config->outputs & OUTPUT_KAFKA) != 0 && !kafka_check(config, stdout, err))
		ok = false;
	if ((config->outputs & (OUTPUT_BRONZE | OUTPUT_SILVER)) != 0 &&
	    !lake_check(config, stdout, err))
		ok = false;
	return ok ? EXIT_DONE : EXIT_RESTART;
}

static int
run_status(const Config *config, const Args *args, Err *err)
{
	bool healthy = false;

	if (!args->worker_only)
		healthy = inspect_all(config, args->json, stdout);
	else if (!inspect_worker(config, args->json, stdout, &healthy, err))
		return -1;
	return healthy ? EXIT_DONE : EXIT_RESTART;
}

static int
run_snapshot(const Config *config, const Args *args, Err *err)
{
	if (args->tables == NULL)
	{
		(void) fail(err, ERR_CONFIG, "command \"snapshot\" needs option \"--tables\"");
		(void) fail_hint(err, "Write --tables schema.table,schema.table.");
		return -1;
	}
	return ask_tables(config, args->tables, stdout, err) ? EXIT_DONE : -1;
}

static int
run_verify(const Config *config, const Args *args, Err *err)
{
	bool equal;

	(void) args;
	if (!verify_run(config, stdout, &equal, err))
		return -1;
	return equal ? EXIT_DONE : EXIT_RESTART;
}

static int
run_config(const Config *config, const Args *args, Err *err)
{
	(void) args;
	(void) err;
	config_print(config, stdout);
	return EXIT_DONE;
}
