/*
 * queue.c
 *		ring buffer under one mutex.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"

struct Queue
{
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void **items;
	size_t capacity;
	size_t head; /* oldest */
	size_t count;
	bool woken;
	bool stopped;
};

Queue *
queue_new(size_t capacity)
{
	Queue *queue = xmalloc(sizeof *queue);
	pthread_condattr_t attributes;

	*queue = (Queue){ .capacity = capacity };
	queue->items = xmalloc(capacity * sizeof *queue->items);
	(void) pthread_mutex_init(&queue->lock, NULL);
	(void) pthread_condattr_init(&attributes);
	(void) pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void) pthread_cond_init(&queue->changed, &attributes);
	(void) pthread_condattr_destroy(&attributes);
	return queue;
}

void
queue_free(Queue *queue)
{
	if (queue == NULL)
		return;
	(void) pthread_cond_destroy(&queue->changed);
	(void) pthread_mutex_destroy(&queue->lock);
	free(queue->items);
	free(queue);
}

bool
queue_put(Queue *queue, void *item)
{
	bool put;

	(void) pthread_mutex_lock(&queue->lock);
	put = queue->count < queue->capacity;
	if (put)
	{
		queue->items[(queue->head + queue->count++) % queue->capacity] = item;
		(void) pthread_cond_signal(&queue->changed);
	}
	(void) pthread_mutex_unlock(&queue->lock);
	return put;
}

static void
wait_for_change(Queue *queue, int timeout_ms)
{
	struct timespec until;
	int rc = 0;

	(void) clock_gettime(CLOCK_MONOTONIC, &until);
	if (timeout_ms > 0)
	{
		until.tv_sec += timeout_ms / 1000;
		until.tv_nsec += (long) (timeout_ms % 1000) * 1000000;
		if (until.tv_nsec >= 1000000000)
		{
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
	}
	while (queue->count == 0 && !queue->woken && !queue->stopped && rc != ETIMEDOUT)
		rc = timeout_ms < 0
		         ? pthread_cond_wait(&queue->changed, &queue->lock)
		         : pthread_cond_timedwait(&queue->changed, &queue->lock, &until);
}

void *
queue_take(Queue *queue, int timeout_ms)
{
	void *item = NULL;

	(void) pthread_mutex_lock(&queue->lock);
	wait_for_change(queue, timeout_ms);
	queue->woken = false;
	if (queue->count > 0)
	{
		item = queue->items[queue->head];
		queue->head = (queue->head + 1) % queue->capacity;
		queue->count--;
	}
	(void) pthread_mutex_unlock(&queue->lock);
	return item;
}

void
queue_wake(Queue *queue)
{
	(void) pthread_mutex_lock(&queue->lock);
	queue->woken = true;
	(void) pthread_cond_signal(&queue->changed);
	(void) pthread_mutex_unlock(&queue->lock);
}

void
queue_stop(Queue *queue)
{
	(void) pthread_mutex_lock(&queue->lock);
	queue->stopped = true;
	(void) pthread_cond_signal(&queue->changed);
	(void) pthread_mutex_unlock(&queue->lock);
}
