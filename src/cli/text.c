/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* text.c - for people. */
#define _GNU_SOURCE
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include "cli.h"

#define NAME_SHOWN 100u
#define BOLD "\033[1m"
#define DIM "\033[2m"
#define PLAIN "\033[0m"

const char *text_bytes(double bytes, char *buffer)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;

	while (fabs(bytes) >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buffer, TEXT_BYTES, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
	return buffer;
}

/* Thousands are set apart. */
const char *text_count(double count, char *buffer)
{
	char digits[TEXT_BYTES];
	int length = snprintf(digits, sizeof(digits), "%.0f", count), i, out = 0;

	for (i = 0; i < length && out < TEXT_BYTES - 2; i++) {
		if (i && (length - i) % 3 == 0 && isdigit((unsigned char)digits[i - 1]))
			buffer[out++] = ',';
		buffer[out++] = digits[i];
	}
	buffer[out] = '\0';
	return buffer;
}

void text_heading(const struct report *report, const char *format, ...)
{
	va_list list;

	fputs(report->colour ? BOLD : "", stdout);
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	puts(report->colour ? PLAIN : "");
}

/* A name from a file is not to drive the terminal. */
static void text_name(FILE *out, const char *name)
{
	for (; *name; name++)
		putc(iscntrl((unsigned char)*name) ? '?' : *name, out);
}

/* Of a long C++ name the template arguments go first, outermost ones left as <...>. */
static void text_function(FILE *out, const char *name)
{
	size_t depth = 0, length = strlen(name);
	const char *at;

	if (length <= NAME_SHOWN) {
		text_name(out, name);
		return;
	}
	for (at = name; *at; at++) {
		bool arrow = at > name && (at[-1] == '-' || at[-1] == '=');
		bool is_operator = at - name >= 8 && !memcmp(at - 8, "operator", 8);

		if (*at == '<' && !is_operator && depth++ == 0)
			fputs("<...>", out);
		else if (*at == '>' && depth && !arrow)
			depth--;
		else if (!depth)
			putc(iscntrl((unsigned char)*at) ? '?' : *at, out);
	}
}

void text_where(FILE *out, const struct symbol_frame *frame, const struct symbol_line *line)
{
	if (line->function) {
		text_function(out, line->function);
		return;
	}
	if (frame->module) {
		text_name(out, frame->module);
		putc('+', out);
	}
	fprintf(out, "0x%llx", (unsigned long long)frame->offset);
}

static void text_line(FILE *out, const struct report *report, const struct symbol_frame *frame,
		      const struct symbol_line *line)
{
	fputs("    ", out);
	text_where(out, frame, line);
	fputs(report->colour ? DIM : "", out);
	if (line->file) {
		fputs("  ", out);
		text_name(out, line->file);
		if (line->line)
			fprintf(out, ":%d", line->line);
	} else if (line->function && frame->module) {
		fputs("  in ", out);
		text_name(out, frame->module);
	}
	if (line->inlined)
		fputs(" (inlined)", out);
	fprintf(out, "%s\n", report->colour ? PLAIN : "");
}

void text_frames(FILE *out, const struct report *report, const uint64_t *frames, unsigned int nr)
{
	unsigned int i;
	size_t j;

	for (i = 0; i < nr && i < report->frame_limit; i++) {
		const struct symbol_frame *frame = symbols_frame(report->symbols, frames[i]);

		for (j = 0; j < frame->nr; j++)
			text_line(out, report, frame, &frame->lines[j]);
	}
	if (i < nr)
		fprintf(out, "    ... %u more\n", nr - i);
}

void text_stack(const struct report *report, stackdepot_ref_t trace)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	int nr = trace ? stackdepot_fetch_ref(stackdepot_store_depot(report->store), trace, frames,
					      STACKDEPOT_MAX_FRAMES)
		       : 0;

	if (nr <= 0)
		puts(trace ? TEXT_EVICTED : TEXT_UNKNOWN);
	else
		text_frames(stdout, report, (const uint64_t *)frames, (unsigned int)nr);
}

void text_command(FILE *out, const struct stackdepot_store_info *info)
{
	uint32_t i;

	for (i = 0; i + 1 < info->command_bytes && i < 200; i++)
		putc(!info->command[i]				? ' '
		     : iscntrl((unsigned char)info->command[i]) ? '?'
								: info->command[i],
		     out);
	if (i + 1 < info->command_bytes)
		fputs(" ...", out);
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
	else
		fputs(target_is_running(info) ? "running" : "ended without notice", out);
}

void text_caveats(FILE *out, const struct stackdepot_store_info *info)
{
	char text[TEXT_BYTES];

	if (info->sample_bytes && info->sample_asked_bytes)
		fprintf(out, "Sampled, one object in %s on average: figures are estimates.\n",
			text_bytes((double)info->sample_bytes, text));
	else if (info->sample_bytes)
		fprintf(out,
			"The table of live objects filled up, so objects are sampled, one in %s "
			"now: figures are estimates.\n",
			text_bytes((double)info->sample_bytes, text));
	if (info->unrecorded)
		fprintf(out, "%s objects found no room in the table and are missing here.\n",
			text_count((double)info->unrecorded, text));
	if (info->children_unrecorded)
		fprintf(out, "%s more processes of this run were not recorded: --children.\n",
			text_count((double)info->children_unrecorded, text));
	if (info->flags & STACKDEPOT_STORE_CHILD)
		fprintf(out,
			"Forked from process %u, whose store has the objects older than the "
			"fork.\n",
			info->parent);
}

void text_process(const struct report *report)
{
	text_command(stdout, &report->info);
	printf("\nprocess %u, ", report->info.pid);
	text_end(stdout, &report->info);
	puts("");
	text_caveats(stdout, &report->info);
	puts("");
}
