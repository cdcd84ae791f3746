/*
 * analyzer.h
 *		what clang-tidy cannot see: that the functions which report a failure return false.
 *
 * Included ahead of every file of the worker but err.c when it is analysed, never
 * when it is compiled.  Without it the analyser follows a path on which a failed
 * call looks like a good one, and finds its results uninitialised.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/err.h"

#define fail(...)       ((void) fail(__VA_ARGS__), false)
#define fail_while(...) ((void) fail_while(__VA_ARGS__), false)
#define fail_hint(...)  ((void) fail_hint(__VA_ARGS__), false)
