/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#define UNW_LOCAL_ONLY
#ifdef HAVE_LIBUNWIND
#include <libunwind.h>
#endif
#include <dlfcn.h>
#include <string.h>
#include <unwind.h>

#include "opinions.h"

const char *const second_names[SECONDS] = {"agrees", "guesses", "shorter", "differs"};

/* Exported by libgcc, declared in none of its headers. */
struct dwarf_eh_bases {
	void *text, *data, *function;
};
const void *_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *ret_bases);

const void *opinion_function(uintptr_t pc)
{
	struct dwarf_eh_bases bases;

	return _Unwind_Find_FDE((void *)pc, &bases) ? bases.function : NULL;
}

/* In a static program there is but the program. */
static bool is_libgcc(void *function)
{
	Dl_info info;

	return !dladdr(function, &info) || !info.dli_fname || !strstr(info.dli_fname, "libunwind");
}

bool opinion_setup(void)
{
	return is_libgcc((void *)_Unwind_Backtrace) && is_libgcc((void *)_Unwind_GetIP) &&
	       is_libgcc((void *)_Unwind_GetCFA);
}

/* --- libgcc ----------------------------------------------------------------------------------- */

struct collection {
	uintptr_t sp;
	unsigned int skip;
	unsigned int size;
	bool begun;
	struct opinion *opinion;
};

/* False: enough. */
static bool collect(struct collection *c, uintptr_t pc)
{
	struct opinion *opinion = c->opinion;

	if (!pc) {
		opinion->ended = true;
		return false;
	}
	if (c->skip)
		c->skip--;
	else
		opinion->frames[opinion->nr++] = pc;
	return opinion->nr <= c->size;
}

/* In the callback the canonical frame address is that of the callee: this frame's sp. */
static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *argument)
{
	struct collection *c = argument;

	c->begun |= _Unwind_GetCFA(context) == c->sp;
	return !c->begun || collect(c, _Unwind_GetIP(context)) ? _URC_NO_REASON : _URC_END_OF_STACK;
}

void opinion_libgcc(uintptr_t sp, unsigned int skip, unsigned int size, struct opinion *ret_opinion)
{
	struct collection c = {sp, skip, size, sp == 0, ret_opinion};

	ret_opinion->nr = 0;
	ret_opinion->ended = false;
	_Unwind_Backtrace(on_frame, &c);
}

/* --- libunwind -------------------------------------------------------------------------------- */

#ifdef HAVE_LIBUNWIND
void opinion_libunwind(uintptr_t sp, unsigned int skip, unsigned int size,
		       struct opinion *ret_opinion)
{
	struct collection c = {sp, skip, size, sp == 0, ret_opinion};
	unw_word_t frame_pc, frame_sp;
	unw_context_t context;
	unw_cursor_t cursor;

	ret_opinion->nr = 0;
	ret_opinion->ended = false;
	unw_getcontext(&context);
	if (unw_init_local(&cursor, &context))
		return;
	do {
		if (unw_get_reg(&cursor, UNW_REG_IP, &frame_pc) ||
		    unw_get_reg(&cursor, UNW_REG_SP, &frame_sp))
			return;
		c.begun |= frame_sp == sp;
		if (c.begun && !collect(&c, frame_pc))
			return;
	} while (unw_step(&cursor) > 0);
}

enum second opinion_second(const struct opinion *opinion, const uintptr_t *frames, uint32_t nr)
{
	uint32_t common = opinion->nr < nr ? opinion->nr : nr;

	if (memcmp(opinion->frames, frames, common * sizeof(frames[0])))
		return SECOND_DIFFERS;
	if (opinion->nr <= nr)
		return opinion->nr < nr ? SECOND_SHORTER : SECOND_AGREES;
	if (!nr || opinion_function(frames[nr - 1]) || opinion_function(frames[nr - 1] - 1))
		return SECOND_DIFFERS;
	return SECOND_GUESSES;
}
#else
void opinion_libunwind(uintptr_t sp, unsigned int skip, unsigned int size,
		       struct opinion *ret_opinion)
{
	(void)sp;
	(void)skip;
	(void)size;
	ret_opinion->nr = 0;
	ret_opinion->ended = false;
}

enum second opinion_second(const struct opinion *opinion, const uintptr_t *frames, uint32_t nr)
{
	(void)opinion;
	(void)frames;
	(void)nr;
	return SECOND_ABSENT;
}
#endif
