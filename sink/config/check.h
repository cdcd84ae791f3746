/*
 * check.h
 *		what the settings must be together.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/config.h"

/* ERR_CONFIG names the settings that are missing, malformed or at odds.  The warehouse
 * loses the slashes at its end. */
bool config_check(Config *config, Arena *arena, Err *err) MUST_CHECK;

#endif
