/*
 * encode_time.c
 *		dates, times and intervals by time.precision.mode and
 *		interval.handling.mode.
 *
 * Infinities, and values beyond what Java's types hold, print what Debezium's
 * arithmetic makes of them (facts captured from its records); with lossless they print
 * PostgreSQL's text.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/encode.h"

/* What Debezium's streaming makes of infinite dates, and of timestamps in microseconds.
 */
#define DEBEZIUM_DATE_INFINITY          (-2147472692)
#define DEBEZIUM_DATE_NEG_INFINITY      (-2147472691)
#define DEBEZIUM_TIMESTAMP_INFINITY     INT64_C(9223372036825200000)
#define DEBEZIUM_TIMESTAMP_NEG_INFINITY INT64_C(-9223372036832400000)

#define MONTH_US INT64_C(2629800000000) /* 365.25 / 12 days */

static inline char *
end_of(Buf *buf)
{
	return buf->data + buf->len;
}

static inline EncodeResult
done_at(Buf *buf, const char *end)
{
	buf->len = (size_t) (end - buf->data);
	return ENCODE_DONE;
}

static EncodeResult
put_integer(Buf *buf, int64_t value)
{
	return done_at(buf, number_put_i64(end_of(buf), value));
}

static EncodeResult
put_word(Buf *buf, const char *word)
{
	buf_char(buf, '"');
	buf_text(buf, word);
	buf_char(buf, '"');
	return ENCODE_DONE;
}

EncodeResult
encode_date_days(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int32_t value;

	(void) codec;
	if (!value_int32(bytes, &value))
		return ENCODE_MALFORMED;
	if (value == VALUE_DATE_INFINITY)
		return put_integer(buf, DEBEZIUM_DATE_INFINITY);
	if (value == VALUE_DATE_NEG_INFINITY)
		return put_integer(buf, DEBEZIUM_DATE_NEG_INFINITY);
	return put_integer(buf, (int64_t) value + CALENDAR_EPOCH_DAYS);
}

EncodeResult
encode_date_iso(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int32_t value;
	int64_t days;
	char *at;

	if (!value_int32(bytes, &value))
		return ENCODE_MALFORMED;
	days = (int64_t) value + CALENDAR_EPOCH_DAYS;
	if (value == VALUE_DATE_INFINITY || value == VALUE_DATE_NEG_INFINITY)
	{
		if (codec->lossless)
			return put_word(buf, value < 0 ? "-infinity" : "infinity");
		days = value < 0 ? DEBEZIUM_DATE_NEG_INFINITY : DEBEZIUM_DATE_INFINITY;
	}
	at = end_of(buf);
	*at++ = '"';
	at = calendar_put_iso_date(at, days);
	*at++ = 'Z';
	*at++ = '"';
	return done_at(buf, at);
}

static bool
read_time(Slice bytes, int64_t *us)
{
	return value_int64(bytes, us) && *us >= 0 && *us <= CALENDAR_DAY_US;
}

EncodeResult
encode_time_ms(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int64_t us;

	(void) codec;
	if (!read_time(bytes, &us))
		return ENCODE_MALFORMED;
	return put_integer(buf, us / 1000);
}

EncodeResult
encode_time_us(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int64_t us;

	(void) codec;
	if (!read_time(bytes, &us))
		return ENCODE_MALFORMED;
	return put_integer(buf, us);
}

EncodeResult
encode_time_ns(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int64_t us;

	(void) codec;
	if (!read_time(bytes, &us))
		return ENCODE_MALFORMED;
	return put_integer(buf, us * 1000);
}

EncodeResult
encode_time_iso(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int64_t us;
	char *at;

	if (!read_time(bytes, &us))
		return ENCODE_MALFORMED;
	if (us == CALENDAR_DAY_US)
	{
		if (codec->lossless)
			return put_word(buf, "24:00:00");
		us = 0;
	}
	at = end_of(buf);
	*at++ = '"';
	at = calendar_put_time(at, us, CALENDAR_TRIM);
	*at++ = 'Z';
	*at++ = '"';
	return done_at(buf, at);
}

