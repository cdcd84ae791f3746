/*
 * buf.h
 *		byte slices, a growable byte buffer and the allocator both halves supply.
 *
 * The plugin backs these with memory contexts, the worker with malloc and
 * arenas.  A function below decoder/envelope/ allocates nothing but through
 * what its caller handed it, and appending to a Buf cannot fail: the grow
 * function either returns memory or does not return (palloc's ERROR, the
 * worker's abort).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_BUF_H
#define ENVELOPE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that somebody else owns.  Not terminated. */
typedef struct Slice
{
	const char *data;
	size_t len;
} Slice;

static inline Slice
slice_from(const char *text)
{
	return (Slice){ text, strlen(text) };
}

static inline bool
slice_equal(Slice a, Slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Resize a block as realloc does; never returns NULL. */
typedef void *(*BufGrow)(void *block, size_t size, void *context);

/* A growable run of bytes.  data[0 .. len) is valid; not terminated unless buf_cstr was
 * called. */
typedef struct Buf
{
	char *data;
	size_t len;
	size_t cap;
	BufGrow grow;
	void *context; /* handed to grow */
} Buf;

/* Bump allocation for things that live as long as a plan or a relation; never freed
 * singly. */
typedef struct Alloc
{
	void *(*alloc)(size_t size,
	               void *context); /* maximally aligned, not zeroed, never NULL */
	void *context;
} Alloc;

/* Why a function of this library refused; message in PostgreSQL's style, hint a sentence
 * or "". */
typedef struct EnvError
{
	char message[384];
	char hint[256];
} EnvError;

/* Fill error and return false, so that a failing call reads "return env_fail(...)". */
bool env_fail(EnvError *error, const char *format, ...)
	__attribute__((format(printf, 2, 3), cold));

/* Make room for extra more bytes and return where they go; len is not changed. */
char *buf_reserve_slow(Buf *buf, size_t extra);

static inline char *
buf_reserve(Buf *buf, size_t extra)
{
	if (buf->cap - buf->len >= extra)
		return buf->data + buf->len;
	return buf_reserve_slow(buf, extra);
}

static inline void
buf_append(Buf *buf, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(buf_reserve(buf, len), bytes, len);
	buf->len += len;
}

static inline void
buf_slice(Buf *buf, Slice slice)
{
	buf_append(buf, slice.data, slice.len);
}

static inline void
buf_char(Buf *buf, char c)
{
	*buf_reserve(buf, 1) = c;
	buf->len++;
}

static inline void
buf_text(Buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

static inline void
buf_reset(Buf *buf)
{
	buf->len = 0;
}

void buf_int64(Buf *buf, int64_t value);
void buf_uint64(Buf *buf, uint64_t value);
void buf_printf(Buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Terminate and return data; the terminator is not counted in len. */
const char *buf_cstr(Buf *buf);

/* Big-endian integers, as PostgreSQL's protocol has them. */
static inline void
buf_u8(Buf *buf, uint8_t v)
{
	buf_char(buf, (char) v);
}

static inline void
buf_u16(Buf *buf, uint16_t v)
{
	v = __builtin_bswap16(v);
	buf_append(buf, &v, sizeof v);
}

static inline void
buf_u32(Buf *buf, uint32_t v)
{
	v = __builtin_bswap32(v);
	buf_append(buf, &v, sizeof v);
}

static inline void
buf_u64(Buf *buf, uint64_t v)
{
	v = __builtin_bswap64(v);
	buf_append(buf, &v, sizeof v);
}

/* Store a big-endian u32 over bytes already written (a length known only afterwards). */
static inline void
buf_set_u32(Buf *buf, size_t at, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(buf->data + at, &v, sizeof v);
}

static inline uint16_t
read_u16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return __builtin_bswap16(v);
}

static inline uint32_t
read_u32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return __builtin_bswap32(v);
}

static inline uint64_t
read_u64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return __builtin_bswap64(v);
}

void *alloc_zero(const Alloc *alloc, size_t size);
char *alloc_copy(const Alloc *alloc, Slice text); /* terminated */

#endif
