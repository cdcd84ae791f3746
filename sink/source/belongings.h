/*
 * belongings.h
 *		which table is a partition of which, looked at again and again.
 *
 * The stream does not tell when a partition is attached or detached, only with a change
 * of its rows whose it is now.  So the catalog is asked, in a thread and a session of its
 * own, and with what it has the lake finds what silver has too much, or too little.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SOURCE_BELONGINGS_H
#define SOURCE_BELONGINGS_H

#include "event/event.h"
#include "source/periodic.h"

typedef struct Belongings Belongings;

/* Start to look.  config must outlive it; *belongings is NULL where nothing is looked
 * for: without silver, or by lake.partitions.check.interval.ms.  wake_fd, an eventfd, is
 * written to when there is a look. */
bool belongings_start(const Config *config, int wake_fd, Belongings **belongings,
                      Err *err) MUST_CHECK;
void belongings_stop(Belongings *belongings); /* NULL is allowed */

/* The look that was not taken yet, and at which LSN it was taken: everything it shows
 * was committed before.  False: there is none.  NULL is allowed. */
bool belongings_look(Belongings *belongings, Lsn *at);

/* Give it up. */
void belongings_drop(Belongings *belongings);

/* Take it, as an event of batch. */
void belongings_take(Belongings *belongings, Batch *batch);

#endif
