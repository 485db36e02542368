/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* no_page.c - where the page could not be built. */
#include "page.h"

const char flame_page_head[] = "";
const char flame_page_tail[] = "";
const char agent_page_head[] = "";
const char agent_page_tail[] = "";
