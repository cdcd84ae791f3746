/*
 * snapshot_progress.c
 *		the share that is done is counted in pages; inside a range it is estimated by
 *rows.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "source/snapshot_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define TERMINAL_INTERVAL_US INT64_C(200000)
#define LOG_INTERVAL_US      INT64_C(5000000)
#define BAR_WIDTH            24

void
progress_begin(SnapshotProgress *progress, double pages, size_t tables)
{
	*progress = (SnapshotProgress){
		.pages_total = pages,
		.table = "",
		.tables = tables,
		.terminal = isatty(STDERR_FILENO) == 1,
		.started_us = clock_mono_us(),
	};
	progress->printed_us = progress->started_us;
	log_info("snapshot",
	         "reading %zu tables of %.0f MB",
	         tables,
	         pages * 8192 / (1024 * 1024));
}

void
progress_table(SnapshotProgress *progress, const char *name, double pages, double rows)
{
	progress->table = name;
	progress->table_pages = pages;
	progress->table_rows = rows;
	log_debug("snapshot", "reading table \"%s\"", name);
}

static double
share_done(const SnapshotProgress *progress, uint64_t table_rows, double table_pages_done)
{
	double pages = table_pages_done;
	double share;

	if (progress->table_rows > 0)
	{
		double estimate =
			(double) table_rows / progress->table_rows * progress->table_pages;

		if (estimate > pages)
			pages = estimate;
	}
	if (pages > progress->table_pages)
		pages = progress->table_pages;
	if (progress->pages_total <= 0)
		return 1;
	share = (progress->pages_done + pages) / progress->pages_total;
	return share > 1 ? 1 : share;
}

static void
print_bar(const SnapshotProgress *progress, uint64_t rows, double share,
          double per_second)
{
	char bar[BAR_WIDTH + 1];

	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < (int) (share * BAR_WIDTH) ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
	(void) fprintf(stderr,
	               "\r[%s] %3d%% %" PRIu64 " rows, %.0f rows/s, %.40s\033[K",
	               bar,
	               (int) (share * 100),
	               rows,
	               per_second,
	               progress->table);
	(void) fflush(stderr);
}

void
progress_show(SnapshotProgress *progress, uint64_t rows, uint64_t table_rows,
              double table_pages_done)
{
	int64_t now = clock_mono_us();
	double seconds = (double) (now - progress->started_us) / 1e6;
	double per_second = seconds > 0 ? (double) rows / seconds : 0;
	double share;

	if (now - progress->printed_us <
	    (progress->terminal ? TERMINAL_INTERVAL_US : LOG_INTERVAL_US))
		return;
	progress->printed_us = now;
	share = share_done(progress, table_rows, table_pages_done);
	if (progress->terminal)
		print_bar(progress, rows, share, per_second);
	else
		log_info("snapshot",
		         "%d%%, table %zu of %zu (\"%s\"), %" PRIu64 " rows, %.0f rows/s",
		         (int) (share * 100),
		         progress->tables_done + 1,
		         progress->tables,
		         progress->table,
		         rows,
		         per_second);
}

void
progress_table_done(SnapshotProgress *progress)
{
	progress->pages_done += progress->table_pages;
	progress->tables_done++;
}

void
progress_end(SnapshotProgress *progress, uint64_t rows, bool complete)
{
	double seconds = (double) (clock_mono_us() - progress->started_us) / 1e6;

	if (progress->terminal)
		(void) fprintf(stderr, "\r\033[K");
	log_info("snapshot",
	         "%s %" PRIu64 " rows of %zu tables in %.1f s, %.0f rows/s",
	         complete ? "read" : "gave up after",
	         rows,
	         complete ? progress->tables : progress->tables_done,
	         seconds,
	         seconds > 0 ? (double) rows / seconds : 0);
}
