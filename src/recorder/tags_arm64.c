/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * tags_arm64.c - tags are given, changed and taken.
 *
 * Which pages can have tags only the kernel knows, and it may forget: an allocator unmaps pages and
 * maps others there. So each tag is read back after it was written; where it did not stay the pages
 * are asked for with tags, and it is written again. What cannot have any (it is of a file, or a
 * filter forbids the call) stays without: so does its pointer.
 *
 * The pages of an object are the program's to write, so nothing else is changed of them. Of the
 * main heap more are asked for at once, up to the next 64 KiB, as long as every object is seen and
 * so those pages are known to be nobody's. Where pages with tags lie among others the kernel needs
 * mappings for both, of which a process may have 65,530: their number has a bound.
 *
 * Facts of Linux that this rests on (Documentation/arch/arm64/memory-tagging-extension.rst):
 * PROT_MTE, once given, stays with later mprotect(); new pages have tag 0, and so have those that
 * madvise() gave back; a store of tags to pages without them does nothing, and they read as 0.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "elf_module.h"
#include "filter.h"
#include "live_table.h"
#include "recorder.h"
#include "sample.h"
#include "say.h"
#include "tags.h"

#define TAGS_HWCAP2 (1ul << 18)
#define TAGS_PROTECTION (PROT_READ | PROT_WRITE | 0x20 /* PROT_MTE */)
#define TAGS_SET_CONTROL 55 /* PR_SET_TAGGED_ADDR_CTRL */
#define TAGS_CONTROL_ADDRESSES 1ul
#define TAGS_CONTROL_SYNC 2ul
#define TAGS_CONTROL_ASYNC 4ul
#define TAGS_CONTROL_TAGS (0xfffeul << 3) /* all but 0 */

#define TAGS_AHEAD ((uintptr_t)64 << 10)
#define TAGS_ISLANDS 8192u /* pages with tags among others */
#define TAGS_REGION_SHIFT 26
#define TAGS_REGIONS 64u
#define TAGS_LASTS (64u << 10)

bool tags_in_use;
uint32_t tags_stopped;
uint8_t *tags_notes;
__thread bool tags_held __attribute__((tls_model("initial-exec")));

/* The tag that an address had last, as far as no other one has the same place. */
static uint8_t tags_last[TAGS_LASTS];
static uintptr_t tags_edge[TAGS_REGIONS]; /* where the pages with tags of a part of memory end */
static unsigned long tags_mode_asked;	  /* of the kernel */
static uint32_t tags_islands;
static uint32_t tags_refused;
static uintptr_t heap_low;  /* of the main heap, the part that came after us */
static uintptr_t heap_high; /* and where the last object that was ever there ended */

/* --- instructions ----------------------------------------------------------------------------- */

/* As numbers: not every assembler knows them, and to tell it to would let it use others, too. */
static inline void *tag_random(const void *pointer, uint64_t exclude)
{
	register const void *tagged __asm__("x0") = pointer;
	register uint64_t mask __asm__("x1") = exclude;

	__asm__ volatile(".inst 0x9ac11000 /* irg x0, x0, x1 */" : "+r"(tagged) : "r"(mask));
	return (void *)(uintptr_t)tagged;
}

/* Of so many bytes, whole granules: the tag of the pointer. */
static inline void tag_store(void *pointer, size_t bytes)
{
	register char *at __asm__("x0") = pointer;
	const char *end = (const char *)pointer + bytes;

	while (end - at >= (ptrdiff_t)(2 * TAGS_GRANULE))
		__asm__ volatile(".inst 0xd9a02400 /* st2g x0, [x0], #32 */" : "+r"(at)::"memory");
	if (at < end)
		__asm__ volatile(".inst 0xd9200800 /* stg x0, [x0] */" ::"r"(at) : "memory");
}

static inline void *tag_load(const void *pointer)
{
	register const void *tagged __asm__("x0") = pointer;

	__asm__ volatile(".inst 0xd9600000 /* ldg x0, [x0] */" : "+r"(tagged)::"memory");
	return (void *)(uintptr_t)tagged;
}

unsigned int tags_memory(const void *pointer)
{
	return tags_of(tag_load(pointer));
}

bool tags_match(const void *pointer)
{
	return tag_load(pointer) == pointer;
}

static void *tags_none(const void *pointer)
{
	return (void *)((uintptr_t)pointer & TAGS_ADDRESS);
}

/* --- pages that can have tags ----------------------------------------------------------------- */

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(uintptr_t)(STORE_PAGE_BYTES - 1);
}

/* Is that in the main heap, as far as we know it? */
static bool heap_has(uintptr_t address)
{
	return address >= heap_low && address <= (uintptr_t)sbrk(0);
}

