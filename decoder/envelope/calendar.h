/*
 * calendar.h
 *		dates and times of day as text, and back.
 *
 * Days and microseconds count from 1970-01-01 here (PostgreSQL's from
 * 2000-01-01 are converted where they are read).  The calendar is the proleptic
 * Gregorian one for every year, as in PostgreSQL and java.time.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_CALENDAR_H
#define ENVELOPE_CALENDAR_H

#include "envelope/value.h"

#define CALENDAR_EPOCH_DAYS 10957 /* 1970-01-01 to 2000-01-01 */
#define CALENDAR_EPOCH_US   INT64_C(946684800000000)
#define CALENDAR_DAY_US     INT64_C(86400000000)
#define CALENDAR_MAX_TEXT   64 /* longest text of any function here */

/* How many fraction digits are printed. */
#define CALENDAR_TRIM (-1) /* as many as are needed */

/* Floor division: the day and the time within it. */
static inline void
calendar_split_us(int64_t us, int64_t *day, int64_t *time_us)
{
	*day = us / CALENDAR_DAY_US;
	*time_us = us % CALENDAR_DAY_US;
	if (*time_us < 0)
	{
		*time_us += CALENDAR_DAY_US;
		*day -= 1;
	}
}

/* Days from 1970-01-01 to a date; the inverse of date_split(). */
int64_t calendar_days(int64_t year, int month, int day);

/* java.time's ISO date: -0043-03-15, +10000-01-01. */
char *calendar_put_iso_date(char *at, int64_t days);

/* HH:MM:SS and digits of fraction; time_us from 0 to 24:00:00. */
char *calendar_put_time(char *at, int64_t time_us, int digits);

/* PostgreSQL's text under DateStyle=ISO: years before 1 end in BC. */
char *calendar_put_pg_date(char *at, int64_t days);

/* us since 2000-01-01: PostgreSQL's last years do not fit in microseconds since 1970. */
char *calendar_put_pg_timestamp(char *at, int64_t us, const char *zone);
char *calendar_put_pg_timetz(char *at, const TimeTz *value);
char *calendar_put_pg_interval(char *at, const Interval *value);

/* Java's Interval text: P1Y2M3DT4H5M6.78S, every part always there. */
char *calendar_put_iso_interval(char *at, const Interval *value);

/*
 * Read PostgreSQL's ISO text: "2020-02-29", "2020-02-29 12:34:56.5+02 BC",
 * "12:34:56".  Missing parts are zero.  False when it is something else, or beyond the
 * type's last year; a date's days are since 1970-01-01, and its time, if any, is cut off.
 */
bool calendar_read_timestamp(Slice text, int64_t *us);
bool calendar_read_date(Slice text, int64_t *days);
bool calendar_read_time(Slice text, int64_t *time_us);
bool calendar_read_interval(Slice text, Interval *result);

#endif
