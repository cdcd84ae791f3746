/*
 * fit.h
 *		settings of memory, against the limit of the container.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONFIG_FIT_H
#define CONFIG_FIT_H

#include "config/config.h"

/* Lower what nobody has set to what fits into limit, in bytes; 0: no limit.  To be called
 * when config->values are there. */
void config_fit(Config *config, Arena *arena, int64_t limit);

/* Log the limit and what became of it; a warning for each setting that is too large. */
void config_log_fit(const Config *config);

#endif
