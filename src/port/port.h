/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * port.h - what the core needs from the place it runs in.
 *
 * The core is freestanding: it includes this file, its own headers and the public one, and calls
 * nothing else. Each port supplies a "port_impl.h" on the include path with the names below. They
 * are macros or static inline functions, since all of them are on hot paths; this file states what
 * each must do, and refuses a port that lacks one.
 *
 * Types and constants
 *	u8 u16 u32 u64 s16 s32 s64 bool size_t uintptr_t, and EINVAL ESTALE EBADMSG ENOMEM EROFS
 *	EBUSY EAGAIN ENOENT EPROTONOSUPPORT. Pointers and frames (uintptr_t) have 64 bits; compilers
 *	provide unsigned __int128.
 *	port_likely(x), port_unlikely(x)	branch hints
 *	port_noinline, port_inline		as the compiler's attributes
 *	port_prefetch_write(p)			a line that will be written soon; may do nothing
 *	PORT_VARIANT(name)	the name itself; a port that compiles save.c and cursor.c more than
 *				once, for different processors, gives each time another name, and
 *				defines `name` as a choice between them
 *
 * Atomics, on naturally aligned u32 and u64, in memory that may be shared between processes,
 * therefore lock-free and address-free. They must be usable in any context, NMI included.
 *	port_load_relaxed(p)  port_load_acquire(p)  port_load_seq_cst(p)
 *	port_store_relaxed(p, v)  port_store_release(p, v)
 *	port_cas(p, &expected, desired)	strong compare and swap, sequentially consistent; false and
 *					expected updated if *p was another value
 *	port_fetch_add_relaxed(p, v)	the value before
 *	port_fetch_or(p, v)  port_fetch_and(p, v)	sequentially consistent, the value before
 *	port_fence_acquire()	loads before it are ordered before loads and stores after it
 *	port_fence_release()	loads and stores before it are ordered before stores after it
 * port_load_seq_cst must take part in one total order with port_cas, port_fetch_or and
 * port_fetch_and: the core has places where two parties each write one word and read the other's.
 *
 * Memory
 *	port_line(depot, number)	address of line `number`, 0 to depot->nr_lines, zeroed
 *					before its first use. Line 0 is never written, and read in
 *					place of the parent of a line that has none. A user-space
 *					port maps all lines at creation; a kernel one keeps chunks,
 *					that of line 0 from the first line on.
 *	port_populate(depot, number, flags)	make line `number` usable, flags those of the save.
 *					Called before the first use of a line, by any number of
 *					callers, in any context; once true, true for ever. false: no
 *					memory now.
 *	port_scratch_get(bytes)  port_scratch_put(pointer, bytes)	zeroed memory or NULL; for
 *					stackdepot_check() alone, which runs in a quiet context.
 *
 *	port_footprint(geometry)	(optional) bytes that a depot of this struct depot_geometry
 *					takes in all, private parts of the port included; does not
 *					fall with more lines. Else total_bytes and a page.
 *
 * Vectors (optional)
 *	PORT_VECTOR_LINES	defined if the core may compare lines with the compiler's 16-byte
 *				vectors: false in kernels, and where a race detector must see each
 *				access as atomic.
 */
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include "port_impl.h"

#if !defined(port_load_relaxed) || !defined(port_load_acquire) || !defined(port_load_seq_cst) ||   \
	!defined(port_store_relaxed) || !defined(port_store_release) || !defined(port_cas) ||      \
	!defined(port_fetch_add_relaxed) || !defined(port_fetch_or) || !defined(port_fetch_and) || \
	!defined(port_fence_acquire) || !defined(port_fence_release) || !defined(port_line) ||     \
	!defined(port_populate) || !defined(PORT_VARIANT) || !defined(port_scratch_get) ||         \
	!defined(port_scratch_put) || !defined(port_likely) || !defined(port_unlikely) ||          \
	!defined(port_prefetch_write) || !defined(port_noinline) || !defined(port_inline)
#error "port_impl.h lacks something that port.h asks for"
#endif

#ifndef port_footprint
#define port_footprint(geometry) ((geometry)->total_bytes + DEPOT_PRIVATE_BYTES)
#endif

#endif
