/*
 * encode.h
 *		one value as the JSON that Kafka Connect's JsonConverter prints.
 *
 * A ColumnCodec is what a plan knows of a column's values; types.c fills it.  An
 * encoder appends the JSON of one value that is not null.  Before each call
 * ENCODE_ROOM bytes are reserved, so those of fixed size write unchecked;
 * the others reserve what they need.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_ENCODE_H
#define ENVELOPE_ENCODE_H

#include "envelope/calendar.h"
#include "envelope/number.h"
#include "envelope/value.h"

#define ENCODE_ROOM 96

typedef enum EncodeResult
{
	ENCODE_DONE,
	ENCODE_NULL, /* no Connect value: nothing was appended, print null */
	ENCODE_LOST, /* the same, and Debezium's conversion fails: see ColumnCodec.strict */
	ENCODE_MALFORMED, /* the bytes are not of the type; what was appended is void */
} EncodeResult;

typedef struct ColumnCodec ColumnCodec;

typedef EncodeResult (*ValueEncoder)(Buf *buf, const ColumnCodec *codec, Slice bytes);

struct ColumnCodec
{
	ValueEncoder encode;
	ValueEncoder encode_element; /* arrays: of one element */
	ValueEncoder encode_printed; /* unknown types: of their text */
	bool null_elements;          /* arrays: else a null element makes the whole null */
	bool strict; /* what is lost is an error, and with an element the whole array */
	bool in_array;
	char delimiter;     /* between elements, where an array comes as text */
	bool lossless;      /* bronze: PostgreSQL's text where Connect's type would lose */
	bool binary;        /* travels as 'b' */
	ValueEncoder inner; /* encode_masked: what it calls */
	const struct ColumnMask *mask;
	bool mask_bytes; /* the mask cuts bytes, not what they print as */
	int scale;       /* digits after the point: of numeric, of a timestamp's fraction */
	RelationColumn element; /* arrays: as much of a column as value_print() wants */
	const RelationColumn *column;
};

/* Move what was appended since middle down to start, over what is between. */
void encode_fold(Buf *buf, size_t start, size_t middle);

/* encode.c: scalars that are their own JSON, text and bytes */
EncodeResult encode_null(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_lost(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_bool(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_int2(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_int4(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_int8(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_oid(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_float4(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_float8(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_text(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_char(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_json(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_uuid(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_base64(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_base64_url(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_hex(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_bit_bool(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_bits(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_printed(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_masked(Buf *buf, const ColumnCodec *codec, Slice bytes);

/* encode_number.c: numeric and money by decimal.handling.mode */
EncodeResult encode_decimal(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_variable_decimal(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_numeric_double(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_numeric_string(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_money_decimal(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_money_double(Buf *buf, const ColumnCodec *codec, Slice bytes);
/* elements of an unknown type: the bytes of their text, by the locale C */
EncodeResult encode_money_bytes(Buf *buf, const ColumnCodec *codec, Slice bytes);

/* encode_time.c: by time.precision.mode and interval.handling.mode */
EncodeResult encode_date_days(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_date_iso(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_time_ms(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_time_us(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_time_ns(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_time_iso(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_timestamp_ms(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_timestamp_us(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_timestamp_ns(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_timestamp_iso(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_timestamptz(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_timetz(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_interval_us(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_interval_iso(Buf *buf, const ColumnCodec *codec, Slice bytes);

/* encode_nested.c: arrays, and types whose text has a structure */
EncodeResult encode_array(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_array_text(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_vector(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_point(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_geometric(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_hstore(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_hstore_map(Buf *buf, const ColumnCodec *codec, Slice bytes);

/* Read the double that at starts with; returns where it ends, at when there is none. */
const char *encode_read_double(const char *at, const char *end, double *value);
void encode_put_double(Buf *buf, double value);

/* encode_extension.c: PostGIS and pgvector */
EncodeResult encode_geometry(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_double_vector(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_float_vector(Buf *buf, const ColumnCodec *codec, Slice bytes);
EncodeResult encode_sparse_vector(Buf *buf, const ColumnCodec *codec, Slice bytes);

#endif
