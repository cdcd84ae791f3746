/*
 * transforms.h
 *		which transformations and predicates there are, and what a user configured.
 *
 * As Kafka Connect and Debezium have it:
 *
 *		transforms=unwrap,route
 *		transforms.unwrap.type=io.debezium.transforms.ExtractNewRecordState
 *		transforms.unwrap.predicate=data
 *		transforms.unwrap.negate=true
 *		predicates=data
 *		predicates.data.type=org.apache.kafka.connect.transforms.predicates.HasHeaderKey
 *
 * One table names the classes with their options, and writes the reference;
 *sink/transform/ does what they say.  Classes, options and aliases that are not there are
 *errors that name them; Kafka Connect only warns about such options.
 *
 * Follows Debezium 3.6.1 and Kafka 4.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONFIG_TRANSFORMS_H
#define CONFIG_TRANSFORMS_H

#include "config/config.h"

typedef enum TransformKind
{
	TRANSFORM_UNWRAP,
	TRANSFORM_OUTBOX,
	TRANSFORM_LOGICAL_ROUTER,
	TRANSFORM_REGEX_ROUTER,
	TRANSFORM_REPLACE_KEY,
	TRANSFORM_REPLACE_VALUE,
	TRANSFORM_MASK_KEY,
	TRANSFORM_MASK_VALUE,
	TRANSFORM_INSERT_KEY,
	TRANSFORM_INSERT_VALUE,
	TRANSFORM_FILTER,
	PREDICATE_HAS_HEADER,
	PREDICATE_TOPIC_MATCHES,
	PREDICATE_IS_TOMBSTONE,
	TRANSFORM_KINDS,
} TransformKind;

typedef enum TransformOptionKind
{
	STAGE_TEXT,
	STAGE_LIST,    /* separated by commas */
	STAGE_WORD,    /* one of values */
	STAGE_FLAG,    /* true, false */
	STAGE_NUMBER,  /* positive */
	STAGE_PATTERN, /* a regular expression: base/pattern.h */
	STAGE_REFUSED, /* known, and not supported; doc is the hint */
} TransformOptionKind;

typedef struct TransformOption
{
	const char *name;
	TransformOptionKind kind;
	bool required;    /* and not empty */
	const char *boot; /* NULL: absent unless given */
	const char *values;
	const char *doc;
} TransformOption;

typedef struct TransformClass
{
	const char *name; /* of the Java class */
	TransformKind kind;
	bool is_predicate;
	const TransformOption *options;
	size_t count;
	const char *doc;
} TransformClass;

/* The rows, sorted by name. */
const TransformClass *transform_classes(size_t *count);

/* A transformation or predicate in use. */
struct ConfigStage
{
	const char *alias;
	const TransformClass *class;
	const char **values; /* one for each of the class's options; NULL: not set */
	const struct ConfigStage *predicate; /* NULL: always */
	bool negate;
};

/* The value of an option, which the class must have. */
const char *stage_value(const ConfigStage *stage, const char *name);
bool stage_flag(const ConfigStage *stage, const char *name);
/* The index of an STAGE_WORD's value among those available. */
int stage_word(const ConfigStage *stage, const char *name);
/* The items of an STAGE_LIST, blanks around them removed; as Java's split, without
 * empty ones at the end. */
const char **stage_list(const ConfigStage *stage, const char *name, Arena *arena,
                        size_t *count);

/* Fill config->stages from the settings transforms and predicates and what is below them.
 */
bool config_transforms(Config *config, Arena *arena, Err *err) MUST_CHECK;

#endif
