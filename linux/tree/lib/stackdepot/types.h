/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* types.h - a depot's options and figures, its flags and limits; see api.h. */
#ifndef STACKDEPOT_TYPES_H
#define STACKDEPOT_TYPES_H

#include <linux/types.h>

#define STACKDEPOT_MAX_FRAMES 256
#define STACKDEPOT_MAX_LINES ((1u << 27) - 1)
#define STACKDEPOT_MAX_LEASE_TICKS 127
#define STACKDEPOT_RING_LEASE_TICKS 8 /* ticks that KASAN's ring makes while it turns once */
#define STACKDEPOT_EXTRA_BITS 5
#define STACKDEPOT_SPARSE 0 /* for files */

/* How a save holds its trace: kept, referenced, or leased with neither. */
#define STACKDEPOT_KEEP 0x1u
#define STACKDEPOT_GET 0x2u
#define STACKDEPOT_NO_EVICT 0x4u /* use free memory only, evict nothing */
#define STACKDEPOT_FIND 0x10u	 /* store nothing: 0 if the trace is not there */

#define DEPOT_NAME(name)

struct stackdepot;

/* Zero means the default in every field but max_bytes. */
struct stackdepot_options {
	u64 max_bytes;	  /* of all memory, bookkeeping included */
	u32 max_frames;	  /* longer traces are cut to so many innermost frames */
	u32 lease_ticks;  /* of the clock, that a leased trace is safe from eviction */
	u32 ring_entries; /* 0: KASAN has a ring of its own */
	u32 lines;	  /* at most so many, for tests; default as many as fit */
	u32 buckets;	  /* chains of the index, once it has grown; default one a line */
	u32 flags;
	u64 seed; /* of the hash; default random */
};

struct stackdepot_trace_info {
	u32 references; /* longer traces that share the line counted too */
	u32 frames;
	bool kept;
	bool leased;
};

struct stackdepot_stats {
	u64 max_bytes;
	u64 mapped_bytes; /* what the depot occupies of it at most */
	u64 used_bytes;	  /* of these, touched so far */
	u64 ring_bytes;
	u64 lines;	/* capacity */
	u64 lines_used; /* lines ever used */
	u64 buckets;

	/* Since the depot was made. */
	u64 saved;     /* traces that were not there before */
	u64 truncated; /* of these, cut to max_frames */
	u64 lines_added;
	u64 evictions;	   /* of lines */
	u64 leases_broken; /* of these, leased traces within their lease */
	u64 duplicates;	   /* lines filled in vain, as another CPU was first */
	u64 saturated;	   /* lines whose reference count reached its limit: now kept */

	/* Saves that were refused, as */
	u64 drops_pinned;    /* every line was pinned, */
	u64 drops_no_evict;  /* none was free, and eviction forbidden, */
	u64 drops_no_memory; /* no page was to be had for a line. */

	u64 ring_events;
	u64 ring_dropped;
	u64 ring_stale;

	u64 chains_cut; /* of the index, whose memory somebody else wrote to */
};

#endif
