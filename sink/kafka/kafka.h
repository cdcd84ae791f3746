/*
 * kafka.h
 *		the Kafka output.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef KAFKA_KAFKA_H
#define KAFKA_KAFKA_H

#include "config/config.h"
#include "output/output.h"

/* Make the output; nothing is connected before its open().  Its close() releases it. */
Output *kafka_output_new(const Config *config, int wake_fd);

#endif
