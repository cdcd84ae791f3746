/*
 * assign.c
 *		the sources a configuration is collected from, in the order they win.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "config/assign.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/settings.h"

#define VARIABLE_PREFIX "CDC_SINK_"
#define FILE_SUFFIX     "_FILE"
#define MAX_FILE_BYTES  ((size_t) 1 << 20)

/*
 * Kubernetes sets these for a service that is named cdc-sink; nobody means a setting by
 * them.
 */
static const char *const service_variables[] = { "CDC_SINK_PORT", "CDC_SINK_SERVICE_" };

void
assign_add(AssignList *list, AssignSource source, const char *name, const char *value,
           const char *place)
{
	if (list->count == list->capacity)
	{
		size_t capacity = list->capacity == 0 ? 32 : list->capacity * 2;
		Assignment *items = arena_alloc(list->arena, capacity * sizeof *items);

		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof *items);
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count] = (Assignment){ name, value, place, source, list->count };
	list->count++;
}

bool
assign_read(Arena *arena, const char *path, Slice *content, Err *err)
{
	Buf buf = buf_heap();
	FILE *file = fopen(path, "re");
	bool ok = false;

	if (file == NULL)
		return fail(
			err, ERR_CONFIG, "could not open file \"%s\": %s", path, strerror(errno));
	for (;;)
	{
		size_t got = fread(buf_reserve(&buf, 4096), 1, 4096, file);

		buf.len += got;
		if (got == 0 || buf.len > MAX_FILE_BYTES)
			break;
	}
	if (ferror(file))
		(void) fail(
			err, ERR_CONFIG, "could not read file \"%s\": %s", path, strerror(errno));
	else if (buf.len > MAX_FILE_BYTES)
		(void) fail(err, ERR_CONFIG, "file \"%s\" is larger than 1MB", path);
	else
	{
		*content = arena_slice(arena, (Slice){ buf.data, buf.len });
		ok = true;
	}
	(void) fclose(file);
	buf_free(&buf);
	return ok;
}

static bool
assign_file(AssignList *list, const char *path, Err *err)
{
	Slice content;
	size_t start = 0;

	if (!assign_read(list->arena, path, &content, err))
		return false;
	while (start < content.len && isspace((unsigned char) content.data[start]))
		start++;
	if (start < content.len && content.data[start] == '{')
		return assign_connector(list, content, path, err);
	return assign_properties(list, content, path, err);
}

const char *
assign_variable(Arena *arena, const char *name)
{
	char *variable = arena_printf(arena, VARIABLE_PREFIX "%s", name);

	for (char *p = variable; *p != '\0'; p++)
		*p = (char) (*p == '.' || *p == '-' ? '_' : toupper((unsigned char) *p));
	return variable;
}

static bool
variable_means(const char *variable, size_t len, const char *name)
{
	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		int c = name[i] == '.' || name[i] == '-' ? '_' : toupper((unsigned char) name[i]);

		if (variable[i] != c)
			return false;
	}
	return true;
}

/* The setting that the len bytes after the prefix of a variable stand for; NULL: none. */
static const char *
variable_setting(Arena *arena, const char *variable, size_t len)
{
	size_t count;
	const Setting *settings = setting_table(&count);
	const EnvOptionDef *options;
	const char *table;
	MaskKind kind;
	char *name;

	for (size_t i = 0; i < count; i++)
		if (variable_means(variable, len, settings[i].name))
			return settings[i].name;
	options = env_option_table(&count);
	for (size_t i = 0; i < count; i++)
		if (variable_means(variable, len, options[i].name))
			return options[i].name;
	name = arena_strndup(arena, variable, len);
	for (char *p = name; *p != '\0'; p++)
		*p = (char) (*p == '_' ? '.' : tolower((unsigned char) *p));
	/* a salt would have lost its letters' case */
	if (mask_is_property(name, &kind) && (kind == MASK_TRUNCATE || kind == MASK_CHARS))
		return name;
	if (row_filter_is_property(name, &table))
		return name;
	return pair_find(name) != NULL ? name : NULL;
}

