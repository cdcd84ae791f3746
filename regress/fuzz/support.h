/*
 * support.h
 *		what the fuzzers share.
 *
 * A fuzzer is fuzz_<name>.c with LLVMFuzzerTestOneInput; its inputs are in
 * corpus/<name>/.  What must hold for every input it checks by abort(), beside what the
 * sanitizers see.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef FUZZ_SUPPORT_H
#define FUZZ_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "envelope/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An input, taken from its front; what is not there is zero. */
typedef struct Input
{
	const uint8_t *at;
	size_t left;
} Input;

unsigned input_byte(Input *input);

/* Defaults, but that each switch and word of the table takes a value by seed and its own
 * name, so that a seed means the same when rows are added.  Seed 0: the defaults. */
void fuzz_options(EnvOptions *options, unsigned seed, const Alloc *alloc);

/* Abort unless text is one JSON value without bare control characters. */
void fuzz_check_json(Slice text);

#endif
