/*
 * buffer.c
 *		the envelope library's allocators over memory contexts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "compat.h"

#include "utils/memutils.h"

#include "buffer.h"

/* What a buffer may keep between rows. */
#define KEEP_BYTES ((size_t) 1024 * 1024)

static void *
grow(void *block, size_t size, void *context)
{
	return block == NULL ? MemoryContextAllocHuge(context, size)
	                     : repalloc_huge(block, size);
}

Buf
context_buf(MemoryContext context)
{
	return (Buf){ .grow = grow, .context = context };
}

void
context_buf_shrink(Buf *buf)
{
	if (buf->cap <= KEEP_BYTES)
		return;
	pfree(buf->data);
	*buf = context_buf(buf->context);
}

static void *
allocate(size_t size, void *context)
{
	return MemoryContextAlloc(context, size);
}

Alloc
context_alloc(MemoryContext context)
{
	return (Alloc){ allocate, context };
}