typedef enum TimestampKind
{
	TIMESTAMP_BAD,
	TIMESTAMP_FINITE,
	TIMESTAMP_PLUS_INFINITY,
	TIMESTAMP_MINUS_INFINITY,
} TimestampKind;

/*
 * Microseconds since 1970; PostgreSQL's range ends in 294276, which is beyond
 * int64 by this epoch only for values it does not have.
 */
static TimestampKind
read_timestamp(Slice bytes, int64_t *us)
{
	if (!value_int64(bytes, us))
		return TIMESTAMP_BAD;
	if (*us == VALUE_TIMESTAMP_INFINITY)
		return TIMESTAMP_PLUS_INFINITY;
	if (*us == VALUE_TIMESTAMP_NEG_INFINITY)
		return TIMESTAMP_MINUS_INFINITY;
	return TIMESTAMP_FINITE;
}

/* Whole seconds since 1970 and the microseconds within, which are never negative. */
static void
split_seconds(int64_t us, int64_t *seconds, int64_t *fraction)
{
	*seconds = us / 1000000;
	*fraction = us % 1000000;
	if (*fraction < 0)
	{
		*fraction += 1000000;
		*seconds -= 1;
	}
	*seconds += CALENDAR_EPOCH_US / 1000000;
}

static int64_t
debezium_infinity(TimestampKind kind)
{
	return kind == TIMESTAMP_PLUS_INFINITY ? DEBEZIUM_TIMESTAMP_INFINITY
	                                       : DEBEZIUM_TIMESTAMP_NEG_INFINITY;
}

EncodeResult
encode_timestamp_ms(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int64_t us;
	int64_t seconds;
	int64_t fraction;
	TimestampKind kind = read_timestamp(bytes, &us);

	(void) codec;
	if (kind == TIMESTAMP_BAD)
		return ENCODE_MALFORMED;
	if (kind != TIMESTAMP_FINITE)
		return put_integer(buf, debezium_infinity(kind) / 1000);
	split_seconds(us, &seconds, &fraction);
	return put_integer(buf, seconds * 1000 + fraction / 1000);
}

/* TimeUnit.toMicros saturates, then the fraction overflows: Java's arithmetic, kept. */
EncodeResult
encode_timestamp_us(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int64_t us;
	int64_t seconds;
	int64_t fraction;
	TimestampKind kind = read_timestamp(bytes, &us);

	(void) codec;
	if (kind == TIMESTAMP_BAD)
		return ENCODE_MALFORMED;
	if (kind != TIMESTAMP_FINITE)
		return put_integer(buf, debezium_infinity(kind));
	split_seconds(us, &seconds, &fraction);
	us = seconds > INT64_MAX / 1000000 ? INT64_MAX : seconds * 1000000;
	return put_integer(buf, (int64_t) ((uint64_t) us + (uint64_t) fraction));
}

EncodeResult
encode_timestamp_ns(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int64_t us;
	int64_t seconds;
	int64_t fraction;
	__int128 ns;
	TimestampKind kind = read_timestamp(bytes, &us);

	(void) codec;
	if (kind == TIMESTAMP_BAD)
		return ENCODE_MALFORMED;
	if (kind != TIMESTAMP_FINITE)
		return put_integer(buf, kind == TIMESTAMP_PLUS_INFINITY ? INT64_MAX : INT64_MIN);
	split_seconds(us, &seconds, &fraction);
	ns = (__int128) seconds * 1000000000 + fraction * 1000;
	if (ns > INT64_MAX || ns < INT64_MIN)
		return ENCODE_NULL;
	return put_integer(buf, (int64_t) ns);
}

/* A day since 1970-01-01 and the time within it, in quotes. */
static EncodeResult
put_iso(Buf *buf, int64_t day, int64_t time_us, int digits)
{
	char *at = end_of(buf);

	*at++ = '"';
	at = calendar_put_iso_date(at, day);
	*at++ = 'T';
	at = calendar_put_time(at, time_us, digits);
	*at++ = 'Z';
	*at++ = '"';
	return done_at(buf, at);
}

