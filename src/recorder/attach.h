/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* attach.h - the store of the run, mapped. */
#ifndef RECORDER_ATTACH_H
#define RECORDER_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Map the store of this name for the life of the process, made if it is not there. `head_only`:
 * only to leave notes in, if it is there. *ret_fd is the file. 0; -EBADMSG: there is another file;
 * -EPROTONOSUPPORT: a store of another version, and somebody is at it; -EEXIST: one that cannot go
 * aside, as another file is there; -EPERM: somebody else's; or the negative errno of what failed.
 */
int attach_store(const char *path, bool head_only, int *ret_fd);
/* In a forked child: map it again, for the mapping to be this process's own. The file, or a
 * negative errno. */
int attach_again(const char *path);
/* In a forked child that does not know yet whether it will be recorded, until attach_again(): what
 * it writes is its own, if that can be had. */
void attach_part(const char *path);
/* Before anything but the head is written to: see that the file has all of its blocks, which may
 * have been given back when nobody was there. They stay until attach_reserved(), when the process
 * has a slot. 0 or a negative errno. */
int attach_reserve(int fd);
void attach_reserved(int fd);
/* Does this address lie in the store? */
bool attach_has(const void *address);
/*
 * A page of the store cannot be had any more: its disk is full, and gives no block even for what
 * was reserved, or the file was made shorter. Memory that nobody else sees takes its place. For a
 * handler of SIGBUS; false if that cannot be had either.
 */
bool attach_replace(const void *address);
/* Can the head be written to, or would that be SIGBUS? */
bool attach_has_head(void);
/* Is this the file that is mapped? */
bool attach_is_same(int fd);
/* Unmap it, but for the head. */
void attach_leave(void);
/* What lies here and nearby, in ATTACH_PIECE bytes, will be written to: one call of the kernel's
 * does for all of its pages, once, if the program's filters leave that. errno is kept. */
void attach_populate(const void *where);
#define ATTACH_PIECE (64u << 10)
/* The same of the piece of the ring that events from this position on lie in. */
void attach_populate_ring(uint64_t position);

#endif
