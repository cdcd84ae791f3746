/*
 * settings.h
 *		the server settings that decide how output functions print.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef DECODER_SETTINGS_H
#define DECODER_SETTINGS_H

/*
 * Pin DateStyle=ISO, IntervalStyle=postgres, TimeZone=UTC, extra_float_digits=3
 * and bytea_output=hex until settings_release, or until the transaction ends
 * in an error.  Returns what settings_release wants, never 0.  Those that have
 * the value already are left alone, so that a client which set them pays
 * nothing.
 */
int settings_pin(void);
void settings_release(int level);

#endif
