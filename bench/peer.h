/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Other depots to compare with. Each is a shared object of its own, built if what it is made from
 * is installed, and found beside the program.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct peer_ops - what a peer's shared object exports as peer_ops.
 * @name:       whose depot it is, and of which version.
 * @max_frames: longest trace it gets; longer ones are cut to their innermost frames.
 * @init:       called once after loading; 0, or -1 if the peer cannot work here.
 * @save:       the handle, 0 on failure.
 * @fetch:      for checking: number of frames, and where they are.
 * @put:        give back a reference that @save took; NULL if it takes none.
 * @bytes:      memory in use, as the peer itself counts it; of it @ret_table are its tables, which
 *              are as large for a few traces. NULL if it cannot tell: then its growth of the
 *              process is measured.
 * @check:      for checking: 0 if the peer's own account of what is in it has as many traces as
 *              @traces, saved by one thread and not given back, and explains @bytes. May be NULL.
 * @reset:      forget all traces, release all memory; NULL: unload and load the object instead.
 */
struct peer_ops {
	const char *name;
	unsigned int max_frames;
	int (*init)(void);
	uint32_t (*save)(const uintptr_t *frames, unsigned int nr);
	unsigned int (*fetch)(uint32_t handle, const uintptr_t **ret_frames);
	void (*put)(uint32_t handle);
	uint64_t (*bytes)(uint64_t *ret_table);
	int (*check)(uint32_t traces);
	void (*reset)(void);
};

/* struct peer - a peer that is loaded; ops is NULL while it is not. */
struct peer {
	const char *file;
	void *object;
	const struct peer_ops *ops;
};

/* peer_built() - whether there is such a file beside the program. */
bool peer_built(const char *file);

/* peer_load() - 0, or -1 if it was not built. */
int peer_load(struct peer *peer, const char *file);

/* peer_reset() - make it empty; 0, or -1 if that failed and the peer is lost. */
int peer_reset(struct peer *peer);

void peer_unload(struct peer *peer);

#endif
