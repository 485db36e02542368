/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* control.h - how a test turns the knobs of the fake kernel. Included on the C library's side. */
#ifndef TESTS_LINUX_FAKE_CONTROL_H
#define TESTS_LINUX_FAKE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

/* Frames outside of it are another context's. */
#define FAKE_IRQ_FRAME ((unsigned long)0xffff800000001240ull)

extern bool fake_in_nmi, fake_in_hardirq, fake_preemptible;
extern bool fake_booting;	/* there is one task only */
extern long fake_pages;		/* allocated and not freed */
extern long fake_pages_allowed; /* that may still be allocated; negative: any number */
extern unsigned int fake_warnings;
extern unsigned long fake_claims; /* calls of xchg() and atomic_inc_return() */
extern void *fake_early;	  /* what memblock_alloc() returned last */
extern long fake_early_allowed;	  /* calls of it that still succeed; negative: any number */

int fake_boot_param(const char *name, const char *value);
/* How often the text was printed to the kernel's log. */
unsigned int fake_said(const char *text);
extern unsigned long long fake_memory_bytes;
void fake_late_initcalls(void);
void fake_read_stats(char *buffer, size_t size);

#endif
