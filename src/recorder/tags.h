/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * tags.h - hardware tags (arm64's MTE): a pointer has four bits more, and so have each 16 bytes of
 * memory that they are compared with at each access.
 *
 *	| object, whole granules: its tag | 8 bytes | header | the next object: its tag |
 *	                                    ^ one granule: tag 0
 *
 * The program gets pointers with tags, and hands them back. Here is what becomes of them:
 *
 * (a) Every key, in the table of live objects and in the ring, is the address without its tag. The
 *     tag lies beside it.
 * (b) The allocator below gets addresses without tags, and memory with tag 0: real.h sees to it.
 * (c) Tag 0 is nobody's: what the allocator keeps between objects has it, so a step over either
 *     edge of an object is a fault for certain.
 * (d) An object that is freed has another tag than its pointer, for as long as it waits in a
 *     quarantine and where it is the allocator's. When its address is given out again, the tag is
 *     not the one before.
 *
 * While the recorder is at work in an event, nothing is checked: it reads stacks, and what lies
 * behind objects.
 *
 * On processors without tags all of this is nothing. tags_arm64.c, tags_fault.c
 */
#ifndef RECORDER_TAGS_H
#define RECORDER_TAGS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct real;
struct recorder_thread;

enum tags_mode {
	TAGS_OFF,
	TAGS_SYNC,  /* a fault at the access */
	TAGS_ASYNC, /* later, without an address */
	TAGS_AUTO,  /* what the processor is quick at */
};

#define TAGS_MASK 15u
/* In a note: that something was written behind the object has been reported. */
#define TAGS_TOLD 0x80u

/* Why nothing is checked. */
enum tags_reason {
	TAGS_IGNORED = 1, /* the program ignores SIGSEGV */
	TAGS_LOST = 2,	  /* it takes the tags off its pointers */
};

/* As the options have it, if that can be done here; if not, a line says why. */
void tags_setup(void);

#define TAGS_LARGE ((size_t)128 << 10) /* from here on objects have no tags */

#if defined(__aarch64__)

#define TAGS_SHIFT 56
#define TAGS_ADDRESS ((1ull << TAGS_SHIFT) - 1)
#define TAGS_GRANULE ((size_t)16)

extern bool tags_in_use;      /* pointers may have tags, from the start to the end of the process */
extern uint32_t tags_stopped; /* nothing is checked: enum tags_reason */
extern uint8_t *tags_notes;   /* one for each entry of the table of live objects */
/* The thread could not take a fault: it blocks the signal. */
extern __thread bool tags_held __attribute__((tls_model("initial-exec")));

static inline bool tags_on(void)
{
	return __atomic_load_n(&tags_in_use, __ATOMIC_RELAXED);
}

/* The tag of a pointer; 0: it has none. */
static inline unsigned int tags_of(const void *pointer)
{
	return tags_on() ? (uintptr_t)pointer >> TAGS_SHIFT & TAGS_MASK : 0;
}

static inline uintptr_t tags_address(const void *pointer)
{
	const uintptr_t address = (uintptr_t)pointer;

	return tags_on() ? address & TAGS_ADDRESS : address;
}

/* Accesses of the calling thread are not checked from here on; and are again. */
static inline void tags_pause(void)
{
	if (tags_on())
		__asm__ volatile(".inst 0xd503419f /* msr tco, #1 */" ::: "memory");
}

static inline void tags_resume(void)
{
	if (tags_on() && !tags_held && !__atomic_load_n(&tags_stopped, __ATOMIC_RELAXED))
		__asm__ volatile(".inst 0xd503409f /* msr tco, #0 */" ::: "memory");
}

static inline void tags_note(size_t entry, unsigned int tag)
{
	if (tags_on())
		__atomic_store_n(&tags_notes[entry], (uint8_t)tag, __ATOMIC_RELAXED);
}

static inline unsigned int tags_noted(size_t entry)
{
	return tags_on() ? __atomic_load_n(&tags_notes[entry], __ATOMIC_RELAXED) : 0;
}

/* Is an object of this size to be tagged, and what is the allocator to be asked for then? */
bool tags_wants(const struct real *below, size_t size);
size_t tags_request(size_t size);
/* Bytes of the object's last granule that are not its own. */
static inline size_t tags_slack(size_t size)
{
	return -size & (TAGS_GRANULE - 1);
}

/*
 * Give a block that was asked for so a tag. The pointer for the program: without a tag if its
 * memory cannot have one.
 */
void *tags_give(const struct real *below, void *pointer, size_t size);
/* The object is freed: another tag. */
void tags_change(void *pointer, size_t size);
/* Of a pointer that may have a tag: what the allocator below is to get. *ret_bytes had the tag. */
void *tags_take(const struct real *below, void *pointer, size_t *ret_bytes);
/* It gave the block back as it was. */
void tags_give_back(void *pointer, size_t bytes);
/* Has the memory there the tag of the pointer? */
bool tags_match(const void *pointer);
unsigned int tags_memory(const void *pointer);

/* What a program asks for with prctl(), and what has to stay. */
long tags_asked(long option, long control);

/* --- threads and signals ---------------------------------------------------------------------- */

/* The calling thread cannot take a fault, until it says that it can. */
void tags_hold(bool hold);
/* Nobody is to take faults any more, each thread from its next event on; or again. */
void tags_stop(uint32_t reason, bool stop);
/* How a handler for this signal has to be asked for, for it to be told tags of addresses. */
unsigned long tags_signal_flags(int number);
/* The program asks for it so: give it what the kernel would have given. */
void tags_hide(int number, siginfo_t *info, unsigned long flags);
bool tags_is_fault(int number, const siginfo_t *info);
/* Report it, and let the access go on. `access` is what is known of it, of enum error flags. */
void tags_fault(struct recorder_thread *thread, const siginfo_t *info, void *context,
		unsigned int access);

#else

static inline bool tags_on(void)
{
	return false;
}

static inline unsigned int tags_of(const void *pointer)
{
	(void)pointer;
	return 0;
}

static inline uintptr_t tags_address(const void *pointer)
{
	return (uintptr_t)pointer;
}

static inline void tags_pause(void)
{
}

static inline void tags_resume(void)
{
}

static inline void tags_note(size_t entry, unsigned int tag)
{
	(void)entry;
	(void)tag;
}

static inline unsigned int tags_noted(size_t entry)
{
	(void)entry;
	return 0;
}

static inline bool tags_wants(const struct real *below, size_t size)
{
	(void)below;
	(void)size;
	return false;
}

static inline size_t tags_request(size_t size)
{
	return size;
}

static inline size_t tags_slack(size_t size)
{
	(void)size;
	return 0;
}

static inline void *tags_give(const struct real *below, void *pointer, size_t size)
{
	(void)below;
	(void)size;
	return pointer;
}

static inline void tags_change(void *pointer, size_t size)
{
	(void)pointer;
	(void)size;
}

static inline void *tags_take(const struct real *below, void *pointer, size_t *ret_bytes)
{
	(void)below;
	*ret_bytes = 0;
	return pointer;
}

static inline void tags_give_back(void *pointer, size_t bytes)
{
	(void)pointer;
	(void)bytes;
}

static inline bool tags_match(const void *pointer)
{
	(void)pointer;
	return true;
}

static inline unsigned int tags_memory(const void *pointer)
{
	(void)pointer;
	return 0;
}

static inline long tags_asked(long option, long control)
{
	(void)option;
	return control;
}

static inline void tags_hold(bool hold)
{
	(void)hold;
}

static inline void tags_stop(uint32_t reason, bool stop)
{
	(void)reason;
	(void)stop;
}

static inline unsigned long tags_signal_flags(int number)
{
	(void)number;
	return 0;
}

static inline void tags_hide(int number, siginfo_t *info, unsigned long flags)
{
	(void)number;
	(void)info;
	(void)flags;
}

static inline bool tags_is_fault(int number, const siginfo_t *info)
{
	(void)number;
	(void)info;
	return false;
}

static inline void tags_fault(struct recorder_thread *thread, const siginfo_t *info, void *context,
			      unsigned int access)
{
	(void)thread;
	(void)info;
	(void)context;
	(void)access;
}

#endif
#endif
