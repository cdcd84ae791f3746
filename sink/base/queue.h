/*
 * queue.h
 *		a bounded queue of pointers between two threads.
 *
 * The putting side never blocks (the reader must keep feeding PostgreSQL);
 * the taking side waits.  The only place in the worker with a lock.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Queue Queue;

Queue *queue_new(size_t capacity);
void queue_free(Queue *queue); /* must be empty; NULL is allowed */

/* False when the queue is full; item is then still the caller's. */
bool queue_put(Queue *queue, void *item);

/* The oldest item; NULL after timeout_ms (-1: no limit), after queue_wake or queue_stop
 * with nothing queued. */
void *queue_take(Queue *queue, int timeout_ms);

/* Make a waiting queue_take return now, with NULL when nothing is queued.  Remembered if
 * nobody waits. */
void queue_wake(Queue *queue);

/* From now on queue_take never waits. */
void queue_stop(Queue *queue);

#endif