static void heap_reach(const void *pointer, size_t size)
{
	const uintptr_t end = (uintptr_t)pointer + size;

	if (unlikely(end > load_relaxed(&heap_high)) && heap_has(end))
		store_relaxed(&heap_high, end);
}

/* Of the main heap, pages that nobody had yet. */
static uintptr_t pages_ahead(uintptr_t end)
{
	const uintptr_t ahead = (end + TAGS_AHEAD - 1) & ~(TAGS_AHEAD - 1);
	const uintptr_t heap_end = page_of((uintptr_t)sbrk(0));

	if (!sample_is_full() || end < load_relaxed(&heap_high) || !heap_has(end))
		return end;
	return ahead < heap_end ? ahead : heap_end;
}

/* Do they go on where others end? If not, is there room for two mappings more? */
static bool pages_may_be_tagged(uintptr_t start, uintptr_t end)
{
	uintptr_t *edge = &tags_edge[(start >> TAGS_REGION_SHIFT) % TAGS_REGIONS];
	const uintptr_t before = load_relaxed(edge);

	if (before < start || before > end) {
		if (load_relaxed(&tags_islands) >= TAGS_ISLANDS)
			return false;
		(void)fetch_add_relaxed(&tags_islands, 1);
	}
	store_relaxed(edge, end);
	return true;
}

static bool pages_tag(const void *pointer, size_t bytes)
{
	const uintptr_t address = (uintptr_t)tags_none(pointer), start = page_of(address);
	const uintptr_t end = pages_ahead(page_of(address + bytes - 1) + STORE_PAGE_BYTES);
	const int saved_errno = errno;
	bool done = filter_allows(FILTER_TAGS) && pages_may_be_tagged(start, end) &&
		    !raw_call(SYS_mprotect, start, end - start, TAGS_PROTECTION);

	errno = saved_errno;
	return done;
}

/* --- tags of objects -------------------------------------------------------------------------- */

bool tags_wants(const struct real *below, size_t size)
{
	return tags_on() && size < TAGS_LARGE && below->tags && below->patched;
}

/* An object of no bytes has a granule, for its address to be nobody else's. */
static size_t tags_bytes(size_t size)
{
	return size ? size + tags_slack(size) : TAGS_GRANULE;
}

size_t tags_request(size_t size)
{
	return tags_bytes(size) + 8;
}

/* Is it there, on each of its pages? */
static bool tags_stay(const void *pointer, size_t bytes)
{
	const char *at = pointer, *end = at + bytes;

	do {
		if (!tags_match(at))
			return false;
		at = (const char *)page_of((uintptr_t)at) + STORE_PAGE_BYTES;
	} while (at < end);
	return true;
}

static bool tags_set(void *pointer, size_t bytes)
{
	tag_store(pointer, bytes);
	if (likely(tags_stay(pointer, bytes)))
		return true;
	if (pages_tag(pointer, bytes)) {
		tag_store(pointer, bytes);
		if (tags_stay(pointer, bytes))
			return true;
	}
	tag_store(tags_none(pointer), bytes);
	if (!fetch_add_relaxed(&tags_refused, 1))
		say("some memory cannot have tags: what lies there is not checked", NULL);
	return false;
}

/* Another tag than that of the pointer, than 0, and than the one given. */
static void *tags_other(void *pointer, unsigned int tag)
{
	return tag_random(pointer, 1u | 1u << tag | 1u << tags_of(pointer));
}

static uint8_t *tags_last_of(const void *pointer)
{
	const uintptr_t granule = tags_address(pointer) / TAGS_GRANULE;

	return &tags_last[(granule ^ granule >> 16) % TAGS_LASTS];
}

void *tags_give(const struct real *below, void *pointer, size_t size)
{
	uint8_t *last;
	void *tagged;

	if (!tags_on())
		return pointer;
	heap_reach(pointer, size);
	if (!tags_wants(below, size) || load_relaxed(&tags_stopped))
		return pointer;
	last = tags_last_of(pointer);
	tagged = tags_other(pointer, load_relaxed(last));
	/* The program may have left no tags but the last one to be drawn. */
	if (!tags_of(tagged) || !tags_set(tagged, tags_bytes(size)))
		return pointer;
	store_relaxed(last, (uint8_t)tags_of(tagged));
	return tagged;
}

void tags_change(void *pointer, size_t size)
{
	void *other = tags_other(pointer, tags_of(pointer));

	if (tags_of(pointer))
		tag_store(other, tags_bytes(size));
}

/*
 * How many bytes from here on have one tag. The allocator says where the block ends, and behind an
 * object of glibc's is a granule with tag 0.
 */
