/*
 * chain.c
 *		stages in a row, and what they share.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>

#include "transform/stage.h"

struct TransformChain
{
	Arena *memory;
	Stage *stages;
	size_t count;
};

static const StageMake makers[TRANSFORM_KINDS] = {
	[TRANSFORM_UNWRAP] = unwrap_make,
	[TRANSFORM_OUTBOX] = outbox_make,
	[TRANSFORM_LOGICAL_ROUTER] = logical_make,
	[TRANSFORM_REGEX_ROUTER] = regex_make,
	[TRANSFORM_REPLACE_KEY] = replace_make,
	[TRANSFORM_REPLACE_VALUE] = replace_make,
	[TRANSFORM_MASK_KEY] = mask_make,
	[TRANSFORM_MASK_VALUE] = mask_make,
	[TRANSFORM_INSERT_KEY] = insert_make,
	[TRANSFORM_INSERT_VALUE] = insert_make,
	[TRANSFORM_FILTER] = filter_make,
	[PREDICATE_HAS_HEADER] = has_header_make,
	[PREDICATE_TOPIC_MATCHES] = topic_matches_make,
	[PREDICATE_IS_TOMBSTONE] = is_tombstone_make,
};

static bool
make_stage(TransformChain *chain, Stage *stage, const ConfigStage *config,
           ConnectSchemas *schemas, Err *err)
{
	*stage = (Stage){
		.config = config,
		.schemas = schemas,
		.memory = chain->memory,
		.negate = config->negate,
	};
	if (!makers[config->class->kind](stage, err))
		return fail_while(err,
		                  "invalid %s \"%s\"",
		                  config->class->is_predicate ? "predicate" : "transformation",
		                  config->alias);
	if (config->predicate != NULL)
	{
		Stage *predicate = arena_zero(chain->memory, sizeof *predicate);

		stage->predicate = predicate;
		return make_stage(chain, predicate, config->predicate, schemas, err);
	}
	return true;
}

TransformChain *
transform_chain_new(const Config *config, ConnectSchemas *schemas, Err *err)
{
	Arena *memory = arena_new();
	TransformChain *chain = arena_zero(memory, sizeof *chain);

	chain->memory = memory;
	chain->count = config->stage_count;
	chain->stages = arena_zero(memory, (chain->count + 1) * sizeof *chain->stages);
	for (size_t i = 0; i < chain->count; i++)
		if (!make_stage(chain, &chain->stages[i], &config->stages[i], schemas, err))
		{
			arena_free(memory);
			return NULL;
		}
	return chain;
}

void
transform_chain_free(TransformChain *chain)
{
	if (chain != NULL)
		arena_free(chain->memory);
}

bool
transform_check(const Config *config, Err *err)
{
	ConnectSchemas *schemas = connect_schemas_new();
	TransformChain *chain = transform_chain_new(config, schemas, err);

	transform_chain_free(chain);
	connect_schemas_free(schemas);
	return chain != NULL;
}

/* What can be done where the stage itself does not say it. */
static bool
fail_stage(const Stage *stage, Err *err)
{
	const char *alias = stage->config->alias;

	(void) fail_while(err, "cannot apply transformation \"%s\"", alias);
	if (err->kind != ERR_DATA || err->hint[0] != '\0')
		return false;
	return fail_hint(err,
	                 "Correct the options below transforms.%s, give it a predicate that "
	                 "leaves such records out (transforms.%s.predicate), or skip them by "
	                 "event.processing.failure.handling.mode=warn.",
	                 alias,
	                 alias);
}

static bool
apply_stage(const Stage *stage, ConnectRecord *record, Arena *arena, bool *keep, Err *err)
{
	const char *topic = record->topic;
	int32_t partition = record->partition;
	bool applies = true;

	if (stage->predicate != NULL)
	{
		if (!stage->predicate->test(stage->predicate, record, arena, &applies, err))
			return fail_while(
				err, "cannot decide predicate \"%s\"", stage->predicate->config->alias);
		applies ^= stage->negate;
	}
	if (applies && !stage->apply(stage, record, arena, keep, err))
		return fail_stage(stage, err);
	if (record->topic != topic || record->partition != partition)
		record->router = stage->config->alias;
	return true;
}

bool
transform_chain_apply(TransformChain *chain, ConnectRecord *record, Arena *arena,
                      bool *keep, Err *err)
{
	*keep = true;
	for (size_t i = 0; i < chain->count && *keep; i++)
		if (!apply_stage(&chain->stages[i], record, arena, keep, err))
			return false;
	return true;
}

/* ---- Filter and predicates ---- */

static bool
filter_apply(const Stage *stage, ConnectRecord *record, Arena *arena, bool *keep,
             Err *err)
{
	(void) stage;
	(void) record;
	(void) arena;
	(void) err;
	*keep = false;
	return true;
}

bool
filter_make(Stage *stage, Err *err)
{
	(void) err;
	stage->apply = filter_apply;
	return true;
}

static bool
has_header_test(const Stage *stage, const ConnectRecord *record, Arena *arena,
                bool *is_true, Err *err)
{
	const char *name = stage->state;

	(void) arena;
	(void) err;
	*is_true = false;
	for (size_t i = 0; i < record->header_count && !*is_true; i++)
		*is_true = strcmp(record->headers[i].name, name) == 0;
	return true;
}

bool
has_header_make(Stage *stage, Err *err)
{
	(void) err;
	stage->state = arena_strdup(stage->memory, stage_value(stage->config, "name"));
	stage->test = has_header_test;
	return true;
}

static bool
is_tombstone_test(const Stage *stage, const ConnectRecord *record, Arena *arena,
                  bool *is_true, Err *err)
{
	(void) stage;
	(void) arena;
	(void) err;
	*is_true = record->value.value.form == CONNECT_IS_NULL;
	return true;
}

bool
is_tombstone_make(Stage *stage, Err *err)
{
	(void) err;
	stage->test = is_tombstone_test;
	return true;
}

/* The replacement does not matter: a topic that is not NULL matches. */
static bool
topic_matches_test(const Stage *stage, const ConnectRecord *record, Arena *arena,
                   bool *is_true, Err *err)
{
	const char *result;

	*is_true = false;
	if (!route_topic(stage->state, record->topic, arena, &result, err))
		return false;
	*is_true = result != NULL;
	return true;
}

bool
topic_matches_make(Stage *stage, Err *err)
{
	Route *route = arena_zero(stage->memory, sizeof *route);

	stage->state = route;
	stage->test = topic_matches_test;
	return route_make(route, stage, stage_value(stage->config, "pattern"), "", err);
}
