/*
 * headers.h
 *		the values of headers, as header.converter writes them.
 *
 * Follows SimpleHeaderConverter and JsonConverter of Kafka Connect: the former gives a
 * string as it is and a key as render_header_key() prints it; the latter quotes strings
 *and, with header.converter.schemas.enable, puts either into {"schema":..,"payload":..}.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef KAFKA_HEADERS_H
#define KAFKA_HEADERS_H

#include "config/config.h"
#include "envelope/render.h"

/* Append the value of a header that is a string. */
void kafka_header_text(const Config *config, const char *text, Buf *buf);

/* Append the value of a header that is a key of plan's records, whose JSON is key. */
void kafka_header_key(const Config *config, const RenderPlan *plan, Slice key, Buf *buf);

#endif