static size_t tags_length(const struct real *below, void *address)
{
	const size_t room = below->usable ? real_usable(below, address) : 0;
	const void *tag = tag_load(address);
	size_t bytes = 0;

	while (bytes + TAGS_GRANULE <= room &&
	       tag_load((char *)address + bytes) == (const char *)tag + bytes)
		bytes += TAGS_GRANULE;
	return bytes;
}

/*
 * Is what lies before it of the same object? glibc has a header there, jemalloc the end of another
 * block, but nothing before the first one of a page.
 */
static bool tags_begin_before(const struct real *below, const void *address)
{
	if (!below->tight && page_of((uintptr_t)address) == (uintptr_t)address)
		return false;
	return tags_memory((const char *)address - TAGS_GRANULE);
}

void *tags_take(const struct real *below, void *pointer, size_t *ret_bytes)
{
	void *address = (void *)tags_address(pointer);

	*ret_bytes = 0;
	if (!tags_on() || !address || (uintptr_t)address % TAGS_GRANULE || tags_match(address))
		return address;
	/* What is inside of an object is not the allocator's to take, and no tag of it changes. */
	if (tags_begin_before(below, address))
		return address;
	*ret_bytes = tags_length(below, address);
	tag_store(address, *ret_bytes);
	return address;
}

void tags_give_back(void *pointer, size_t bytes)
{
	if (tags_of(pointer))
		tag_store(pointer, bytes);
}

/* --- pages that are given back ---------------------------------------------------------------- */

/*
 * Their tags go with them. The pointer that the program has is still good, so they come back; where
 * the kernel would have taken its time, it may not.
 */
EXPORT int madvise(void *pointer, size_t bytes, int advice)
{
	static int (*next)(void *, size_t, int);
	int result;

	if (!next)
		*(void **)&next = elf_next("madvise");
	if (advice == MADV_FREE && tags_of(pointer))
		advice = MADV_DONTNEED;
	result = next(pointer, bytes, advice);
	if (!result && advice == MADV_DONTNEED && tags_of(pointer))
		tag_store(pointer, bytes + tags_slack(bytes));
	return result;
}

/* --- threads ---------------------------------------------------------------------------------- */

void tags_hold(bool hold)
{
	tags_held = hold;
	if (hold)
		tags_pause();
	else
		tags_resume();
}

void tags_stop(uint32_t reason, bool stop)
{
	if (!tags_on())
		return;
	if (stop) {
		(void)__atomic_fetch_or(&tags_stopped, reason, __ATOMIC_RELAXED);
		tags_pause();
	} else {
		(void)__atomic_fetch_and(&tags_stopped, ~reason, __ATOMIC_RELAXED);
		tags_resume();
	}
}

/* --- the start -------------------------------------------------------------------------------- */

static const char *tags_trouble(void)
{
	if (!(getauxval(AT_HWCAP2) & TAGS_HWCAP2))
		return "this processor, or its kernel, has none (arm64's MTE)";
	if (!real_next->tags || !real_next->patched)
		return "the program's allocator is neither the C library's nor jemalloc";
	if (!__libc_single_threaded)
		return "the program had threads before";
	return NULL;
}

static bool tags_control(unsigned long mode)
{
	tags_mode_asked = TAGS_CONTROL_ADDRESSES | mode;
	return !raw_call(SYS_prctl, TAGS_SET_CONTROL, tags_mode_asked | TAGS_CONTROL_TAGS, 0, 0, 0);
}

/* It may have more, and draw fewer tags at random. */
long tags_asked(long option, long control)
{
	return option == TAGS_SET_CONTROL && tags_on() ? control | (long)tags_mode_asked : control;
}

/* What the kernel is asked for: the other one too, where it may choose, and it knows that. */
static bool tags_ask(enum tags_mode mode)
{
	if (mode == TAGS_AUTO && tags_control(TAGS_CONTROL_SYNC | TAGS_CONTROL_ASYNC))
		return true;
	return tags_control(mode == TAGS_ASYNC ? TAGS_CONTROL_ASYNC : TAGS_CONTROL_SYNC);
}

static bool tags_make_notes(void)
{
	const size_t bytes = (size_t)recorder.layout.buckets * STORE_BUCKET_ENTRIES;
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return false;
	tags_notes = memory;
	recorder_count_tool((int64_t)bytes);
	return true;
}

void tags_setup(void)
{
	const char *trouble;

	if (recorder.options.tags == TAGS_OFF)
		return;
	trouble = tags_trouble();
	if (!trouble && !tags_make_notes())
		trouble = "no memory for them";
	if (!trouble && !tags_ask(recorder.options.tags))
		trouble = "the kernel refuses them";
	if (trouble) {
		say("no tags: ", trouble, NULL);
		return;
	}
	recorder.options.guard_interval = 0;
	heap_low = heap_high = page_of((uintptr_t)sbrk(0));
	store_release(&tags_in_use, true);
}
