/*
 * wire.c
 *		writers and bounds-checked readers of the frame format that wire.h draws.
 *
 * Readers never trust a length: every one is compared with the bytes that are
 * left before it is used, and a body must end exactly where its last field does.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/wire.h"

#define MESSAGE_HEAD 9 /* what length counts beside the body: LSN and type */

/* ---- Writing ---- */

void
wire_begin_frame(Buf *frame)
{
	buf_reset(frame);
	buf_u8(frame, WIRE_VERSION);
}

size_t
wire_begin_message(Buf *frame, uint64_t lsn, char type)
{
	size_t mark = frame->len;

	buf_u32(frame, 0);
	buf_u64(frame, lsn);
	buf_char(frame, type);
	return mark;
}

void
wire_end_message(Buf *frame, size_t mark)
{
	buf_set_u32(frame, mark, (uint32_t) (frame->len - mark - sizeof(uint32_t)));
}

void
wire_string0(Buf *frame, const char *text)
{
	buf_append(frame, text, strlen(text) + 1);
}

void
wire_value(Buf *frame, char kind, const void *bytes, uint32_t len)
{
	char *at = buf_reserve(frame, (size_t) len + 5);
	uint32_t swapped = __builtin_bswap32(len);

	*at = kind;
	memcpy(at + 1, &swapped, sizeof swapped);
	if (len > 0)
		memcpy(at + 5, bytes, len);
	frame->len += (size_t) len + 5;
}

/* ---- Reading ---- */

const char *
wire_read_string0(WireReader *reader)
{
	const char *text = reader->at;
	const char *zero = NULL;

	if (!reader->failed && reader->at < reader->end)
		zero = memchr(text, '\0', (size_t) (reader->end - text));
	if (zero == NULL)
	{
		reader->failed = true;
		return "";
	}
	reader->at = zero + 1;
	return text;
}

Slice
wire_read_tuple(WireReader *reader)
{
	const char *start = reader->at;
	uint16_t count = wire_u16(reader);

	for (uint16_t i = 0; i < count && !reader->failed; i++)
	{
		switch (wire_u8(reader))
		{
			case 'n':
			case 'u':
				break;
			case 't':
			case 'b':
				(void) wire_take(reader, wire_u32(reader));
				break;
			default:
				reader->failed = true;
				break;
		}
	}
	if (reader->failed)
		return (Slice){ NULL, 0 };
	return (Slice){ start, (size_t) (reader->at - start) };
}

bool
wire_open_frame(Slice frame, WireReader *reader, EnvError *error)
{
	uint8_t version;

	*reader = wire_reader(frame);
	if (frame.len == 0)
		return env_fail(error, "frame is empty");
	version = wire_u8(reader);
	if (version != WIRE_VERSION)
		return env_fail(
			error, "unrecognized frame version %d, expected %d", version, WIRE_VERSION);
	return true;
}

bool
wire_next(WireReader *reader, WireMessage *message)
{
	uint32_t length;
	const char *bytes;

	if (reader->failed || reader->at == reader->end)
		return false;
	length = wire_u32(reader);
	bytes = wire_take(reader, length);
	if (bytes == NULL || length < MESSAGE_HEAD)
	{
		reader->failed = true;
		return false;
	}
	message->lsn = read_u64(bytes);
	message->type = bytes[8];
	message->body = (Slice){ bytes + MESSAGE_HEAD, length - MESSAGE_HEAD };
	return true;
}

/* Whether a body was read without fault and to its end. */
static bool
finish(const WireReader *reader, const char *what, EnvError *error)
{
	if (reader->failed)
		return env_fail(error, "malformed %s message", what);
	if (reader->at != reader->end)
		return env_fail(error,
		                "malformed %s message: %zu bytes too many",
		                what,
		                (size_t) (reader->end - reader->at));
	return true;
}

bool
wire_read_begin(Slice body, WireBegin *begin, EnvError *error)
{
	WireReader reader = wire_reader(body);

	begin->final_lsn = wire_u64(&reader);
	begin->commit_time = (int64_t) wire_u64(&reader);
	begin->xid = wire_u32(&reader);
	return finish(&reader, "Begin", error);
}

bool
wire_read_commit(Slice body, WireCommit *commit, EnvError *error)
{
	WireReader reader = wire_reader(body);

	commit->flags = wire_u8(&reader);
	commit->commit_lsn = wire_u64(&reader);
	commit->end_lsn = wire_u64(&reader);
	commit->commit_time = (int64_t) wire_u64(&reader);
	return finish(&reader, "Commit", error);
}

bool
wire_read_change(char type, Slice body, WireChange *change, EnvError *error)
{
	WireReader reader = wire_reader(body);
	Slice none = { NULL, 0 };

	change->relid = wire_u32(&reader);
	change->old_kind = 0;
	change->old_tuple = none;
	change->new_tuple = none;
	if (type != 'I' && reader.at < reader.end && (*reader.at == 'K' || *reader.at == 'O'))
	{
		change->old_kind = (char) wire_u8(&reader);
		change->old_tuple = wire_read_tuple(&reader);
	}
	if (type != 'D')
	{
		if (wire_u8(&reader) != 'N')
			reader.failed = true;
		change->new_tuple = wire_read_tuple(&reader);
	}
	return finish(&reader,
	              type == 'I'   ? "Insert"
	              : type == 'U' ? "Update"
	                            : "Delete",
	              error);
}

bool
wire_read_truncate(Slice body, WireTruncate *truncate, EnvError *error)
{
	WireReader reader = wire_reader(body);

	truncate->count = wire_u32(&reader);
	truncate->flags = wire_u8(&reader);
	truncate->relids = wire_take(&reader, (size_t) truncate->count * sizeof(uint32_t));
	return finish(&reader, "Truncate", error);
}

bool
wire_read_logical(Slice body, WireLogical *logical, EnvError *error)
{
	WireReader reader = wire_reader(body);

	logical->flags = wire_u8(&reader);
	logical->lsn = wire_u64(&reader);
	logical->prefix = wire_read_string0(&reader);
	logical->content.len = wire_u32(&reader);
	logical->content.data = wire_take(&reader, logical->content.len);
	return finish(&reader, "Message", error);
}

bool
wire_read_origin(Slice body, uint64_t *lsn, const char **name, EnvError *error)
{
	WireReader reader = wire_reader(body);

	*lsn = wire_u64(&reader);
	*name = wire_read_string0(&reader);
	return finish(&reader, "Origin", error);
}
