/*
 * buffer.h
 *		the envelope library's allocators over memory contexts.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef DECODER_BUFFER_H
#define DECODER_BUFFER_H

#include "compat.h"

#include "library.h"

/* An empty buffer in context, not limited to MaxAllocSize: its user decides what is too
 * much. */
Buf context_buf(MemoryContext context);

/* Give back what one extraordinary row made an empty buffer grow to. */
void context_buf_shrink(Buf *buf);

Alloc context_alloc(MemoryContext context);

#endif
