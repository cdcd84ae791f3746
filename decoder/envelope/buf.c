/*
 * buf.c
 *		growable byte buffer over a caller-supplied allocator.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "envelope/buf.h"

#include <stdarg.h>
#include <stdio.h>

bool
env_fail(EnvError *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void) vsnprintf(error->message, sizeof error->message, format, args);
	va_end(args);
	error->hint[0] = '\0';
	return false;
}

char *
buf_reserve_slow(Buf *buf, size_t extra)
{
	size_t cap = buf->cap < 256 ? 256 : buf->cap;

	while (cap - buf->len < extra)
		cap += cap / 2 + extra / 2;
	buf->data = buf->grow(buf->data, cap, buf->context);
	buf->cap = cap;
	return buf->data + buf->len;
}

void
buf_uint64(Buf *buf, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;

	do
		digits[--at] = (char) ('0' + value % 10);
	while ((value /= 10) != 0);
	buf_append(buf, digits + at, sizeof digits - at);
}

void
buf_int64(Buf *buf, int64_t value)
{
	if (value < 0)
		buf_char(buf, '-');
	buf_uint64(buf, value < 0 ? 0 - (uint64_t) value : (uint64_t) value);
}

void
buf_printf(Buf *buf, const char *format, ...)
{
	va_list args;
	int need;

	va_start(args, format);
	need = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (need <= 0)
		return;
	(void) buf_reserve(buf, (size_t) need + 1);
	va_start(args, format);
	(void) vsnprintf(buf->data + buf->len, (size_t) need + 1, format, args);
	va_end(args);
	buf->len += (size_t) need;
}

const char *
buf_cstr(Buf *buf)
{
	*buf_reserve(buf, 1) = '\0';
	return buf->data;
}

void *
alloc_zero(const Alloc *alloc, size_t size)
{
	return memset(alloc->alloc(size, alloc->context), 0, size);
}

char *
alloc_copy(const Alloc *alloc, Slice text)
{
	char *copy = alloc->alloc(text.len + 1, alloc->context);

	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return copy;
}
