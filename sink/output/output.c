/*
 * output.c
 *		waking the reader.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "output/output.h"

#include <unistd.h>

void
output_wake(const Output *output)
{
	static const uint64_t one = 1;

	/* A full counter already wakes; nothing is lost when this write is refused. */
	if (output->wake_fd >= 0 && write(output->wake_fd, &one, sizeof one) < 0)
		return;
}
