/*
 * options.h
 *		the options of START_REPLICATION and of the SQL functions.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef DECODER_OPTIONS_H
#define DECODER_OPTIONS_H

#include "compat.h"

#include "nodes/pg_list.h"

#include "library.h"
#include "text.h"

typedef enum OutputFormat
{
	FORMAT_JSON,   /* one Debezium envelope a row of output */
	FORMAT_RECORD, /* one JSON object a Kafka record, tombstones included */
	FORMAT_FRAME,  /* binary, drawn in envelope/wire.h */
} OutputFormat;

typedef struct DecoderOptions
{
	OutputFormat format;
	EnvOptions events; /* everything that has a Debezium property */
} DecoderOptions;

/*
 * Fill options from a list of DefElem, in the database's encoding; what it does not name
 * keeps its default.
 * Memory comes from alloc and must be given back by env_options_fini before that is
 * freed.  ERROR for an option that is not recognized, given twice, or has a bad value.
 */
void options_parse(DecoderOptions *options, List *given, TextConverter *converter,
                   const Alloc *alloc);

#endif
