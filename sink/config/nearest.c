/*
 * nearest.c
 *		edit distance, a swap of neighbours counting as one edit.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "config/nearest.h"

#include <string.h>

#define MAX_WORD 64

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment, of at most MAX_WORD characters of each. */
static size_t
edit_distance(const char *a, const char *b)
{
	size_t rows[3][MAX_WORD + 1];
	size_t a_len = strnlen(a, MAX_WORD);
	size_t b_len = strnlen(b, MAX_WORD);

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++)
	{
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];
		const size_t *before = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++)
		{
			row[j] = least(least(above[j], row[j - 1]) + 1,
			               above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

Nearest
nearest_to(const char *written)
{
	/* A third of the letters: what is farther is another word. */
	return (Nearest){ written, NULL, strnlen(written, MAX_WORD) / 3 + 2 };
}

void
nearest_try(Nearest *nearest, const char *word)
{
	size_t distance = edit_distance(nearest->written, word);

	if (distance >= nearest->distance)
		return;
	nearest->distance = distance;
	nearest->word = word;
}
