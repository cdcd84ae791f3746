/*
 * pipeline_outputs.c
 *		the pipeline's outputs: opening, batches, positions, waiting for room.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "kafka/kafka.h"
#include "lake/lake.h"
#include "pipeline_state.h"

bool
pipeline_stopping(const Pipeline *pipeline)
{
	return atomic_load(&pipeline->stop->requested) != 0;
}

/* Wait at most ms for the socket (when reading) or for a wake-up, which is consumed. */
void
pipeline_wait(const Pipeline *pipeline, bool reading, int64_t ms)
{
	uint64_t count;
	struct pollfd fds[2] = {
		{ .fd = pipeline->stop->wake_fd, .events = POLLIN },
		{ .fd = reading ? stream_socket(pipeline->stream) : -1, .events = POLLIN },
	};

	if (poll(fds, 2, (int) ms) > 0 && (fds[0].revents & POLLIN) != 0 &&
	    read(pipeline->stop->wake_fd, &count, sizeof count) < 0)
		return;
}

bool
pipeline_pause(Pipeline *pipeline, int64_t ms)
{
	int64_t until = clock_mono_us() + ms * 1000;
	int64_t now;

	while (!pipeline_stopping(pipeline) && (now = clock_mono_us()) < until)
		pipeline_wait(pipeline, false, (until - now) / 1000 + 1);
	return !pipeline_stopping(pipeline);
}

/* Answer the server in time, confirming nothing new, while something else is waited for.
 */
bool
pipeline_keep_alive(Pipeline *pipeline, Err *err)
{
	int64_t now = clock_mono_us();

	if (pipeline->stream == NULL ||
	    now - pipeline->feedback_us <
	        server_silence_ms(&pipeline->server, pipeline->config) * 1000)
		return true;
	pipeline->feedback_us = now;
	return stream_feedback(
		pipeline->stream, pipeline->received, pipeline->confirmed, false, err);
}

Lsn
pipeline_confirmable(const Pipeline *pipeline)
{
	return lineage_is_open(&pipeline->lineage) ? pipeline->slot.confirmed_flush
	                                           : pipeline->durable;
}

/* Opening the outputs, in a thread of its own. */
typedef struct OpenTask
{
	Pipeline *pipeline;
	StoredPosition *stored;
	Err err;
	bool ok;
	atomic_bool done;
} OpenTask;

static void *
open_in_thread(void *argument)
{
	static const uint64_t one = 1;
	OpenTask *task = argument;
	Pipeline *pipeline = task->pipeline;

	task->ok = true;
	for (int i = 0; i < pipeline->output_count && task->ok; i++)
	{
		Output *output = pipeline->outputs[i];

		task->stored[i].where = pipeline->where[i];
		task->stored[i].outputs =
			i == 0 && (pipeline->config->outputs & OUTPUT_KAFKA) != 0
				? OUTPUT_KAFKA
				: OUTPUT_BRONZE | OUTPUT_SILVER;
		task->ok = output->ops->open(
			output, &pipeline->self, &task->stored[i].position, &task->err);
		if (!task->ok)
			pipeline->culprit = output;
	}
	atomic_store(&task->done, true);
	if (write(pipeline->stop->wake_fd, &one, sizeof one) < 0)
		return NULL;
	return NULL;
}

bool
pipeline_open_outputs(Pipeline *pipeline, StoredPosition *stored, Err *err)
{
	const Config *config = pipeline->config;
	OpenTask task = { .pipeline = pipeline, .stored = stored };
	pthread_t thread;
	bool alive = true;
	int code;

	if ((config->outputs & OUTPUT_KAFKA) != 0)
	{
		pipeline->where[pipeline->output_count] = "Kafka";
		pipeline->outputs[pipeline->output_count++] =
			kafka_output_new(config, pipeline->stop->wake_fd);
	}
	if ((config->outputs & (OUTPUT_BRONZE | OUTPUT_SILVER)) != 0)
	{
		pipeline->where[pipeline->output_count] = "the lake";
		pipeline->outputs[pipeline->output_count++] =
			lake_output_new(config, pipeline->stop->wake_fd);
	}
	code = pthread_create(&thread, NULL, open_in_thread, &task);
	if (code != 0)
		return limits_no_thread(err, code);
	while (!atomic_load(&task.done))
	{
		pipeline_wait(
			pipeline,
			false,
			server_silence_ms(&pipeline->server, pipeline->config) < 1000 ? 100 : 1000);
		alive = alive && pipeline_keep_alive(pipeline, err);
	}
	(void) pthread_join(thread, NULL);
	if (!task.ok)
		*err = task.err;
	return alive && task.ok;
}

