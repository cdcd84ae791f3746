/*
 * library.h
 *		the envelope library, for files that also include PostgreSQL's headers.
 *
 * Relation, Interval and Numeric are types of both.  Here the library's are
 * EnvRelation, EnvInterval and EnvNumeric; the layout is the same, so objects
 * compiled either way link.  Include this after PostgreSQL's headers, and no
 * header of envelope/ by itself.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef DECODER_LIBRARY_H
#define DECODER_LIBRARY_H

#define Relation EnvRelation
#define Interval EnvInterval
#define Numeric  EnvNumeric

#include "envelope/control.h"
#include "envelope/render.h"
#include "envelope/unmatched.h"
#include "envelope/utf8.h"

#undef Relation
#undef Interval
#undef Numeric

#endif
