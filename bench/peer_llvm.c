/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * LLVM 14's sanitizer depot, out of the archive of the stand-alone undefined behaviour sanitizer.
 *
 * The archive has no C interface, so its C++ functions are declared by their mangled names. Their
 * arguments are small plain structures, which C and C++ pass alike on x86-64.
 *
 * It compares 64 bits of hash instead of frames, never evicts, and knows no references.
 */
#include <stddef.h>
#include <stdint.h>

#include "peer.h"

struct llvm_stack_trace {
	const uintptr_t *trace;
	uint32_t size;
	uint32_t tag;
};

extern uint32_t
llvm_put(struct llvm_stack_trace trace) __asm__("_ZN11__sanitizer13StackDepotPutENS_10StackTraceE");
extern struct llvm_stack_trace llvm_get(uint32_t id) __asm__("_ZN11__sanitizer13StackDepotGetEj");
extern void llvm_unmap(void) __asm__("_ZN11__sanitizer23StackDepotTestOnlyUnmapEv");

extern const struct peer_ops peer_ops;

static int llvm_init(void)
{
	return 0;
}

static uint32_t llvm_save(const uintptr_t *frames, unsigned int nr)
{
	return llvm_put((struct llvm_stack_trace){.trace = frames, .size = nr});
}

static unsigned int llvm_fetch(uint32_t id, const uintptr_t **ret_frames)
{
	struct llvm_stack_trace trace = llvm_get(id);

	*ret_frames = trace.trace;
	return trace.size;
}

/*
 * No .bytes: StackDepotGetStats() leaves out the hash table of 4 MiB and counts address space that
 * was reserved and never touched. What the process grows by has both right.
 */
const struct peer_ops peer_ops = {
	.name = "LLVM 14",
	.max_frames = 255,
	.init = llvm_init,
	.save = llvm_save,
	.fetch = llvm_fetch,
	.reset = llvm_unmap,
};