static bool
is_service_variable(const char *variable)
{
	for (size_t i = 0; i < sizeof service_variables / sizeof *service_variables; i++)
		if (strncmp(variable, service_variables[i], strlen(service_variables[i])) == 0)
			return true;
	return false;
}

bool
assign_read_line(Arena *arena, const char *path, const char **text, Err *err)
{
	Slice content;

	if (!assign_read(arena, path, &content, err))
		return false;
	while (content.len > 0 && (content.data[content.len - 1] == '\n' ||
	                           content.data[content.len - 1] == '\r'))
		content.len--;
	if (memchr(content.data, '\0', content.len) != NULL)
		return fail(err, ERR_CONFIG, "file \"%s\" holds a null character", path);
	*text = arena_strndup(arena, content.data, content.len);
	return true;
}

static bool
assign_secret_file(AssignList *list, const char *name, const char *path,
                   const char *place, Err *err)
{
	const char *text;

	if (!assign_read_line(list->arena, path, &text, err))
		return fail_while(err, "could not read setting \"%s\" as %s says", name, place);
	assign_add(list, ASSIGN_ENVIRONMENT, name, text, place);
	return true;
}

static bool
assign_one_variable(AssignList *list, const char *variable, Err *err)
{
	const char *written = variable + strlen(VARIABLE_PREFIX);
	size_t len = strcspn(written, "=");
	size_t suffix = strlen(FILE_SUFFIX);
	const char *value = written + len + (written[len] == '=');
	const char *name;
	const char *place = arena_printf(list->arena,
	                                 "environment variable \"%.*s\"",
	                                 (int) (len + strlen(VARIABLE_PREFIX)),
	                                 variable);

	/* A name below kafka. may be anything, so there the suffix is looked at first. */
	if (len > suffix && strncmp(written + len - suffix, FILE_SUFFIX, suffix) == 0)
	{
		name = variable_setting(list->arena, written, len - suffix);
		if (name != NULL)
			return assign_secret_file(list, name, value, place, err);
	}
	name = variable_setting(list->arena, written, len);
	if (name == NULL)
		name = arena_strndup(list->arena, variable, len + strlen(VARIABLE_PREFIX));
	assign_add(list, ASSIGN_ENVIRONMENT, name, arena_strdup(list->arena, value), place);
	return true;
}

bool
assign_environment(AssignList *list, char *const *variables, Err *err)
{
	for (; *variables != NULL; variables++)
	{
		if (strncmp(*variables, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) != 0 ||
		    is_service_variable(*variables))
			continue;
		if (!assign_one_variable(list, *variables, err))
			return false;
	}
	return true;
}

bool
assign_settings(AssignList *list, const char *const *settings, size_t count, Err *err)
{
	for (size_t i = 0; i < count; i++)
	{
		const char *equals = strchr(settings[i], '=');
		size_t len;

		if (equals == NULL || equals == settings[i])
		{
			/* No more of it than a name: the rest may be a password. */
			len = strspn(settings[i], "abcdefghijklmnopqrstuvwxyz.");
			(void) fail(
				err,
				ERR_CONFIG,
				"the argument of --set that begins with \"%.*s\" is not a setting "
				"and a value",
				(int) (len < 80 ? len : 80),
				settings[i]);
			return fail_hint(err, "Write --set name=value.");
		}
		len = (size_t) (equals - settings[i]);
		assign_add(list,
		           ASSIGN_COMMAND_LINE,
		           arena_strndup(list->arena, settings[i], len),
		           arena_strdup(list->arena, equals + 1),
		           "--set");
	}
	return true;
}

bool
assign_all(AssignList *list, const ConfigInput *input, Err *err)
{
	if (input->file != NULL && !assign_file(list, input->file, err))
		return false;
	if (input->environ != NULL && !assign_environment(list, input->environ, err))
		return false;
	return assign_settings(list, input->settings, input->setting_count, err);
}