bool
pipeline_mark(Pipeline *pipeline, PositionPhase phase, Lsn lsn, const char *unread,
              Err *err)
{
	Position position = pipeline->self;

	position.phase = phase;
	position.commit_lsn = lsn;
	position.end_lsn = lsn;
	position.unread = unread;
	for (int i = 0; i < pipeline->output_count; i++)
		if (!pipeline->outputs[i]->ops->mark(pipeline->outputs[i], &position, err))
			return false;
	return true;
}

/* The least durable LSN of all outputs; false when one has failed. */
bool
pipeline_look(Pipeline *pipeline, Err *err)
{
	Lsn least = UINT64_MAX;

	for (int i = 0; i < pipeline->output_count; i++)
	{
		Lsn end;

		if (!pipeline->outputs[i]->ops->durable(pipeline->outputs[i], &end, err))
		{
			pipeline->culprit = pipeline->outputs[i];
			return false;
		}
		if (end < least)
			least = end;
	}
	if (least > pipeline->durable)
	{
		pipeline->durable = least;
		pipeline->moved = true;
	}
	return true;
}

void
pipeline_flush(const Pipeline *pipeline)
{
	for (int i = 0; i < pipeline->output_count; i++)
		pipeline->outputs[i]->ops->flush(pipeline->outputs[i]);
}

/* Offer the pending batch to every output that has not accepted it yet. */
void
pipeline_offer(Pipeline *pipeline)
{
	Batch *batch = pipeline->pending;

	if (batch == NULL)
		return;
	for (int i = 0; i < pipeline->output_count; i++)
		if ((pipeline->accepted & 1U << i) == 0 &&
		    pipeline->outputs[i]->ops->offer(pipeline->outputs[i], batch))
		{
			pipeline->accepted |= 1U << i;
			pipeline->moved = true;
		}
	if (pipeline->accepted != (1U << pipeline->output_count) - 1)
		return;
	if (batch->end_lsn != 0)
		pipeline->queued_end = batch->end_lsn;
	pipeline->pending = NULL;
	pipeline->flushed = false;
	pipeline->handed++;
	batch_unref(batch);
}

void
pipeline_report(const Pipeline *pipeline)
{
	ReportTurn turn = {
		.outputs = pipeline->outputs,
		.count = pipeline->output_count,
		.accepted = pipeline->accepted,
		.pending = pipeline->pending != NULL,
		.in_transaction = decoder_in_transaction(pipeline->decoder),
		.handed = pipeline->handed,
		.received = pipeline->received,
		.confirmed = pipeline->confirmed,
		.durable = pipeline->durable,
		.queued_end = pipeline->queued_end,
		.memory = (int64_t) atomic_load(&pipeline->budget.used),
		.memory_limit = (int64_t) pipeline->budget.limit,
	};

	report_turn(pipeline->report, &turn);
}

/* SnapshotSink: hand a batch over, waiting for room. */
bool
pipeline_hand_over(void *context, Batch *batch, Err *err)
{
	Pipeline *pipeline = context;

	pipeline->pending = batch;
	pipeline->accepted = pipeline->excused;
	report_batch(pipeline->report, batch);
	for (;;)
	{
		pipeline_offer(pipeline);
		if (!pipeline_look(pipeline, err) || !pipeline_keep_alive(pipeline, err))
			return false;
		pipeline_report(pipeline);
		if (pipeline->pending == NULL)
			return true;
		if (pipeline_stopping(pipeline))
			return fail(err, ERR_RETRY, "asked to stop during the snapshot");
		pipeline_wait(pipeline, false, 1000);
	}
}

void
pipeline_set_until(Pipeline *pipeline, Lsn lsn)
{
	pipeline->until = lsn;
	decoder_set_until(pipeline->decoder, lsn);
}
