/*
 * members.c
 *		typed access to the members of parsed JSON objects.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "lake/iceberg/members.h"

#include <limits.h>
#include <string.h>

#include "config/json_flags.h"

json_object *
members_parse(Slice json, Err *err)
{
	json_tokener *tokener;
	json_object *object;
	enum json_tokener_error status;

	if (json.len == 0 || json.len > INT_MAX)
	{
		fail(err, ERR_FATAL, "not JSON: %zu bytes", json.len);
		return NULL;
	}
	tokener = json_tokener_new();
	json_tokener_set_flags(tokener, json_flags(json));
	object = json_tokener_parse_ex(tokener, json.data, (int) json.len);
	status = json_tokener_get_error(tokener);

	/* A number or a cut document may only be known as such at its end. */
	if (status == json_tokener_continue)
	{
		object = json_tokener_parse_ex(tokener, "", 1);
		status = json_tokener_get_error(tokener);
	}
	else if (status == json_tokener_success &&
	         json_tokener_get_parse_end(tokener) < json.len)
	{
		size_t end = json_tokener_get_parse_end(tokener);

		while (end < json.len && strchr(" \t\r\n", json.data[end]) &&
		       json.data[end] != '\0')
			end++;
		if (end < json.len)
			status = json_tokener_error_parse_unexpected;
	}
	if (status != json_tokener_success || !object)
	{
		fail(err,
		     ERR_FATAL,
		     "not JSON: %s at byte %zu",
		     json_tokener_error_desc(status),
		     json_tokener_get_parse_end(tokener));
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

bool
member_of_type_or(json_object *object, const char *name, json_type type,
                  json_object **value, Err *err)
{
	*value = NULL;
	if (!json_object_is_type(object, json_type_object))
		return fail(err, ERR_FATAL, "expected an object with member \"%s\"", name);
	if (!json_object_object_get_ex(object, name, value) || !*value)
	{
		*value = NULL;
		return true;
	}
	if (!json_object_is_type(*value, type))
		return fail(err,
		            ERR_FATAL,
		            "member \"%s\" is of type %s, not %s",
		            name,
		            json_type_to_name(json_object_get_type(*value)),
		            json_type_to_name(type));
	return true;
}

bool
member_of_type(json_object *object, const char *name, json_type type, json_object **value,
               Err *err)
{
	if (!member_of_type_or(object, name, type, value, err))
		return false;
	if (!*value)
		return fail(err, ERR_FATAL, "member \"%s\" is missing", name);
	return true;
}

bool
member_int64_or(json_object *object, const char *name, int64_t absent, int64_t *value,
                Err *err)
{
	json_object *number;

	if (!member_of_type_or(object, name, json_type_int, &number, err))
		return false;
	*value = number ? json_object_get_int64(number) : absent;
	return true;
}

bool
member_int64(json_object *object, const char *name, int64_t *value, Err *err)
{
	json_object *number;

	if (!member_of_type(object, name, json_type_int, &number, err))
		return false;
	*value = json_object_get_int64(number);
	return true;
}

static bool
narrow(int64_t wide, const char *name, int32_t *value, Err *err)
{
	if (wide < INT32_MIN || wide > INT32_MAX)
		return fail(err, ERR_FATAL, "member \"%s\" does not fit in 32 bits", name);
	*value = (int32_t) wide;
	return true;
}

bool
member_int32_or(json_object *object, const char *name, int32_t absent, int32_t *value,
                Err *err)
{
	int64_t wide;

	return member_int64_or(object, name, absent, &wide, err) &&
	       narrow(wide, name, value, err);
}

bool
member_int32(json_object *object, const char *name, int32_t *value, Err *err)
{
	int64_t wide;

	return member_int64(object, name, &wide, err) && narrow(wide, name, value, err);
}

bool
member_bool(json_object *object, const char *name, bool *value, Err *err)
{
	json_object *boolean;

	if (!member_of_type(object, name, json_type_boolean, &boolean, err))
		return false;
	*value = json_object_get_boolean(boolean);
	return true;
}

bool
member_string(Arena *arena, json_object *value, const char *name, const char **text,
              Err *err)
{
	const char *string;
	size_t len;

	if (!json_object_is_type(value, json_type_string))
		return fail(err, ERR_FATAL, "member \"%s\" is not a string", name);
	string = json_object_get_string(value);
	len = (size_t) json_object_get_string_len(value);
	if (strlen(string) != len)
		return fail(err, ERR_FATAL, "member \"%s\" contains a zero byte", name);
	*text = arena_strndup(arena, string, len);
	return true;
}

bool
member_text_or(Arena *arena, json_object *object, const char *name, const char *absent,
               const char **value, Err *err)
{
	json_object *string;

	if (!member_of_type_or(object, name, json_type_string, &string, err))
		return false;
	*value = absent;
	return !string || member_string(arena, string, name, value, err);
}

bool
member_text(Arena *arena, json_object *object, const char *name, const char **value,
            Err *err)
{
	json_object *string;

	return member_of_type(object, name, json_type_string, &string, err) &&
	       member_string(arena, string, name, value, err);
}

const char *
members_print(Arena *arena, json_object *object)
{
	return arena_strdup(
		arena,
		json_object_to_json_string_ext(
			object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}
