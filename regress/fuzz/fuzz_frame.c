/*
 * fuzz_frame.c
 *		libFuzzer over the stream: frames to events, relations to plans, rows to records.
 *
 * The input is two bytes that choose the options, then a frame.  A frame is refused
 * whole with a message, or each of its events renders to JSON or is refused.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "support.h"

#include <stdlib.h>

#include "base/log.h"
#include "source/decode.h"

typedef struct Renderer
{
	Arena *arena;
	EnvOptions options;
	EnvOptions bronze;
	const Relation *relation; /* of the plans */
	RenderPlan *plan;
	RenderPlan *bronze_plan;
	Buf out;
	Buf line;
} Renderer;

static Slice
slice_of(const Buf *buf)
{
	return (Slice){ buf->data, buf->len };
}

/* An R message read, written and read again is the same. */
static void
check_relation(Renderer *renderer, const Relation *relation)
{
	Alloc alloc = arena_as_alloc(renderer->arena);
	Relation *again;
	EnvError error;

	buf_reset(&renderer->out);
	relation_write(&renderer->out, relation);
	again = relation_read(slice_of(&renderer->out), &alloc, &error);
	if (again == NULL || again->version != relation->version)
		abort();
}

static void
take_relation(Renderer *renderer, const Relation *relation)
{
	Alloc alloc = arena_as_alloc(renderer->arena);
	EnvError error;

	if (renderer->relation == relation)
		return;
	renderer->relation = relation;
	check_relation(renderer, relation);
	renderer->plan = render_plan_new(relation, &renderer->options, &alloc, &error);
	renderer->bronze_plan = render_plan_new(relation, &renderer->bronze, &alloc, &error);
}

static void
render_all(Renderer *renderer, const Event *event)
{
	RenderChange change = event_as_change(event, "shop");
	RenderContext context = render_context(&renderer->options, "run");
	RenderRecord records[RENDER_MAX_RECORDS];
	EnvError error;
	bool changed;
	int count;

	buf_reset(&renderer->out);
	(void) render_key_changed(renderer->plan, &change, &changed, &error);
	if (!render_records(renderer->plan, &change, &renderer->out, records, &count, &error))
		return;
	for (int i = 0; i < count; i++)
	{
		buf_reset(&renderer->line);
		render_record_json(
			renderer->plan, &renderer->out, &records[i], &context, &renderer->line);
		fuzz_check_json(slice_of(&renderer->line));
		if (records[i].has_value)
			fuzz_check_json((Slice){ renderer->out.data + records[i].value_at,
			                         records[i].value_len });
		if (records[i].has_key)
			fuzz_check_json(
				(Slice){ renderer->out.data + records[i].key_at, records[i].key_len });
	}
}

/* What bronze takes of a tuple. */
static void
render_parts(Renderer *renderer, Slice tuple, bool identity_only)
{
	Buf *out = &renderer->out;
	EnvError error;

	if (tuple.data == NULL || renderer->bronze_plan == NULL)
		return;
	buf_reset(out);
	if (render_row(renderer->bronze_plan, tuple, identity_only, out, &error))
		fuzz_check_json(slice_of(out));
	buf_reset(out);
	if (render_key(renderer->bronze_plan, tuple, out, &error))
		fuzz_check_json(slice_of(out));
	buf_reset(out);
	if (render_unchanged(renderer->bronze_plan, tuple, out, &error) && out->len > 0)
		fuzz_check_json(slice_of(out));
}

static void
print_values(Renderer *renderer, Slice tuple)
{
	const Relation *relation = renderer->relation;
	Value *values =
		arena_zero(renderer->arena, (relation->column_count + 1U) * sizeof *values);
	EnvError error;

	if (tuple.data == NULL ||
	    !value_read_tuple(tuple, values, relation->column_count, &error))
		return;
	for (uint16_t i = 0; i < relation->column_count; i++)
	{
		buf_reset(&renderer->out);
		(void) value_print(&renderer->out, &relation->columns[i], values[i]);
	}
}

static void
render_event(Renderer *renderer, const Event *event)
{
	if (event->relation == NULL)
		return;
	take_relation(renderer, event->relation);
	if (event->kind == EVENT_RELATION)
		return;
	if (renderer->plan != NULL)
		render_all(renderer, event);
	if (event->kind == EVENT_TRUNCATE)
		return;
	render_parts(renderer, event->old_tuple, event->old_kind == 'K');
	render_parts(renderer, event->new_tuple, false);
	print_values(renderer, event->old_tuple);
	print_values(renderer, event->new_tuple);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input input = { data, size };
	Renderer renderer = { .arena = arena_new(), .out = buf_heap(), .line = buf_heap() };
	Alloc alloc = arena_as_alloc(renderer.arena);
	BatchBudget budget = { .limit = SIZE_MAX, .wake_fd = -1 };
	Batch *batch = batch_new(&budget);
	Decoder *decoder = decoder_new(0);
	unsigned seed = input_byte(&input) << 8;
	Err err = { .kind = ERR_NONE };
	char *frame;

	log_set_level(LOG_ERROR);
	seed |= input_byte(&input);
	fuzz_options(&renderer.options, seed, &alloc);
	render_options_bronze(&renderer.bronze, &renderer.options, &alloc);
	frame = batch_copy(batch, (const char *) input.at, input.left);
	if (!decoder_frame(decoder, batch, (Slice){ frame, input.left }, &err) &&
	    (err.kind == ERR_NONE || err.text[0] == '\0'))
		abort();
	for (size_t i = 0; i < batch->count; i++)
		render_event(&renderer, &batch->events[i]);
	batch_unref(batch);
	decoder_free(decoder);
	env_options_fini(&renderer.options);
	env_options_fini(&renderer.bronze);
	buf_free(&renderer.out);
	buf_free(&renderer.line);
	arena_free(renderer.arena);
	return 0;
}
