/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* patch.h - what patch.c asks of a processor. */
#ifndef PATCH_H
#define PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATCH_SLOT_BYTES 192u
#define PATCH_BRANCH_BYTES 8u /* room for the branch that goes into a function */

struct hook;
struct real;

struct patch {
	uint8_t *function;
	size_t bytes;		/* of the function */
	uint8_t *entry;		/* where the branch goes: behind what marks a target of branches */
	unsigned int displaced; /* bytes of instructions it displaces */
	const void *hook;
	uint8_t *slot;		  /* goes on to the hook, unless the allocator is calling itself */
	uint8_t *original;	  /* in the slot: the function as it was */
	const struct hook *row;	  /* NULL: no allocator's, and the hook is called as it is */
	const struct real *below; /* of the allocator whose function this is */
	/*
	 * It is handed a block of the C library's, or one that is guarded, and none of its. Who
	 * left the allocator by exit() in a signal handler is in it for ever. So the hook looks
	 * whether the thread is in the allocator; of other functions the slot does.
	 */
	bool looks;
};

/* How far a slot may be from the function. */
extern const size_t patch_reach_bytes;

/* Fill in entry and displaced; false if the function cannot be patched. Changes nothing. */
bool patch_look(struct patch *patch);
/* Write the slot, in memory that is not yet executable, and set `original`. False if it cannot be
 * done, or does not fit. */
bool patch_fill(struct patch *patch, const uintptr_t *inside);
/* mprotect(), by an instruction of our own: the C library's may lie in the page concerned. */
bool patch_protect(uintptr_t address, size_t bytes, int protection);
/* The branch from entry to slot; its length. */
size_t patch_branch(const struct patch *patch, uint8_t branch[PATCH_BRANCH_BYTES]);

struct elf_module;

/*
 * Send all functions of the module that the table names to the hooks, and make `below` what they
 * were. The bytes of memory that took; or 0, nothing is changed, and *ret_trouble says why, or at
 * which function. Only while there is one thread.
 */
size_t patch_module(const struct elf_module *module, struct real *below, const char **ret_trouble);

/*
 * Send one function, which is at the address, to the hook, so that what is called inside of its
 * file comes there, too. What it was, or NULL: nothing is changed. Only while there is one thread.
 */
void *patch_function(const struct elf_module *module, const char *name, const void *address,
		     const void *hook);

/* Code as it is written, one piece after the other. */
struct patch_writer {
	uint8_t *at;
	uint8_t *end;
	bool failed;
};

void patch_put(struct patch_writer *writer, const void *bytes, size_t nr);
void patch_put_word(struct patch_writer *writer, uint32_t word);
void patch_put_address(struct patch_writer *writer, uintptr_t address);

#endif
