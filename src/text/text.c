/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* text.c - for people. */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/wait.h>

#include "base/clean.h"
#include "base/memory.h"
#include "number.h"
#include "profile/alive.h"
#include "profile/heaps.h"
#include "text.h"

#define NAME_SHOWN 100u /* as it is */
#define NAME_LIMIT 500u /* shortened */
#define BOLD "\033[1m"
#define DIM "\033[2m"
#define PLAIN "\033[0m"

void text_heading(const struct text_style *style, const char *format, ...)
{
	va_list list;

	fputs(style->colour ? BOLD : "", stdout);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	puts(style->colour ? PLAIN : "");
}

void text_name(FILE *out, const char *name)
{
	clean_write(out, name);
}

/* Without what is in template arguments: of the outermost ones <...> is left. */
static void text_shorten(const char *name, char *text)
{
	size_t depth = 0, used = 0;
	const char *at;

	for (at = name; *at; at++) {
		bool arrow = at > name && (at[-1] == '-' || at[-1] == '=');
		bool is_operator = at - name >= 8 && !memcmp(at - 8, "operator", 8);

		if (*at == '<' && !is_operator && depth++ == 0)
			used += (size_t)sprintf(text + used, "<...>");
		else if (*at == '>' && depth && !arrow)
			depth--;
		else if (!depth)
			text[used++] = *at;
	}
	text[used] = '\0';
}

/* Of a long name of C++ or Rust the arguments of templates go first, then its end. */
static void text_function(FILE *out, const char *name)
{
	char *text;

	if (strlen(name) <= NAME_SHOWN) {
		text_name(out, name);
		return;
	}
	text = memory_alloc(5 * strlen(name) + 1);
	text_shorten(name, text);
	if (strlen(text) > NAME_LIMIT)
		strcpy(text + clean_fit(text, NAME_LIMIT - 3), "...");
	text_name(out, text);
	free(text);
}

void text_where(FILE *out, const struct symbol_frame *frame, const struct symbol_line *line)
{
	if (line->function) {
		text_function(out, line->function);
		return;
	}
	if (frame->in) {
		text_name(out, frame->in->label);
		putc('+', out);
	}
	fprintf(out, "0x%llx", (unsigned long long)frame->offset);
}

static void text_line(FILE *out, const struct text_style *style, const struct symbol_frame *frame,
		      const struct symbol_line *line)
{
	fputs("    ", out);
	text_where(out, frame, line);
	fputs(style->colour ? DIM : "", out);
	if (line->file) {
		fputs("  ", out);
		text_name(out, line->file);
		if (line->line)
			fprintf(out, ":%d", line->line);
	} else if (line->function && frame->in) {
		fputs("  in ", out);
		text_name(out, frame->in->name);
	}
	if (line->inlined)
		fputs(" (inlined)", out);
	fprintf(out, "%s\n", style->colour ? PLAIN : "");
}

void text_trace(FILE *out, const struct text_style *style, const struct profile_trace *trace)
{
	unsigned int i;
	size_t j;

	if (!trace->nr)
		fprintf(out, "    (%s)\n",
			trace->evicted ? "its stack was evicted" : "stack not known");
	for (i = 0; i < trace->nr && i < style->frame_limit; i++) {
		const struct symbol_frame *frame = symbols_frame(trace->frames[i]);

		for (j = 0; j < frame->nr; j++)
			text_line(out, style, frame, &frame->lines[j]);
	}
	if (i < trace->nr)
		fprintf(out, "    ... %u more\n", trace->nr - i);
}

void text_command(FILE *out, const struct stackdepot_store_info *info)
{
	char text[sizeof(info->command)];
	uint32_t i, nr = info->command_bytes ? info->command_bytes - 1 : 0;

	for (i = 0; i < nr; i++)
		text[i] = info->command[i] ? info->command[i] : ' ';
	text[i] = '\0';
	text_name(out, text);
}

const char *text_state(const struct stackdepot_store_info *info)
{
	static const char *const states[] = {
		[STACKDEPOT_STORE_RUNNING] = "running",	  [STACKDEPOT_STORE_EXITED] = "exited",
		[STACKDEPOT_STORE_ENDED] = "ended",	  [STACKDEPOT_STORE_REPLACED] = "replaced",
		[STACKDEPOT_STORE_VANISHED] = "vanished",
	};

	if (!info->state || info->state > STACKDEPOT_STORE_VANISHED)
		return "unknown";
	return states[info->state];
}

const char *text_mode(const struct stackdepot_store_info *info)
{
	static const char *const modes[] = {
		[STACKDEPOT_MODE_FULL] = "full",
		[STACKDEPOT_MODE_SAMPLE] = "sample",
		[STACKDEPOT_MODE_OFF] = "off",
		[STACKDEPOT_MODE_OVERHEAD] = "overhead",
	};

	return info->mode && info->mode <= STACKDEPOT_MODE_OVERHEAD ? modes[info->mode] : "unknown";
}

