/*
 * calendar.c
 *		dates and times of day as text, and back.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/calendar.h"

#include "envelope/number.h"

#include <ctype.h>
#include <stdlib.h>

/*
 * The civil calendar repeats every 400 years, 146097 days; years are counted from
 * March, so that the leap day is the last of its year (Hinnant, "chrono-
 * compatible low-level date algorithms").
 */
#define ERA_DAYS    146097
#define EPOCH_SHIFT 719468 /* 0000-03-01 to 1970-01-01 */

void
date_split(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t shifted = days + EPOCH_SHIFT;
	int64_t era = (shifted >= 0 ? shifted : shifted - (ERA_DAYS - 1)) / ERA_DAYS;
	int of_era = (int) (shifted - era * ERA_DAYS);
	int year_of_era =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / (ERA_DAYS - 1)) / 365;
	int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int march_month = (5 * of_year + 2) / 153;

	*day = of_year - (153 * march_month + 2) / 5 + 1;
	*month = march_month < 10 ? march_month + 3 : march_month - 9;
	*year = year_of_era + era * 400 + (*month <= 2);
}

int64_t
calendar_days(int64_t year, int month, int day)
{
	int64_t shifted = year - (month <= 2);
	int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	int64_t year_of_era = shifted - era * 400;
	int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       of_year - EPOCH_SHIFT;
}

/* At least four digits. */
static char *
put_year(char *at, uint64_t year)
{
	if (year > 9999)
		return number_put_u64(at, year);
	at = number_put_pair(at, (unsigned) year / 100);
	return number_put_pair(at, (unsigned) year % 100);
}

static char *
put_month_day(char *at, int month, int day)
{
	*at++ = '-';
	at = number_put_pair(at, (unsigned) month);
	*at++ = '-';
	return number_put_pair(at, (unsigned) day);
}

char *
calendar_put_iso_date(char *at, int64_t days)
{
	int64_t year;
	int month;
	int day;

	date_split(days, &year, &month, &day);
	if (year < 0)
		*at++ = '-';
	else if (year > 9999)
		*at++ = '+';
	at = put_year(at, (uint64_t) (year < 0 ? -year : year));
	return put_month_day(at, month, day);
}

/* A point and digits of fraction of a second; nothing when there are none. */
static char *
put_fraction(char *at, unsigned us, int digits)
{
	char *start = at;

	if (digits == 0 || (digits < 0 && us == 0))
		return at;
	*at++ = '.';
	at = number_put_pair(at, us / 10000);
	at = number_put_pair(at, us / 100 % 100);
	at = number_put_pair(at, us % 100);
	if (digits > 0)
		return start + 1 + digits;
	while (at[-1] == '0')
		at--;
	return at;
}

char *
calendar_put_time(char *at, int64_t time_us, int digits)
{
	unsigned us = (unsigned) (time_us % 1000000);
	unsigned seconds = (unsigned) (time_us / 1000000);

	at = number_put_pair(at, seconds / 3600);
	*at++ = ':';
	at = number_put_pair(at, seconds / 60 % 60);
	*at++ = ':';
	at = number_put_pair(at, seconds % 60);
	return put_fraction(at, us, digits);
}

static char *
put_text(char *at, const char *text)
{
	size_t len = strlen(text);

	memcpy(at, text, len);
	return at + len;
}

/* The date without the era; *bc says whether it is before year 1. */
static char *
put_pg_date(char *at, int64_t days, bool *bc)
{
	int64_t year;
	int month;
	int day;

	date_split(days, &year, &month, &day);
	*bc = year <= 0;
	at = put_year(at, (uint64_t) (*bc ? 1 - year : year));
	return put_month_day(at, month, day);
}

char *
calendar_put_pg_date(char *at, int64_t days)
{
	bool bc;

	at = put_pg_date(at, days, &bc);
	return bc ? put_text(at, " BC") : at;
}

char *
calendar_put_pg_timestamp(char *at, int64_t us, const char *zone)
{
	int64_t day;
	int64_t time_us;
	bool bc;

	calendar_split_us(us, &day, &time_us);
	at = put_pg_date(at, day + CALENDAR_EPOCH_DAYS, &bc);
	*at++ = ' ';
	at = calendar_put_time(at, time_us, CALENDAR_TRIM);
	at = put_text(at, zone);
	return bc ? put_text(at, " BC") : at;
}

char *
calendar_put_pg_timetz(char *at, const TimeTz *value)
{
	unsigned zone = (unsigned) abs(value->zone_s);

	at = calendar_put_time(at, value->time_us, CALENDAR_TRIM);
	*at++ = value->zone_s <= 0 ? '+' : '-'; /* stored west of Greenwich */
	at = number_put_pair(at, zone / 3600 % 100);
	if (zone % 3600 != 0)
	{
		*at++ = ':';
		at = number_put_pair(at, zone / 60 % 60);
	}
	if (zone % 60 != 0)
	{
		*at++ = ':';
		at = number_put_pair(at, zone % 60);
	}
	return at;
}