/* Counted by days, because microseconds since 1970 do not fit for the last year. */
static EncodeResult
put_finite(Buf *buf, int64_t us, int digits)
{
	int64_t day;
	int64_t time_us;

	calendar_split_us(us, &day, &time_us);
	return put_iso(buf, day + CALENDAR_EPOCH_DAYS, time_us, digits);
}

EncodeResult
encode_timestamp_iso(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int64_t us;
	int64_t day;
	TimestampKind kind = read_timestamp(bytes, &us);

	if (kind == TIMESTAMP_BAD)
		return ENCODE_MALFORMED;
	if (kind == TIMESTAMP_FINITE)
		return put_finite(buf, us, CALENDAR_TRIM);
	if (codec->lossless)
		return put_word(buf, kind == TIMESTAMP_PLUS_INFINITY ? "infinity" : "-infinity");
	calendar_split_us(debezium_infinity(kind), &day, &us);
	return put_iso(buf, day, us, CALENDAR_TRIM);
}

EncodeResult
encode_timestamptz(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	int64_t us;
	TimestampKind kind = read_timestamp(bytes, &us);

	if (kind == TIMESTAMP_BAD)
		return ENCODE_MALFORMED;
	if (kind == TIMESTAMP_FINITE)
		return put_finite(buf, us, codec->scale);
	return put_word(buf, kind == TIMESTAMP_PLUS_INFINITY ? "infinity" : "-infinity");
}

/* Brought to UTC.  Elements of arrays have no fraction in Debezium. */
EncodeResult
encode_timetz(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	TimeTz value;
	int64_t us;
	char *at;

	(void) codec;
	if (!value_timetz(bytes, &value) || value.time_us < 0 ||
	    value.time_us > CALENDAR_DAY_US)
		return ENCODE_MALFORMED;
	us = (value.time_us + (int64_t) value.zone_s * 1000000) % CALENDAR_DAY_US;
	if (us < 0)
		us += CALENDAR_DAY_US;
	at = end_of(buf);
	*at++ = '"';
	at = calendar_put_time(at, us, CALENDAR_TRIM);
	*at++ = 'Z';
	*at++ = '"';
	return done_at(buf, at);
}

EncodeResult
encode_interval_us(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	Interval value;
	__int128 us;

	(void) codec;
	if (!value_interval(bytes, &value))
		return ENCODE_MALFORMED;
	us = (__int128) value.months * MONTH_US + (__int128) value.days * CALENDAR_DAY_US +
	     value.time_us;
	if (us > INT64_MAX)
		us = INT64_MAX;
	if (us < INT64_MIN)
		us = INT64_MIN;
	return put_integer(buf, (int64_t) us);
}

/*
 * Replace the seconds before at, which ends behind their S, by what Debezium makes of
 * them: the driver adds whole seconds and fraction as doubles, and nine digits of the sum
 * are printed, so that 34.813008 comes as 34.813007999.
 */
static char *
put_java_seconds(char *at, int64_t us)
{
	int64_t whole = us / 1000000;
	int64_t fraction = us % 1000000;
	double seconds = (double) whole + (double) fraction / 1e6;
	char *point;

	/* less than a second is one division, whose result prints as it should */
	if (fraction == 0 || whole == 0)
		return at;
	for (at--; at[-1] != 'M'; at--)
		;
	point = at;
	at = number_put_java_double(at, seconds);
	while (*point != '.')
		point++;
	if (at > point + 10)
		at = point + 10;
	while (at[-1] == '0')
		at--;
	*at++ = 'S';
	return at;
}

EncodeResult
encode_interval_iso(Buf *buf, const ColumnCodec *codec, Slice bytes)
{
	Interval value;
	char *at;

	if (!value_interval(bytes, &value))
		return ENCODE_MALFORMED;
	at = end_of(buf);
	*at++ = '"';
	at = calendar_put_iso_interval(at, &value);
	if (!codec->lossless)
		at = put_java_seconds(at, value.time_us % 60000000);
	*at++ = '"';
	return done_at(buf, at);
}
