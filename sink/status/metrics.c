/*
 * metrics.c
 *		the table of metrics.
 *
 * A metric is a row here, an id in board.h and a call of board_set(); /metrics and README
 * follow.  Names and units as Prometheus recommends: base units, counters end in _total.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "status/metrics.h"

/* clang-format off */
const Metric metric_table[METRIC_COUNT] = {
	[METRIC_CONFIRMED_LSN] = { "cdc_sink_confirmed_lsn_bytes", "gauge", SCOPE_WORKER, UNIT_PLAIN,
	  "WAL position that was last confirmed to the server." },
	[METRIC_EVENTS] = { "cdc_sink_events_total", "counter", SCOPE_WORKER, UNIT_PLAIN,
	  "Events read from the server: row changes, snapshot rows, commits and markers." },
	[METRIC_FAILURES] = { "cdc_sink_failures_total", "counter", SCOPE_WORKER, UNIT_PLAIN,
	  "How often work was broken off by a failure that a wait may heal." },
	[METRIC_HEALTHY] = { "cdc_sink_healthy", "gauge", SCOPE_WORKER, UNIT_PLAIN,
	  "1 when nothing keeps the worker from its work, as /health tells." },
	[METRIC_KAFKA_BYTES] = { "cdc_sink_kafka_bytes_total", "counter", SCOPE_KAFKA, UNIT_PLAIN,
	  "Bytes of keys and values produced." },
	[METRIC_KAFKA_RECORDS] = { "cdc_sink_kafka_records_total", "counter", SCOPE_KAFKA, UNIT_PLAIN,
	  "Records produced, positions not counted." },
	[METRIC_KAFKA_REFUSED] = { "cdc_sink_kafka_refused_total", "counter", SCOPE_KAFKA, UNIT_PLAIN,
	  "Events that can never be delivered and were left out, as event.processing.failure.handling.mode says." },
	[METRIC_KAFKA_REPEATED] = { "cdc_sink_kafka_repeated_total", "counter", SCOPE_KAFKA, UNIT_PLAIN,
	  "Events dropped because they were stored before." },
	[METRIC_KAFKA_SKIPPED] = { "cdc_sink_kafka_skipped_total", "counter", SCOPE_KAFKA, UNIT_PLAIN,
	  "Events that give no record: skipped operations, deletes without a replica identity, tables without columns." },
	[METRIC_KAFKA_TRANSACTIONS] = { "cdc_sink_kafka_transactions_total", "counter", SCOPE_KAFKA, UNIT_PLAIN,
	  "Kafka transactions committed, or positions stored without." },
	[METRIC_LAG_BYTES] = { "cdc_sink_lag_bytes", "gauge", SCOPE_WORKER, UNIT_PLAIN,
	  "WAL that was received and is not yet stored by every output." },
	[METRIC_LAG_US] = { "cdc_sink_lag_seconds", "gauge", SCOPE_WORKER, UNIT_US,
	  "Age of the oldest commit that was received and is not yet stored by every output." },
	[METRIC_LAKE_BUFFERED] = { "cdc_sink_lake_buffered_bytes", "gauge", SCOPE_LAKE, UNIT_PLAIN,
	  "Rows in memory, for the next cut." },
	[METRIC_LAKE_CUT_LSN] = { "cdc_sink_lake_cut_lsn_bytes", "gauge", SCOPE_LAKE, UNIT_PLAIN,
	  "WAL position of the last cut since the worker's start; 0 when there was none." },
	[METRIC_LAKE_CUT_US] = { "cdc_sink_lake_cut_timestamp_seconds", "gauge", SCOPE_LAKE, UNIT_US,
	  "When that cut was published; 0 when there was none." },
	[METRIC_LAKE_CUTS] = { "cdc_sink_lake_cuts_total", "counter", SCOPE_LAKE, UNIT_PLAIN,
	  "Cuts published." },
	[METRIC_LAKE_ORPHANS] = { "cdc_sink_lake_orphans_total", "counter", SCOPE_LAKE, UNIT_PLAIN,
	  "Files that no snapshot has, left by a kill, that were removed." },
	[METRIC_LAKE_REFUSED] = { "cdc_sink_lake_refused_total", "counter", SCOPE_LAKE, UNIT_PLAIN,
	  "Changes too large for bronze that were left out, as event.processing.failure.handling.mode says." },
	[METRIC_LAKE_ROWS] = { "cdc_sink_lake_rows_total", "counter", SCOPE_LAKE, UNIT_PLAIN,
	  "Row changes taken in; those stored before are not counted." },
	[METRIC_MEMORY] = { "cdc_sink_queued_bytes", "gauge", SCOPE_WORKER, UNIT_PLAIN,
	  "Memory of events that were read and that not every output has taken." },
	[METRIC_MEMORY_LIMIT] = { "cdc_sink_queued_limit_bytes", "gauge", SCOPE_WORKER, UNIT_PLAIN,
	  "Its bound: reading pauses there." },
	[METRIC_OUTPUT_BLOCKS] = { "cdc_sink_output_blocks", "gauge", SCOPE_OUTPUT, UNIT_PLAIN,
	  "1 when the output holds the others and the reader back." },
	[METRIC_OUTPUT_LSN] = { "cdc_sink_output_stored_lsn_bytes", "gauge", SCOPE_OUTPUT, UNIT_PLAIN,
	  "WAL position up to which the output has stored everything." },
	[METRIC_OUTPUT_STALLED_US] = { "cdc_sink_output_stalled_seconds", "gauge", SCOPE_OUTPUT, UNIT_US,
	  "For how long the output has had something to store and has stored nothing." },
	[METRIC_RECEIVED_LSN] = { "cdc_sink_received_lsn_bytes", "gauge", SCOPE_WORKER, UNIT_PLAIN,
	  "WAL position up to which the server has sent everything." },
	[METRIC_START_US] = { "cdc_sink_start_timestamp_seconds", "gauge", SCOPE_WORKER, UNIT_US,
	  "When the worker was started." },
	[METRIC_STATE] = { "cdc_sink_state", "gauge", SCOPE_WORKER, UNIT_STATE,
	  "1 with the label of the state the worker is in: starting, snapshot, streaming, waiting or stopping." },
	[METRIC_TRANSACTIONS] = { "cdc_sink_transactions_total", "counter", SCOPE_WORKER, UNIT_PLAIN,
	  "Commits read from the server." },
	[METRIC_UNREAD] = { "cdc_sink_unread_tables", "gauge", SCOPE_WORKER, UNIT_PLAIN,
	  "Tables that wait to be read, or are being read, while the stream goes on." },
};
/* clang-format on */

const char *const worker_state_names[WORKER_STATE_COUNT] = {
	[WORKER_STARTING] = "starting",   [WORKER_SNAPSHOT] = "snapshot",
	[WORKER_STREAMING] = "streaming", [WORKER_WAITING] = "waiting",
	[WORKER_STOPPING] = "stopping",
};