/* One of "1 year", "-2 mons", "+3 days": EncodeInterval's rules for signs. */
static char *
put_interval_part(char *at, int64_t value, const char *unit, bool *first, bool *negative)
{
	if (value == 0)
		return at;
	if (!*first)
		*at++ = ' ';
	if (*negative && value > 0)
		*at++ = '+';
	at = number_put_i64(at, value);
	at = put_text(at, unit);
	if (value != 1)
		*at++ = 's';
	*negative = value < 0;
	*first = false;
	return at;
}

static uint64_t
magnitude(int64_t value)
{
	return value < 0 ? 0 - (uint64_t) value : (uint64_t) value;
}

char *
calendar_put_pg_interval(char *at, const Interval *value)
{
	bool first = true;
	bool negative = false;
	uint64_t us = magnitude(value->time_us);
	uint64_t hours = us / UINT64_C(3600000000);

	if (value->months == INT32_MAX && value->days == INT32_MAX &&
	    value->time_us == INT64_MAX)
		return put_text(at, "infinity");
	if (value->months == INT32_MIN && value->days == INT32_MIN &&
	    value->time_us == INT64_MIN)
		return put_text(at, "-infinity");
	at = put_interval_part(at, value->months / 12, " year", &first, &negative);
	at = put_interval_part(at, value->months % 12, " mon", &first, &negative);
	at = put_interval_part(at, value->days, " day", &first, &negative);
	if (!first && us == 0)
		return at;
	if (!first)
		*at++ = ' ';
	if (value->time_us < 0)
		*at++ = '-';
	else if (negative)
		*at++ = '+';
	if (hours < 10)
		*at++ = '0';
	at = number_put_u64(at, hours);
	*at++ = ':';
	at = number_put_pair(at, (unsigned) (us / 60000000 % 60));
	*at++ = ':';
	at = number_put_pair(at, (unsigned) (us / 1000000 % 60));
	return put_fraction(at, (unsigned) (us % 1000000), CALENDAR_TRIM);
}

/* value, a sign for it when the whole is negative, and the unit. */
static char *
put_signed(char *at, uint64_t value, bool negative)
{
	if (negative && value != 0)
		*at++ = '-';
	return number_put_u64(at, value);
}

char *
calendar_put_iso_interval(char *at, const Interval *value)
{
	bool negative = value->time_us < 0;
	uint64_t us = magnitude(value->time_us);
	unsigned fraction = (unsigned) (us % 1000000);

	*at++ = 'P';
	at = number_put_i64(at, value->months / 12);
	*at++ = 'Y';
	at = number_put_i64(at, value->months % 12);
	*at++ = 'M';
	at = number_put_i64(at, value->days);
	*at++ = 'D';
	*at++ = 'T';
	at = put_signed(at, us / UINT64_C(3600000000), negative);
	*at++ = 'H';
	at = put_signed(at, us / 60000000 % 60, negative);
	*at++ = 'M';
	if (negative && us % 60000000 != 0)
		*at++ = '-';
	at = number_put_u64(at, us / 1000000 % 60);
	at = put_fraction(at, fraction, CALENDAR_TRIM);
	*at++ = 'S';
	return at;
}

/* ---- Reading ---- */

typedef struct Scanner
{
	const char *at;
	const char *end;
} Scanner;

static bool
scan_char(Scanner *scanner, char c)
{
	if (scanner->at == scanner->end || *scanner->at != c)
		return false;
	scanner->at++;
	return true;
}

/* Up to max digits; false when there is none. */
static bool
scan_number(Scanner *scanner, int max, int64_t *value)
{
	int count = 0;

	*value = 0;
	while (count < max && scanner->at < scanner->end &&
	       isdigit((unsigned char) *scanner->at))
	{
		*value = *value * 10 + (*scanner->at++ - '0');
		count++;
	}
	return count > 0;
}

static bool
scan_date(Scanner *scanner, int64_t *year, int64_t *month, int64_t *day)
{
	return scan_number(scanner, 7, year) && scan_char(scanner, '-') &&
	       scan_number(scanner, 2, month) && scan_char(scanner, '-') &&
	       scan_number(scanner, 2, day) && *month >= 1 && *month <= 12 && *day >= 1 &&
	       *day <= 31;
}

