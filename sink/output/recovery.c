/*
 * recovery.c
 *		the table of recovery.h as code.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "output/recovery.h"

#include <inttypes.h>

#define START_AFRESH                                                                     \
	"Start afresh with another slot.name, topic.prefix and lake.namespace, or, without " \
	"bronze among the outputs, set snapshot.mode=when_needed to read all tables again."

static const Position *
find_phase(const RecoveryInput *input, PositionPhase phase, const char **where)
{
	for (int i = 0; i < input->count; i++)
		if (input->stored[i].position.phase == phase)
		{
			*where = input->stored[i].where;
			return &input->stored[i].position;
		}
	return NULL;
}

static bool
refuse_slot_without_position(const RecoveryInput *input, Err *err)
{
	fail(err,
	     ERR_CONFIG,
	     "replication slot \"%s\" exists, but no output holds a position for it",
	     input->self.slot);
	return fail_hint(
		err,
		"Drop the slot with SELECT pg_drop_replication_slot('%s') if nothing uses it, "
		"choose another slot.name, or set snapshot.mode=no_data to stream from where "
		"it stands.",
		input->self.slot);
}

static bool
refuse_position_without_slot(const RecoveryInput *input, const char *where, Err *err)
{
	fail(err,
	     ERR_CONFIG,
	     "%s holds a position, but replication slot \"%s\" does not exist",
	     where,
	     input->self.slot);
	return fail_hint(
		err, "Changes since that position cannot be read any more. " START_AFRESH);
}

static bool
refuse_lost_slot(const RecoveryInput *input, Err *err)
{
	fail(err,
	     ERR_CONFIG,
	     "replication slot \"%s\" has lost WAL that it needs (max_slot_wal_keep_size)",
	     input->self.slot);
	return fail_hint(
		err, "What was lost cannot be read any more. Drop the slot. " START_AFRESH);
}

bool
recovery_refuse_history(const Ancestor *missing, Err *err)
{
	fail(err,
	     ERR_CONFIG,
	     "transaction %" PRIu32
	     ", the last one in %s, is not at %X/%X in the server's WAL",
	     missing->commit.xid,
	     missing->where,
	     LSN_ARGS(missing->commit.lsn));
	return fail_hint(
		err,
		"The database was restored to an earlier moment, and has gone on from "
		"there: the outputs hold commits that it has not. Nothing was stored "
		"of what it wrote since. " START_AFRESH);
}

static bool
check_stream_position(const RecoveryInput *input, const StoredPosition *stored, Err *err)
{
	const Position *position = &stored->position;

	if (input->confirmed_flush > position->end_lsn)
	{
		fail(err,
		     ERR_CONFIG,
		     "replication slot \"%s\" is at %X/%X, beyond the position %X/%X in %s",
		     input->self.slot,
		     LSN_ARGS(input->confirmed_flush),
		     LSN_ARGS(position->end_lsn),
		     stored->where);
		return fail_hint(
			err,
			"Something else advanced the slot or made it again, or the output was restored "
			"from a backup: the changes between are lost to it. " START_AFRESH);
	}
	if (position->end_lsn > input->server_flush)
	{
		fail(err,
		     ERR_CONFIG,
		     "the position %X/%X in %s is beyond the server's WAL, which ends at %X/%X",
		     LSN_ARGS(position->end_lsn),
		     stored->where,
		     LSN_ARGS(input->server_flush));
		return fail_hint(err,
		                 "The database was restored to an earlier moment. " START_AFRESH);
	}
	if (input->timeline_switch != 0 && position->end_lsn > input->timeline_switch)
	{
		fail(
			err,
			ERR_CONFIG,
			"the position %X/%X in %s is beyond %X/%X, where the server left timeline %u",
			LSN_ARGS(position->end_lsn),
			stored->where,
			LSN_ARGS(input->timeline_switch),
			position->timeline);
		return fail_hint(
			err, "A failover lost commits that were already published. " START_AFRESH);
	}
	return true;
}

static bool
decide_stream(const RecoveryInput *input, Recovery *recovery, Err *err)
{
	recovery->action = RECOVERY_STREAM;
	recovery->least_end = UINT64_MAX;
	if (input->missing.commit.lsn != 0)
		return recovery_refuse_history(&input->missing, err);
	for (int i = 0; i < input->count; i++)
	{
		if (input->stored[i].position.phase != POSITION_STREAM)
			continue;
		if (!check_stream_position(input, &input->stored[i], err))
			return false;
		if (input->stored[i].position.end_lsn < recovery->least_end)
			recovery->least_end = input->stored[i].position.end_lsn;
	}
	return true;
}

/*
 * An output may have stored STREAM at the consistent point and the other not yet:
 * nothing was streamed then, and the snapshot starts again for both.
 */
static bool
is_snapshot_end(const Position *stream, const Position *unfinished)
{
	return unfinished->phase == POSITION_SNAPSHOT &&
	       stream->end_lsn == unfinished->end_lsn &&
	       stream->commit_lsn == unfinished->end_lsn;
}

