/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* nmi.h - NMIs on purpose, on CPU 0: x86's by its APIC, arm64's pseudo-NMIs by a GICv3. */
#ifndef STACKDEPOT_KUNIT_NMI_H
#define STACKDEPOT_KUNIT_NMI_H

#include <linux/types.h>

/* nmi_open() - from now on an NMI calls handler(data). False if this machine has none. */
bool nmi_open(void (*handler)(void *data), void *data);

/* nmi_raise() - raise one; it comes at once on CPU 0, soon if raised on another. */
void nmi_raise(void);

/* nmi_close() - no more NMIs. None is running when this returns. */
void nmi_close(void);

#endif
