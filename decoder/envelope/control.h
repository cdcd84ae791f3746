/*
 * control.h
 *		the records beside row events: where transactions begin and end, logical
 *		messages, heartbeats.
 *
 * None of them has headers.  Follows Debezium 3.6.1.Final: TransactionMonitor with
 * PostgresTransactionMonitor (ids are "<xid>:<LSN of the event>", so they differ within
 * a transaction), LogicalDecodingMessageMonitor, HeartbeatImpl.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_CONTROL_H
#define ENVELOPE_CONTROL_H

#include "envelope/render.h"

typedef enum ControlKind
{
	CONTROL_TRANSACTION,
	CONTROL_MESSAGE,
	CONTROL_HEARTBEAT,
} ControlKind;

#define CONTROL_KINDS 3

/* Everything constant of them, made once. */
typedef struct ControlPlan ControlPlan;

/* options and what alloc gives must outlive it. */
ControlPlan *control_plan_new(const EnvOptions *options, const Alloc *alloc);

/*
 * The topic: <prefix>.<topic.transaction> or <prefix>.message.  NULL for heartbeats,
 * whose topic is the worker's to know.
 */
const char *control_topic(const ControlPlan *plan, ControlKind kind);

/* The Connect schemas of key and value as JsonConverter prints them, whatever
 * schemas.enable says. */
Slice control_key_schema(const ControlPlan *plan, ControlKind kind);
Slice control_value_schema(const ControlPlan *plan, ControlKind kind);

/*
 * Each appends one record to buf (not reset) and describes it.  Of source, begin and end
 * take xid, commit_us and lsn: that of the first event, and the commit's end.
 */
void control_begin(const ControlPlan *plan, const RenderSource *source, Buf *buf,
                   RenderRecord *record);

/* Lists what counts has; it is not reset. */
void control_end(const ControlPlan *plan, const RenderSource *source, TxCounts *counts,
                 Buf *buf, RenderRecord *record);

typedef struct ControlMessage
{
	const char *prefix;
	Slice content;
	RenderSource source; /* xid 0: not transactional */
	int64_t now_ns;
	TxCounts *transaction; /* counts the message; NULL: transaction is null */
} ControlMessage;

/* Begins the prefixes of messages that the worker writes to itself; no record is made of
 * them. */
#define CONTROL_OWN_PREFIX "cdc_sink."

/* message.prefix.include.list, or else message.prefix.exclude.list; never one of our own.
 */
bool control_wants_message(const ControlPlan *plan, const char *prefix);

void control_message(const ControlPlan *plan, const ControlMessage *message, Buf *buf,
                     RenderRecord *record);

void control_heartbeat(const ControlPlan *plan, int64_t now_ms, Buf *buf,
                       RenderRecord *record);

/* Append one object of format=record, as render_record_json() does. */
void control_record_json(const ControlPlan *plan, ControlKind kind, const Buf *bytes,
                         const RenderRecord *record, Buf *out);

#endif
