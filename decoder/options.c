/*
 * options.c
 *		the options of START_REPLICATION and of the SQL functions.
 *
 * format is the plugin's own; every other option is a row of the envelope
 * library's table, by the Debezium property's name with underscores for dots.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "compat.h"

#include "nodes/parsenodes.h"
#include "replication/walsender.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "options.h"

#define FORMAT_OPTION "format"
#define FORMAT_WORDS  "json, record, frame"

static const char *const format_names[] = {
	[FORMAT_JSON] = "json",
	[FORMAT_RECORD] = "record",
	[FORMAT_FRAME] = "frame",
};

static OutputFormat
parse_format(const char *value)
{
	for (int i = 0; i < (int) lengthof(format_names); i++)
		if (pg_strcasecmp(value, format_names[i]) == 0)
			return (OutputFormat) i;
	ereport(ERROR,
	        errcode(ERRCODE_INVALID_PARAMETER_VALUE),
	        errmsg("invalid value for option \"%s\": \"%s\"", FORMAT_OPTION, value),
	        errhint("Available values: %s.", FORMAT_WORDS));
}

pg_noreturn static void
fail_unrecognized(const char *name)
{
	bool is_long = strlen(name) >= NAMEDATALEN;
	const char *nearest = is_long ? NULL : env_option_nearest(name, '_');

	/* a slip or two away from "format", which the library's table does not have */
	if (!is_long && varstr_levenshtein_less_equal(name,
	                                              (int) strlen(name),
	                                              FORMAT_OPTION,
	                                              (int) strlen(FORMAT_OPTION),
	                                              1,
	                                              1,
	                                              1,
	                                              2,
	                                              true) <= 2)
		nearest = FORMAT_OPTION;
	ereport(ERROR,
	        errcode(ERRCODE_INVALID_PARAMETER_VALUE),
	        errmsg("unrecognized option \"%s\"", name),
	        nearest != NULL ? errhint("Perhaps you meant the option \"%s\".", nearest)
	                        : errhint("An option is \"%s\", or a Debezium property that "
	                                  "shapes events, with underscores for dots.",
	                                  FORMAT_OPTION));
}

pg_noreturn static void
fail_value(const EnvError *error)
{
	ereport(ERROR,
	        errcode(ERRCODE_INVALID_PARAMETER_VALUE),
	        errmsg("%s", error->message),
	        error->hint[0] != '\0' ? errhint("%s", error->hint) : 0);
}

/* Options are few: looking back over those before this one finds a repetition. */
static void
refuse_duplicate(List *given, int at, const char *name)
{
	for (int i = 0; i < at; i++)
	{
		DefElem *earlier = list_nth_node(DefElem, given, i);

		if (strcmp(earlier->defname, ((DefElem *) list_nth(given, at))->defname) == 0)
			ereport(ERROR,
			        errcode(ERRCODE_SYNTAX_ERROR),
			        errmsg("option \"%s\" given more than once", name),
			        errhint("Give each option once."));
	}
}

/* A name of the library's, with underscores; only a salt or a table may have dots. */
static bool
is_known(const char *name)
{
	const char *table;
	MaskKind kind;

	if (strcmp(name, OPTION_ALL_MASKS) == 0 ||
	    strcmp(name, OPTION_ALL_ROW_FILTERS) == 0 || strcmp(name, OPTION_PUBLISHED) == 0)
		return true;
	if (mask_is_property(name, &kind))
		return strncmp(name, "column_", 7) == 0;
	if (row_filter_is_property(name, &table))
		return strncmp(name, "row_", 4) == 0;
	return strchr(name, '.') == NULL && env_option_find(name) != NULL;
}

/*
 * START_REPLICATION cuts names of options after NAMEDATALEN - 1 bytes.  A salt that ends
 * there may have been longer, and hashes would silently be others; a table would silently
 * lose its filter.
 */
static void
refuse_cut(const char *name, const Alloc *alloc)
{
	const char *table;
	MaskKind kind;
	bool is_filter = row_filter_is_property(name, &table);

	if (!am_walsender || strlen(name) < NAMEDATALEN - 1 ||
	    (!is_filter && !mask_is_property(name, &kind)))
		return;
	ereport(ERROR,
	        errcode(ERRCODE_NAME_TOO_LONG),
	        errmsg("option \"%s\" may have been cut after %d bytes",
	               mask_shown(name, alloc),
	               NAMEDATALEN - 1),
	        is_filter
	            ? errhint("Give it in the value of the option \"%s\", as "
	                      "length:schema.table length:expression without the space.",
	                      OPTION_ALL_ROW_FILTERS)
	            : errhint("Give it in the value of the option \"%s\", as length:property "
	                      "length:columns without the space.",
	                      OPTION_ALL_MASKS));
}

void
options_parse(DecoderOptions *options, List *given, TextConverter *converter,
              const Alloc *alloc)
{
	options->format = FORMAT_JSON;
	env_options_init(&options->events, alloc);

	for (int i = 0; i < list_length(given); i++)
	{
		DefElem *element = list_nth_node(DefElem, given, i);
		const char *name = text_convert(converter, element->defname);
		bool is_format = strcmp(name, FORMAT_OPTION) == 0;
		const char *value;
		EnvError error;

		if (!is_format && !is_known(name))
			fail_unrecognized(name);
		refuse_cut(name, alloc);
		refuse_duplicate(given, i, name);
		if (element->arg == NULL)
			ereport(ERROR,
			        errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			        errmsg("option \"%s\" requires a value", name),
			        errhint("Write it as \"%s\" 'value'.", name));
		value = text_convert(converter, strVal(element->arg));
		if (is_format)
			options->format = parse_format(value);
		else if (!env_option_set(&options->events, name, value, alloc, &error))
			fail_value(&error);
	}
}
