/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* page.h - the page around its data, see build.mjs; both are empty if it was not built. */
#ifndef PAGE_H
#define PAGE_H

extern const char flame_page_head[];
extern const char flame_page_tail[];

#endif
