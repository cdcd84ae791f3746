/*
 * print.h
 *		more of what the tables print; config.h declares the rest.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

#include "config/config.h"

/* The settings as indented text, for --help. */
void config_print_help(FILE *to);

/* The settings as tagged paragraphs of a manual page, and text made safe for one, with
 * its line end. */
void config_print_man(FILE *to);
void man_text(const char *text, FILE *to);

/* What becomes of other properties of Debezium, as a Markdown table. */
void config_print_debezium(FILE *to);

/* The classes of transforms.h and their options, as Markdown tables. */
void config_print_transforms(FILE *to);

#endif
