/*
 * model.h
 *		records that the renderer cannot print by itself: through the Connect model, the
 *		transformations and the converters of key, value and headers.
 *
 * The records of one event are gathered, so that they are produced all or none:
 * kafka_model_begin, kafka_model_add, kafka_model_fits, kafka_model_produce.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef KAFKA_MODEL_H
#define KAFKA_MODEL_H

#include "connect/convert.h"
#include "envelope/render.h"
#include "kafka/topics.h"

typedef struct KafkaModel KafkaModel;

/* The schemas of the records of a relation, or of another kind of record. */
typedef struct KafkaSchemas
{
	const ConnectSchema *key; /* NULL: no key */
	const ConnectSchema *value;
} KafkaSchemas;

/* Whether the configuration asks for more than the renderer does.  *env is what to render
 * with: a copy of config->env that must not be released. */
bool kafka_model_needed(const Config *config, EnvOptions *env);

/* All must outlive it; context: the headers of every record, NULL: none.  ERR_CONFIG. */
KafkaModel *kafka_model_new(KafkaClient *client, KafkaTopics *topics,
                            const Config *config, const RenderContext *context,
                            Err *err) MUST_CHECK;
void kafka_model_free(KafkaModel *model); /* NULL is allowed */

/* Read the texts of two schemas, as render_key_schema() prints them. */
bool kafka_model_schemas(KafkaModel *model, Slice key, Slice value, KafkaSchemas *schemas,
                         Err *err) MUST_CHECK;

/* What was rendered for one event. */
typedef struct KafkaRendered
{
	const char *topic;
	int32_t partition; /* RD_KAFKA_PARTITION_UA: by key */
	const KafkaSchemas *schemas;
	const Buf *bytes; /* rendered without schemas and defaults */
	const RenderRecord *records;
	int count;
	bool has_context; /* with the context headers */
} KafkaRendered;

/* Forget what was gathered. */
void kafka_model_begin(KafkaModel *model);

/* Transform and convert the records of an event.  ERR_DATA, or what the schema registry
 * and the topics give. */
bool kafka_model_add(KafkaModel *model, const KafkaRendered *rendered,
                     Err *err) MUST_CHECK;

/* How many messages were gathered: transformations may have dropped all. */
size_t kafka_model_count(const KafkaModel *model);

/* Whether the broker takes all of them; ERR_DATA. */
bool kafka_model_fits(const KafkaModel *model, const char *what, Err *err) MUST_CHECK;

/* Produce them; adds to *records and *bytes. */
bool kafka_model_produce(KafkaModel *model, uint64_t *outstanding, uint64_t *records,
                         uint64_t *bytes, Err *err) MUST_CHECK;

#endif
