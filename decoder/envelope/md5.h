/*
 * md5.h
 *		MD5 (RFC 1321), for the UUIDs that Java derives from names.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef ENVELOPE_MD5_H
#define ENVELOPE_MD5_H

#include "envelope/buf.h"

/* java.util.UUID.nameUUIDFromBytes: a version 3 UUID of the bytes. */
void md5_uuid(Slice bytes, char uuid[16]);

#endif
