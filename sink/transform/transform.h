/*
 * transform.h
 *		single message transformations: what Kafka Connect does to a record between the
 *		connector and the converter.
 *
 * A chain is made of the stages in the configuration (config/transforms.h) and applied to
 * each record in turn; a stage may change everything of a record, or drop it.  What is
 * derived from schemas is made once and remembered, so a record costs moving pieces of
 * JSON.
 *
 * Follows Debezium 3.6.1.Final (io.debezium.transforms) and Kafka 4
 * (org.apache.kafka.connect.transforms).  Where those stop with an error that the data
 * does not call for, the file of the transformation says what is done instead.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TRANSFORM_TRANSFORM_H
#define TRANSFORM_TRANSFORM_H

#include "config/config.h"
#include "connect/record.h"

typedef struct TransformChain TransformChain;

/*
 * The chain of config->stages, which must outlive it, as must schemas.  NULL with
 * ERR_CONFIG, naming the transformation, when its options do not go together.  For one
 * thread.
 */
TransformChain *transform_chain_new(const Config *config, ConnectSchemas *schemas,
                                    Err *err) MUST_CHECK;
void transform_chain_free(TransformChain *chain); /* NULL is allowed */

/*
 * Apply all stages.  *keep is false when one dropped the record.  What it holds then
 * lives in arena, in the chain, or where it lived before.  ERR_DATA, naming the
 * transformation, when the record is not what it works on; ERR_RETRY to begin with an
 * empty memory of schemas.
 */
bool transform_chain_apply(TransformChain *chain, ConnectRecord *record, Arena *arena,
                           bool *keep, Err *err) MUST_CHECK;

/* Whether a chain of config can be made at all: ERR_CONFIG. */
bool transform_check(const Config *config, Err *err) MUST_CHECK;

#endif