/* HH:MM[:SS[.ffffff]]; as many hours as Java's int has. */
static bool
scan_time(Scanner *scanner, int64_t *us)
{
	int64_t hours;
	int64_t minutes;
	int64_t seconds = 0;
	int64_t fraction = 0;

	if (!scan_number(scanner, 10, &hours) || hours > INT32_MAX ||
	    !scan_char(scanner, ':') || !scan_number(scanner, 2, &minutes))
		return false;
	if (scan_char(scanner, ':') && !scan_number(scanner, 2, &seconds))
		return false;
	if (scan_char(scanner, '.'))
	{
		const char *start = scanner->at;

		if (!scan_number(scanner, 6, &fraction))
			return false;
		for (long digits = scanner->at - start; digits < 6; digits++)
			fraction *= 10;
	}
	*us = ((hours * 60 + minutes) * 60 + seconds) * 1000000 + fraction;
	return true;
}

/* +HH[:MM[:SS]], east positive; nothing is UTC. */
static bool
scan_zone(Scanner *scanner, int64_t *us)
{
	int64_t parts[3] = { 0, 0, 0 };
	int64_t sign = 1;

	*us = 0;
	if (scan_char(scanner, '-'))
		sign = -1;
	else if (!scan_char(scanner, '+'))
		return true;
	for (int i = 0; i < 3; i++)
	{
		if (!scan_number(scanner, 2, &parts[i]))
			return false;
		if (!scan_char(scanner, ':'))
			break;
	}
	*us = sign * ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000000;
	return true;
}

static void
skip_spaces(Scanner *scanner)
{
	while (scan_char(scanner, ' '))
		;
}

/* A date up to max_year with its time, if any, and what its zone is east of UTC. */
static bool
read_moment(Slice text, int64_t max_year, int64_t *days, int64_t *us)
{
	Scanner scanner = { text.data, text.data + text.len };
	int64_t year;
	int64_t month;
	int64_t day;
	int64_t time_us = 0;
	int64_t zone_us = 0;

	if (!scan_date(&scanner, &year, &month, &day))
		return false;
	skip_spaces(&scanner);
	if (scanner.at < scanner.end && isdigit((unsigned char) *scanner.at) &&
	    (!scan_time(&scanner, &time_us) || !scan_zone(&scanner, &zone_us)))
		return false;
	skip_spaces(&scanner);
	if (scan_char(&scanner, 'B') && scan_char(&scanner, 'C'))
		year = 1 - year;
	if (scanner.at != scanner.end || year > max_year || year < -4713)
		return false;
	*days = calendar_days(year, (int) month, (int) day);
	*us = time_us - zone_us;
	return true;
}

bool
calendar_read_timestamp(Slice text, int64_t *us)
{
	int64_t days;

	if (!read_moment(text, 294276, &days, us))
		return false;
	*us += days * CALENDAR_DAY_US;
	return true;
}

bool
calendar_read_date(Slice text, int64_t *days)
{
	int64_t us;

	return read_moment(text, 5874897, days, &us);
}

bool
calendar_read_time(Slice text, int64_t *time_us)
{
	Scanner scanner = { text.data, text.data + text.len };

	return scan_time(&scanner, time_us) && scanner.at == scanner.end &&
	       *time_us <= CALENDAR_DAY_US;
}

/* Add count of a unit to result; false when the unit is not one. */
static bool
add_interval_unit(Interval *result, int64_t count, Slice unit)
{
	static const struct
	{
		const char *name;
		int months;
		int days;
	} units[] = {
		{ "year", 12, 0 }, { "mon", 1, 0 }, { "month", 1, 0 }, { "day", 0, 1 }
	};

	if (unit.len > 1 && unit.data[unit.len - 1] == 's')
		unit.len--;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
	{
		if (!slice_equal(unit, slice_from(units[i].name)))
			continue;
		result->months += (int32_t) count * units[i].months;
		result->days += (int32_t) count * units[i].days;
		return true;
	}
	return false;
}

bool
calendar_read_interval(Slice text, Interval *result)
{
	Scanner scanner = { text.data, text.data + text.len };

	*result = (Interval){ 0, 0, 0 };
	for (skip_spaces(&scanner); scanner.at < scanner.end; skip_spaces(&scanner))
	{
		bool negative = scan_char(&scanner, '-');
		Scanner start = scanner;
		int64_t number;
		const char *word;

		if (!negative && scan_char(&scanner, '+'))
			start = scanner;
		if (!scan_number(&scanner, 10, &number))
			return false;
		if (scanner.at < scanner.end && *scanner.at == ':')
		{
			scanner = start;
			if (!scan_time(&scanner, &number))
				return false;
			result->time_us += negative ? -number : number;
			continue;
		}
		skip_spaces(&scanner);
		word = scanner.at;
		while (scanner.at < scanner.end && isalpha((unsigned char) *scanner.at))
			scanner.at++;
		if (!add_interval_unit(result,
		                       negative ? -number : number,
		                       (Slice){ word, (size_t) (scanner.at - word) }))
			return false;
	}
	return true;
}
