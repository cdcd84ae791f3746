/*
 * arena.c
 *		a chain of blocks; allocation moves a pointer.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK_BYTES ((size_t) 8192)
#define BLOCK_MOST  ((size_t) 1 << 20) /* but for one large piece */
#define ALIGNMENT   ((size_t) 16)

/* In a build for AddressSanitizer it is told which bytes of a block are somebody's, with
 * a gap behind each piece: what it finds in malloc's blocks it then finds here. */
#ifdef WATCH_ARENAS
#include <sanitizer/asan_interface.h>
#define GAP               ALIGNMENT
#define HIDE(bytes, size) ASAN_POISON_MEMORY_REGION(bytes, size)
#define SHOW(bytes, size) ASAN_UNPOISON_MEMORY_REGION(bytes, size)
#else
#define GAP               ((size_t) 0)
#define HIDE(bytes, size) ((void) 0)
#define SHOW(bytes, size) ((void) 0)
#endif

typedef struct Block Block;
struct Block
{
	Block *next;
	size_t size; /* of bytes[] */
	size_t used;
	_Alignas(16) char bytes[];
};

/* What was not the arena's at first. */
typedef struct Held Held;
struct Held
{
	Held *next;
	void *thing;
	void (*release)(void *);
};

struct Arena
{
	Block *blocks; /* newest first: only the newest is allocated from */
	Held *held;
	size_t bytes;
};

static Block *
block_new(Arena *arena, size_t size)
{
	Block *block = xmalloc(sizeof *block + size);

	block->next = arena->blocks;
	block->size = size;
	block->used = 0;
	arena->blocks = block;
	arena->bytes += sizeof *block + size;
	HIDE(block->bytes, size);
	return block;
}

Arena *
arena_new(void)
{
	Arena *arena = xmalloc(sizeof *arena);

	*arena = (Arena){ 0 };
	return arena;
}

void *
arena_alloc(Arena *arena, size_t size)
{
	Block *block = arena->blocks;
	size_t room = ((size + ALIGNMENT - 1) & ~(ALIGNMENT - 1)) + GAP;
	void *result;

	if (block == NULL || block->size - block->used < room)
	{
		size_t want = block == NULL ? BLOCK_BYTES : block->size * 2;

		if (want > BLOCK_MOST)
			want = BLOCK_MOST;
		block = block_new(arena, room > want ? room : want);
	}
	result = block->bytes + block->used;
	block->used += room;
	SHOW(result, size);
	return result;
}

void *
arena_zero(Arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

char *
arena_strndup(Arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *
arena_strdup(Arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

Slice
arena_slice(Arena *arena, Slice bytes)
{
	return (Slice){ arena_strndup(arena, bytes.data, bytes.len), bytes.len };
}

char *
arena_printf(Arena *arena, const char *format, ...)
{
	va_list args;
	int need;
	char *text;

	va_start(args, format);
	need = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = arena_alloc(arena, (size_t) need + 1);
	va_start(args, format);
	(void) vsnprintf(text, (size_t) need + 1, format, args);
	va_end(args);
	return text;
}

size_t
arena_bytes(const Arena *arena)
{
	return arena->bytes;
}

void
arena_hold(Arena *arena, void *thing, size_t bytes, void (*release)(void *))
{
	Held *held = arena_alloc(arena, sizeof *held);

	*held = (Held){ arena->held, thing, release };
	arena->held = held;
	arena->bytes += bytes;
}

static void
release_held(Arena *arena)
{
	for (const Held *held = arena->held; held != NULL; held = held->next)
		held->release(held->thing);
	arena->held = NULL;
}

static void
free_blocks(Block *blocks)
{
	for (Block *block = blocks, *next; block != NULL; block = next)
	{
		next = block->next;
		free(block);
	}
}

void
arena_reset(Arena *arena)
{
	Block *keep = arena->blocks;

	release_held(arena);
	if (keep == NULL)
		return;
	free_blocks(keep->next);
	keep->next = NULL;
	keep->used = 0;
	HIDE(keep->bytes, keep->size);
	arena->bytes = sizeof *keep + keep->size;
	if (keep->size <= BLOCK_MOST)
		return;
	free_blocks(keep);
	*arena = (Arena){ 0 };
}

void
arena_free(Arena *arena)
{
	if (arena == NULL)
		return;
	release_held(arena);
	free_blocks(arena->blocks);
	free(arena);
}

static void *
alloc_from_arena(size_t size, void *context)
{
	return arena_alloc(context, size);
}

Alloc
arena_as_alloc(Arena *arena)
{
	return (Alloc){ alloc_from_arena, arena };
}

static void *
heap_grow(void *block, size_t size, void *context)
{
	(void) context;
	return xrealloc(block, size);
}

Buf
buf_heap(void)
{
	return (Buf){ .grow = heap_grow };
}

void
buf_free(Buf *buf)
{
	free(buf->data);
	*buf = buf_heap();
}

void *
xmalloc(size_t size)
{
	return xrealloc(NULL, size);
}

void *
xrealloc(void *block, size_t size)
{
	void *result = realloc(block, size > 0 ? size : 1);

	if (result == NULL)
	{
		(void) fprintf(stderr,
		               "cdc-sink: error: out of memory: could not allocate %zu bytes\n"
		               "cdc-sink: hint: Raise the memory limit or lower max.memory and "
		               "start again; nothing stored is lost.\n",
		               size);
		_exit(1);
	}
	return result;
}

char *
xstrdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(xmalloc(size), text, size);
}
