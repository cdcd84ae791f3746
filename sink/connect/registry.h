/*
 * registry.h
 *		a Confluent-compatible Schema Registry, as far as a producer needs one.
 *
 * Follows the Schema Registry API and what io.confluent.kafka.serializers does with it:
 * a schema is registered under its subject (or looked up, without auto.register.schemas)
 * once; its id goes into every message.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONNECT_REGISTRY_H
#define CONNECT_REGISTRY_H

#include <stdatomic.h>

#include "config/config.h"

typedef struct Registry Registry;

/* config must outlive it; stop ends requests under way.  ERR_CONFIG when no URL is given
 * or TLS cannot be set up. */
Registry *registry_new(const ConverterConfig *config, const atomic_bool *stop,
                       Err *err) MUST_CHECK;
void registry_free(Registry *registry); /* NULL is allowed */

/*
 * The id of an Avro schema under a subject; asked each time, so the caller remembers it.
 * ERR_RETRY when no registry answers; ERR_CONFIG, with the registry's reason, when it
 * refuses: a schema that is not compatible with the versions before it, or not valid.
 */
bool registry_id(Registry *registry, const char *subject, Slice schema, int32_t *id,
                 Err *err) MUST_CHECK;

/* Whether a registry answers, and takes Avro; changes nothing.  *url is the one that did,
 * or was asked last. */
bool registry_check(Registry *registry, const char **url, Err *err) MUST_CHECK;

#endif
