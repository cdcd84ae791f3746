/*
 * fuzz_config.c
 *		libFuzzer over a whole configuration: file, and one --set argument.
 *
 * The input is the file; what follows its first null character is the argument.
 * Whatever it holds, config_load either gives a Config that prints text which loads
 * and prints the same again, or refuses with a message.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "config/config.h"

/* Load bytes as if they were a file; NULL and err set when they are refused. */
static Config *
load(Arena *arena, const char *bytes, size_t size, const char *setting, Err *err)
{
	int fd = memfd_create("config", 0);
	const char *settings[] = { setting };
	ConfigInput input = {
		.file = arena_printf(arena, "/proc/self/fd/%d", fd),
		.settings = settings,
		.setting_count = setting != NULL ? 1 : 0,
	};
	Config *config;

	if (fd < 0 || write(fd, bytes, size) != (ssize_t) size)
		abort();
	err->kind = ERR_NONE;
	config = config_load(arena, &input, err);
	if ((config == NULL) != (err->kind == ERR_CONFIG))
		abort();
	(void) close(fd);
	return config;
}

static char *
printed(const Config *config, size_t *len)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, len);

	if (to == NULL)
		abort();
	config_print(config, to);
	if (fclose(to) != 0)
		abort();
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = arena_new();
	const uint8_t *null = size == 0 ? NULL : memchr(data, '\0', size);
	size_t file_size = null == NULL ? size : (size_t) (null - data);
	const char *setting = NULL;
	Config *config;
	Err err;

	log_set_level(LOG_ERROR);
	if (null != NULL)
		setting = arena_strndup(arena,
		                        (const char *) null + 1,
		                        strnlen((const char *) null + 1, size - file_size - 1));
	config = load(arena, (const char *) data, file_size, setting, &err);
	if (config != NULL)
	{
		size_t first_len;
		size_t second_len;
		char *first = printed(config, &first_len);
		char *second;

		config_free(config);
		config = load(arena, first, first_len, NULL, &err);
		if (config == NULL)
			abort();
		second = printed(config, &second_len);
		if (strcmp(first, second) != 0)
			abort();
		free(first);
		free(second);
		config_free(config);
	}
	arena_free(arena);
	return 0;
}
