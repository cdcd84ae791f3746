/*
 * connector.c
 *		a Kafka Connect connector's JSON, as POSTed to or returned by its REST API.
 *
 * Values are strings there, but numbers and booleans are what people write, and
 * Connect takes them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "config/assign.h"

#include <json-c/json.h>

#include "config/json_flags.h"
#include "config/settings.h"

/* Text of a scalar, NULL when value is none or holds a null character. */
static const char *
scalar_text(Arena *arena, json_object *value)
{
	const char *text;

	switch (json_object_get_type(value))
	{
		case json_type_string:
			text = json_object_get_string(value);
			if (strlen(text) != (size_t) json_object_get_string_len(value))
				return NULL;
			return arena_strdup(arena, text);
		case json_type_boolean:
		case json_type_int:
		case json_type_double:
			return arena_strdup(
				arena, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
		default:
			return NULL;
	}
}

static bool
add_members(AssignList *list, json_object *object, const char *file, Err *err)
{
	const char *place = arena_printf(list->arena, "file \"%s\"", file);

	json_object_object_foreach(object, name, value)
	{
		const char *text;
		char shown[SHOWN_SIZE];

		if (value == NULL)
			continue;
		text = scalar_text(list->arena, value);
		if (text == NULL)
			return fail(
				err,
				ERR_CONFIG,
				"value of setting \"%s\" in %s is not a string, number or boolean",
				setting_shown(name, shown),
				place);
		assign_add(list, ASSIGN_FILE, arena_strdup(list->arena, name), text, place);
	}
	return true;
}

static int
line_of(Slice text, size_t offset)
{
	int line = 1;

	for (size_t i = 0; i < offset && i < text.len; i++)
		line += text.data[i] == '\n';
	return line;
}

/* Parse all of text, which must be one value and blanks; the caller puts it. */
static json_object *
parse_all(Slice text, const char *file, Err *err)
{
	json_tokener *tokener = json_tokener_new();
	json_object *value = NULL;
	enum json_tokener_error problem;
	size_t end;

	if (tokener == NULL)
		abort();
	json_tokener_set_flags(tokener, json_flags(text));
	/* With the terminator, so that the end of the text is the end of the value. */
	value = json_tokener_parse_ex(tokener, text.data, (int) text.len + 1);
	problem = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	if (problem == json_tokener_continue)
		problem = json_tokener_error_parse_eof;
	if (problem != json_tokener_success)
		(void) fail(err,
		            ERR_CONFIG,
		            "invalid JSON in file \"%s\" line %d: %s",
		            file,
		            line_of(text, end),
		            json_tokener_error_desc(problem));
	else if (end + strspn(text.data + end, " \t\r\n") < text.len)
	{
		(void) fail(err,
		            ERR_CONFIG,
		            "more than one JSON value in file \"%s\" line %d",
		            file,
		            line_of(text, end));
		problem = json_tokener_error_parse_unexpected;
	}
	json_tokener_free(tokener);
	if (problem == json_tokener_success)
		return value;
	json_object_put(value);
	return NULL;
}

bool
assign_connector(AssignList *list, Slice text, const char *file, Err *err)
{
	const char *copy = arena_strndup(list->arena, text.data, text.len);
	json_object *document = parse_all((Slice){ copy, text.len }, file, err);
	json_object *config = NULL;
	bool ok;

	if (document == NULL)
		return false;
	if (!json_object_is_type(document, json_type_object))
		ok = fail(err, ERR_CONFIG, "file \"%s\" is not a JSON object", file);
	else if (!json_object_object_get_ex(document, "config", &config))
		ok = add_members(list, document, file, err);
	else if (!json_object_is_type(config, json_type_object))
		ok =
			fail(err, ERR_CONFIG, "\"config\" in file \"%s\" is not a JSON object", file);
	else
		ok = add_members(list, config, file, err);
	json_object_put(document);
	return ok;
}
