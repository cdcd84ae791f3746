/*
 * bench_render.c
 *		nanoseconds for each record of the users table, without and with schemas.
 *
 * Links envelope_support.c of the unit tests, the envelope library and
 * sink/base; prints one line a setting, the best of several rounds.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/clock.h"
#include "envelope/render.h"
#include "envelope_support.h"

#include <stdio.h>
#include <stdlib.h>

#define ROWS   1024
#define ROUNDS 400

static double
measure(const RenderPlan *plan, const Buf *tuples, Buf *out, size_t *bytes)
{
	RenderRecord records[RENDER_MAX_RECORDS];
	EnvError error;
	double best = 0;

	for (int round = 0; round < ROUNDS; round++)
	{
		int64_t start = clock_mono_us();
		double each;

		for (int i = 0; i < ROWS; i++)
		{
			RenderChange change = {
				.type = 'I',
				.new_tuple = { tuples[i].data, tuples[i].len },
				.source = { .database = "shop",
				            .lsn = 5000000000 + (uint64_t) i,
				            .last_commit_lsn = 4999999999,
				            .commit_us = INT64_C(1600000000123456),
				            .xid = 1234567 },
				.now_ns = INT64_C(1600000000123456789),
			};
			int count;

			buf_reset(out);
			if (!render_records(plan, &change, out, records, &count, &error))
			{
				(void) fprintf(stderr, "%s\n", error.message);
				exit(EXIT_FAILURE);
			}
		}
		each = (double) (clock_mono_us() - start) * 1000.0 / ROWS;
		if (round == 0 || each < best)
			best = each;
	}
	*bytes = out->len;
	return best;
}

int
main(void)
{
	Arena *arena = arena_new();
	Alloc alloc = arena_as_alloc(arena);
	Relation *relation = test_users(arena);
	Buf *tuples = arena_zero(arena, ROWS * sizeof *tuples);
	Buf out = buf_heap();

	for (int i = 0; i < ROWS; i++)
	{
		tuples[i] = buf_heap();
		put_user(&tuples[i], 1000000 + i);
	}
	for (int schemas = 0; schemas < 2; schemas++)
	{
		EnvOptions options;
		EnvError error;
		RenderPlan *plan;
		size_t bytes;
		double each;

		env_options_init(&options, &alloc);
		options.schemas_enable = schemas != 0;
		plan = render_plan_new(relation, &options, &alloc, &error);
		if (plan == NULL)
			return EXIT_FAILURE;
		each = measure(plan, tuples, &out, &bytes);
		(void) printf("render users, 8 columns, schemas.enable=%s: %.0f ns a record, %zu "
		              "bytes of key and value\n",
		              schemas != 0 ? "true" : "false",
		              each,
		              bytes);
		env_options_fini(&options);
	}
	for (int i = 0; i < ROWS; i++)
		buf_free(&tuples[i]);
	buf_free(&out);
	arena_free(arena);
	return EXIT_SUCCESS;
}