/*
 * A snapshot that was killed goes on when the slot still stands where it began: what each
 * output has of it is on no list any more, and the stream brings what changed since.
 */
static bool
can_resume(const RecoveryInput *input, const Position *unfinished)
{
	Lsn place = unfinished->end_lsn;

	if (!input->resumes || unfinished->phase != POSITION_SNAPSHOT ||
	    !input->slot_exists || input->slot_lost || input->confirmed_flush > place ||
	    input->server_flush < place ||
	    (input->timeline_switch != 0 && place > input->timeline_switch))
		return false;
	for (int i = 0; i < input->count; i++)
	{
		const Position *position = &input->stored[i].position;

		/* Bronze and silver have one position: what one of them has the other lacks. */
		if ((position->outputs != 0 && (input->stored[i].outputs & input->self.outputs &
		                                ~position->outputs) != 0) ||
		    position->end_lsn != place || position->phase < POSITION_SNAPSHOT ||
		    (position->phase == POSITION_SNAPSHOT && position->unread == NULL))
			return false;
	}
	return true;
}

/* An output without a position is new, unless the other one knows it. */
static bool
check_new(const RecoveryInput *input, const Position *known, const char *where, Err *err)
{
	for (int i = 0; i < input->count; i++)
	{
		const StoredPosition *stored = &input->stored[i];

		if (stored->position.phase != POSITION_NONE ||
		    (known->outputs & stored->outputs) == 0)
			continue;
		fail(err,
		     ERR_CONFIG,
		     "%s has no position, but it had one when %s stored its own",
		     stored->where,
		     where);
		return fail_hint(err,
		                 "Mount or restore what it had. To begin it anew, run once "
		                 "without this output, then with it.");
	}
	return true;
}

/* A position to stream from is stored: whether that can be done. */
static bool
decide_with_position(const RecoveryInput *input, const Position *unfinished,
                     Recovery *recovery, Err *err)
{
	const char *where = "";
	const char *other = "";

	if (unfinished != NULL)
	{
		(void) find_phase(input, unfinished->phase, &other);
		fail(err,
		     ERR_CONFIG,
		     "%s has begun a snapshot, but another output streams from slot \"%s\"",
		     other,
		     input->self.slot);
		return fail_hint(err,
		                 "Its position does not belong to this slot. Run it with a "
		                 "slot.name of its own.");
	}
	(void) find_phase(input, POSITION_STREAM, &where);
	recovery->action = RECOVERY_STREAM;
	if (input->done && find_phase(input, POSITION_NONE, &other) != NULL)
	{
		fail(err, ERR_CONFIG, "%s has no position, but another output is done", other);
		return fail_hint(
			err,
			"With snapshot.mode=initial_only nothing is left to join. Run it "
			"with a slot.name of its own.");
	}
	if (input->done)
		return true;
	if (!input->slot_exists)
		return refuse_position_without_slot(input, where, err);
	if (input->slot_lost)
		return refuse_lost_slot(input, err);
	if (!decide_stream(input, recovery, err))
		return false;
	if (find_phase(input, POSITION_NONE, &other) == NULL)
		return true;
	recovery->action = RECOVERY_JOIN;
	return check_new(input, find_phase(input, POSITION_STREAM, &where), where, err);
}

/* Other lists of tables are taken over where tables can be read in mid-stream. */
static bool
check_source(const RecoveryInput *input, const StoredPosition *stored, Err *err)
{
	Position position = stored->position;

	if (input->done)
		position.lists = NULL;
	return position_same_source(&position, &input->self, stored->where, err);
}

bool
recovery_decide(const RecoveryInput *input, Recovery *recovery, Err *err)
{
	const char *where;
	const Position *stream = find_phase(input, POSITION_STREAM, &where);
	const Position *unfinished = find_phase(input, POSITION_SNAPSHOT, &where);

	for (int i = 0; i < input->count; i++)
		if (!check_source(input, &input->stored[i], err))
			return false;
	if (unfinished == NULL)
		unfinished = find_phase(input, POSITION_INTENT, &where);
	recovery->least_end = 0;
	if (stream == NULL && unfinished == NULL)
	{
		if (input->slot_exists && input->slot_lost)
			return refuse_lost_slot(input, err);
		if (input->slot_exists && !input->adopt)
			return refuse_slot_without_position(input, err);
		recovery->action = input->slot_exists ? RECOVERY_ADOPT : RECOVERY_FRESH;
		return true;
	}
	recovery->action = RECOVERY_AGAIN;
	if (!input->again && unfinished != NULL && can_resume(input, unfinished))
	{
		recovery->action = RECOVERY_RESUME;
		recovery->least_end = unfinished->end_lsn;
		return true;
	}
	if (input->again || stream == NULL ||
	    (unfinished != NULL && is_snapshot_end(stream, unfinished)))
		return true;
	if (decide_with_position(input, unfinished, recovery, err))
		return true;
	recovery->action = RECOVERY_AGAIN;
	return input->again_if_lost;
}
