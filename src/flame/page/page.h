/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* page.h - the pages around their data, see build.mjs; all are empty if they were not built. */
#ifndef PAGE_H
#define PAGE_H

extern const char flame_page_head[];
extern const char flame_page_tail[];
extern const char agent_page_head[]; /* of `stackdepot agent` */
extern const char agent_page_tail[];

#endif
