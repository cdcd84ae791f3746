/*
 * damage.h
 *		what a file of the lake that cannot be read or written asks of somebody.
 *
 * A file that is there and is not what it was, or is gone, is nothing that a restart
 * heals: ERR_CONFIG, the file named, and the hint says that nothing was changed.  A
 * system call that fails says for itself what it asks (storage_fail_errno).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef LAKE_STORAGE_DAMAGE_H
#define LAKE_STORAGE_DAMAGE_H

#include "lake/storage/storage.h"

/*
 * err tells why the file or table cannot be understood; turn ERR_FATAL into ERR_CONFIG
 * with the hint.  path, when the message does not name it yet, or NULL.  Errors of
 * another kind stay as they are.  Returns false.
 */
bool damage_found(Err *err, const char *path);

/*
 * DuckDB could not read, or not write, the file; err has its message.  Asks the system
 * whether it is the file that is at fault: its access, the room on the disk, the limits
 * of the process; for a file read that leaves damage.  Returns false.
 */
bool damage_reading(Err *err, const char *local_path);
bool damage_writing(Err *err, const char *local_path);

#endif
