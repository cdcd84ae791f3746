/*
 * settings.h
 *		the rows behind Config: what each setting is called, means and accepts.
 *
 * Three kinds of row make up the whole vocabulary: a Setting fills one field of
 * Config; a PairSetting hands everything below a prefix to a library; a row of
 * envelope/options.h shapes an event.  What Debezium calls otherwise, or has and
 * we have not, is foreign.h.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "config/config.h"

typedef enum SettingKind
{
	SETTING_TEXT,   /* const char * */
	SETTING_CHOICE, /* const char *, one of values */
	SETTING_WORD,   /* int, the index of the word in values */
	SETTING_WORDS,  /* int, a bit for each word of values that is named */
	SETTING_FLAG,   /* bool */
	SETTING_INT,    /* int64_t, as are the next two */
	SETTING_BYTES,  /* a plain number, or with B, kB, MB, GB, TB (of 1024) */
	SETTING_MS,     /* a plain number, or with ms, s, min, h, d */
	SETTING_LIST,   /* FilterList */
} SettingKind;

enum
{
	SETTING_REQUIRED = 1,
	SETTING_SECRET = 2, /* never printed */
};

typedef struct Setting
{
	const char *name;
	SettingKind kind;
	int flags;
	size_t offset;    /* in Config */
	const char *boot; /* default, in the user's syntax; "" also stands for none */
	const char
		*values; /* the words, comma-separated; or what is expected; "": see kind */
	int64_t min; /* of the numeric kinds; both 0: not limited */
	int64_t max;
	const char *doc; /* one sentence */
} Setting;

typedef struct PairSetting
{
	const char *prefix; /* with its last dot */
	size_t offset;      /* of a ConfigPair * in Config */
	size_t count_offset;
	const char *values;
	const char *doc;
} PairSetting;

/* The rows, sorted by name. */
const Setting *setting_table(size_t *count);
const PairSetting *pair_table(size_t *count);

/* The row of that name; NULL: none. */
const Setting *setting_find(const char *name);

/* The row whose prefix name begins with and goes beyond, in letters, digits, dots,
 * underscores and hyphens; NULL: none. */
const PairSetting *pair_find(const char *name);

/* Whether the value of this setting or passed-through property must not be shown. */
bool setting_is_secret(const char *name);

/*
 * Parse value into the setting's field.  Text is copied to arena; a list is compiled,
 * what it replaces is freed.  ERR_CONFIG names the setting and, unless secret, the value;
 * where tells the user where it was said ("file \"x\" line 3").
 */
bool setting_store(const Setting *setting, Config *config, Arena *arena,
                   const char *value, const char *where, Err *err) MUST_CHECK;

/* What is accepted, for a hint or the reference: "1 .. 65535", "kafka, bronze, silver".
 */
const char *setting_values(const Setting *setting, Arena *arena);

/* A hint's worth of text from a user, control characters removed, cut when long. */
#define SHOWN_SIZE 96
const char *setting_shown(const char *text, char shown[SHOWN_SIZE]);

#endif
