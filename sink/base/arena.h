/*
 * arena.h
 *		memory that is freed all at once.
 *
 * A function that returns memory takes an Arena first; what it returns lives
 * as long as that arena.  Running out of memory aborts the process: a kill at
 * any instant is safe by design, so allocation never fails for a caller.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "envelope/buf.h"

typedef struct Arena Arena;

Arena *arena_new(void);
void *arena_alloc(Arena *arena, size_t size) /* 16-byte aligned, not zeroed */
	__attribute__((alloc_size(2), returns_nonnull));
void *arena_zero(Arena *arena, size_t size)
	__attribute__((alloc_size(2), returns_nonnull));
char *arena_strdup(Arena *arena, const char *text);
char *arena_strndup(Arena *arena, const char *text, size_t len); /* terminated */
Slice arena_slice(Arena *arena, Slice bytes);                    /* a copy */
char *arena_printf(Arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
size_t arena_bytes(const Arena *arena); /* taken from the system */
/* Release a thing of so many bytes with the arena, or when it is reset. */
void arena_hold(Arena *arena, void *thing, size_t bytes, void (*release)(void *));
void arena_reset(Arena *arena); /* free everything, keep one small block */
void arena_free(Arena *arena);  /* NULL is allowed */

/* The envelope library's allocator over an arena. */
Alloc arena_as_alloc(Arena *arena);

/* An empty Buf on the heap; buf_free releases it. */
Buf buf_heap(void);
void buf_free(Buf *buf);

/* malloc and realloc that abort instead of returning NULL. */
void *xmalloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *xrealloc(void *block, size_t size) __attribute__((alloc_size(2), returns_nonnull));
char *xstrdup(const char *text);

#endif