void text_end(FILE *out, const struct stackdepot_store_info *info)
{
	int status = (int)info->wait_status;

	if (info->state == STACKDEPOT_STORE_ENDED && WIFEXITED(status))
		fprintf(out, "exited with status %d", WEXITSTATUS(status));
	else if (info->state == STACKDEPOT_STORE_ENDED && WIFSIGNALED(status))
		fprintf(out, "killed by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else if (info->state == STACKDEPOT_STORE_EXITED)
		fputs("exited", out);
	else if (info->state == STACKDEPOT_STORE_REPLACED)
		fputs("replaced by exec, its objects with it", out);
	else
		fputs(alive_is_running(info) ? "running" : "ended without notice", out);
	if (info->flags & STACKDEPOT_STORE_UNRECORDED)
		fputs(", not recorded", out);
}

/* The share that was to be kept, the one that was, and how that went. */
static void text_overhead(FILE *out, const struct stackdepot_store_info *info)
{
	char now[TEXT_BYTES], most[TEXT_BYTES];

	fprintf(out, "Recording may take %g %% of the CPU time", (double)info->mode_value / 1000);
	if (info->cpu_ns)
		fprintf(out, " and took %.2g %%",
			100 * (double)info->recorder_ns / (double)info->cpu_ns);
	if (info->sample_now_bytes)
		fprintf(out, ": sampled, one object in %s on average now, in %s at most",
			text_bytes((double)info->sample_now_bytes, now),
			text_bytes((double)info->sample_bytes, most));
	else
		fprintf(out, ": every object is recorded now, one in %s at most before",
			text_bytes((double)info->sample_bytes, most));
	fputs("; figures are estimates.\n", out);
}

static void text_sampled(FILE *out, const struct stackdepot_store_info *info)
{
	char text[TEXT_BYTES];

	if (info->flags & STACKDEPOT_STORE_OFF)
		fputs("Recording was off for some time: what was allocated then is not known.\n",
		      out);
	if (info->mode == STACKDEPOT_MODE_OVERHEAD)
		text_overhead(out, info);
	else if (info->mode != STACKDEPOT_MODE_SAMPLE && info->thinnings)
		fprintf(out,
			"The table of live objects filled up, so objects are sampled, one in %s "
			"now: figures are estimates.\n",
			text_bytes((double)info->sample_now_bytes, text));
	else if (info->sample_now_bytes)
		fprintf(out, "Sampled, one object in %s on average: figures are estimates.\n",
			text_bytes((double)info->sample_now_bytes, text));
	else if (info->sample_bytes)
		fprintf(out,
			"Sampled before, one object in %s on average at most: figures are "
			"estimates.\n",
			text_bytes((double)info->sample_bytes, text));
}

/* Programs that were started without a recorder that began, all in one line. */
static void text_starts(FILE *out, const char *prefix, struct stackdepot_store *store)
{
	struct stackdepot_start start;
	uint64_t position = 0;
	bool first = true;

	while (stackdepot_store_next_start(store, &position, &start)) {
		const char *reason = stackdepot_start_reason(start.reason);

		if (!start.missing)
			continue;
		fprintf(out, "%s%s%u x ", first ? prefix : "", first ? "Not recorded: " : ", ",
			start.missing);
		text_name(out, start.path);
		fprintf(out, " (%s)", *reason ? reason : "its recorder did not begin");
		first = false;
	}
	if (!first)
		fputs("; nor what these started without it.\n", out);
}

static void text_notes_of(FILE *out, const char *prefix, struct stackdepot_store *store)
{
	struct stackdepot_note note;
	uint64_t position = 0;

	while (stackdepot_store_next_note(store, &position, &note)) {
		fputs(prefix, out);
		text_name(out, note.text);
		if (note.count > 1)
			fprintf(out, " (%u times)", note.count);
		fputs("\n", out);
	}
}

void text_notes(FILE *out, const char *prefix, const struct profile *profile)
{
	char text[TEXT_BYTES];
	size_t i;

	for (i = 0; i < profile->nr_stores; i++)
		text_notes_of(out, prefix, profile->stores[i].store);
	if (profile->info.notes_dropped)
		fprintf(out, "%sMessages of the recorder not shown, for want of room: %s.\n",
			prefix, text_count((double)profile->info.notes_dropped, text));
}

void text_unrecorded(FILE *out, const char *prefix, const struct profile *profile)
{
	char text[TEXT_BYTES];
	size_t i;

	for (i = 0; i < profile->nr_stores; i++)
		text_starts(out, prefix, profile->stores[i].store);
	if (profile->info.starts_dropped)
		fprintf(out,
			"%sPrograms started and not noted, for want of room: %s; whether they were "
			"recorded is not known.\n",
			prefix, text_count((double)profile->info.starts_dropped, text));
}

/* Limits that were met. */
static void text_limits(FILE *out, const struct stackdepot_store_info *info)
{
	char text[TEXT_BYTES];

	if (info->modules_dropped)
		fprintf(out, "At least %s loaded %s not noted: their frames show as addresses.\n",
			text_count((double)info->modules_dropped, text),
			info->modules_dropped == 1 ? "file was" : "files were");
	if (info->errors_dropped)
		fprintf(out, "%s of the errors seen found no room: they are counted only.\n",
			text_count((double)info->errors_dropped, text));
}

static void text_unseen(FILE *out, const struct profile *profile)
{
	struct heaps heaps;
	double beside;
	char text[TEXT_BYTES];
	size_t i;

	heaps_unseen(profile, &heaps);
	beside = heaps.nr ? heaps_beside(profile) : 0;
	for (i = 0; i < heaps.nr; i++) {
		const struct heap *heap = &heaps.heap[i];

		fputs(heap->hidden ? "There is an allocator of its own in " : "The heap of ", out);
		text_name(out, heap->hidden ? heap->module : heap->allocator);
		fputs(heap->hidden ? ", " : " in ", out);
		text_name(out, heap->hidden ? heap->allocator : heap->module);
		fputs(heap->hidden
			      ? ", by the signs in the file: what goes through functions that are "
				"not exported is not seen.\n"
			      : " is not seen: it is missing here.\n",
		      out);
	}
	if (heaps.more)
		fputs("There was no room for the names of more heaps that are not seen.\n", out);
	if (beside > 0)
		fprintf(out,
			"About %s of anonymous memory is not among the live objects, an estimate: "
			"what is not seen, and stacks, data, allocators' reserves.\n",
			text_bytes(beside, text));
}

void text_caveats(FILE *out, const struct profile *profile)
{
	const struct stackdepot_store_info *info = &profile->info;
	char text[TEXT_NUMBER];

	if (profile->peak)
		fputs("Live is what was when each process had the most, more or less: `report "
		      "peak` says how near.\n",
		      out);
	text_sampled(out, info);
	text_unseen(out, profile);
	if (info->flags & STACKDEPOT_STORE_UNSEEN)
		fputs("Memory that is recorded changes hands unseen too: what was found behind "
		      "objects is in doubt, and some that are shown as live may be freed.\n",
		      out);
	if (info->unrecorded)
		fprintf(out,
			"%s found no room in the table, missing here: figures are estimates.\n",
			text_number((double)info->unrecorded, "object", text));
	if (info->processes_dropped)
		fprintf(out,
			"%s more %s not recorded: there were too many at a time for a store of "
			"this size.\n",
			text_count((double)info->processes_dropped, text),
			info->processes_dropped == 1 ? "process was" : "processes were");
	if (profile->is_part)
		fputs("Allocations are counted for all processes together, and are not shown for "
		      "some of them.\n",
		      out);
	text_limits(out, info);
	text_notes(out, "", profile);
	text_unrecorded(out, "", profile);
	if (profile->nr_processes == 1 && (info->flags & STACKDEPOT_STORE_CHILD))
		fprintf(out, "Forked from process %u, which has the objects older than the fork.\n",
			info->parent);
}

/* Code that was moved or replaced since a trace was recorded may have another name by now. */
static void text_code_time(FILE *out, const struct profile *profile)
{
	time_t latest = 0;
	char when[64];
	struct tm tm;
	size_t i;

	for (i = 0; i < profile->nr_stores; i++)
		if (profile->stores[i].code_time > latest)
			latest = profile->stores[i].code_time;
	if (latest && localtime_r(&latest, &tm) && strftime(when, sizeof(when), "%F %T", &tm))
		fprintf(out, "\nNames of code that the program made ([jit]) are as of %s.", when);
}

void text_processes(FILE *out, const struct profile *profile)
{
	const size_t running = profile_running(profile), replaced = profile_replaced(profile);
	const size_t all = profile->info.processes, nr = all - replaced;

	if (all > 1)
		fprintf(out, "%zu %s, %zu of them running", nr, nr == 1 ? "process" : "processes",
			running);
	if (replaced)
		fprintf(out, ", %zu %s replaced by exec", replaced,
			replaced == 1 ? "program" : "programs");
	if (all > 1)
		fputs("; the first, ", out);
	fprintf(out, "process %u, ", profile->processes[0].info.pid);
	text_end(out, &profile->processes[0].info);
	text_code_time(out, profile);
}

void text_head(const struct profile *profile)
{
	text_command(stdout, &profile->info);
	puts("");
	text_processes(stdout, profile);
	puts("");
	text_caveats(stdout, profile);
	puts("");
}

const char *text_verb(const struct stackdepot_error *error)
{
	switch (error->kind) {
	case STACKDEPOT_DOUBLE_FREE:
	case STACKDEPOT_INVALID_FREE:
		return "Free";
	case STACKDEPOT_HEAP_OVERFLOW:
	case STACKDEPOT_WRITE_AFTER_FREE:
		return "Write";
	case STACKDEPOT_CRASH:
		return "Signal";
	}
	if (error->flags & STACKDEPOT_ERROR_WRITE)
		return "Write";
	return error->flags & STACKDEPOT_ERROR_READ ? "Read" : "Access";
}

bool text_is_late(const struct stackdepot_error *error)
{
	return error->kind == STACKDEPOT_HEAP_OVERFLOW ||
	       error->kind == STACKDEPOT_WRITE_AFTER_FREE;
}
