/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* main.c - which sub-command. */
#define _GNU_SOURCE
#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"

#define SYSROOT "--sysroot="

static const char usage[] =
	"usage: stackdepot run [OPTION]... -- PROGRAM [ARG]...    record what a program allocates\n"
	"       stackdepot report [leaks|errors|top|stats] [OPTION]... FILE|PID...\n"
	"       stackdepot report growth [OPTION]... FILE|PID [LATER]\n"
	"       stackdepot stats FILE|PID...                      what recording cost\n"
	"       stackdepot flame [OPTION]... [BEFORE] FILE|PID -o OUT.html    a page to look at\n"
	"       stackdepot export --format=FORMAT [OPTION]... FILE|PID...\n"
	"       stackdepot top [OPTION]... FILE|PID...            live, on the terminal\n"
	"       stackdepot diff [OPTION]... A B                   what grew, and what shrank\n"
	"       stackdepot suppress --gen [OPTION]... FILE|PID... rules for what a report shows\n"
	"       stackdepot corpus -o FILE.sdtrace.zst -- PROGRAM [ARG]...\n"
	"\n"
	"Several stores are reported as one.\n"
	"all but run and corpus:\n"
	"         --whole-run          the other stores of the run too: the first, its children\n"
	"run:     --memory=BYTES       size of the store, fixed (64M)\n"
	"         --store=FILE         the store (PROGRAM.PID.stackdepot)\n"
	"         --mode=full|sample=BYTES\n"
	"         --on-error=report|abort\n"
	"         --error-exitcode=N   exit status if errors were found\n"
	"         --follow-children=yes|no\n"
	"         --children=N         stores besides the first, of children and exec() (64)\n"
	"         --suppressions=FILE  leaks and errors that do not count\n"
	"         --quiet              no summary at the end\n"
	"report:  --all                all stacks and frames, not the first ones\n"
	"         --limit=N            so many stacks (10)\n"
	"         --json               for programs\n"
	"         --suppressions=FILE  leaks and errors to leave out, as LeakSanitizer's\n"
	"         --no-default-suppressions   show what libraries keep on purpose, too\n"
	"         growth FILE LATER    what grew between two copies of a store\n"
	"         growth --interval=SECONDS --times=N PID\n"
	"flame:   -o OUT.html          where to write the page; - for standard output\n"
	"         --nodes=N            frames in it at most; the smallest are folded (20000)\n"
	"export:  --format=folded|json|pprof|speedscope|lsan|sarif   for other tools\n"
	"         --output=FILE, -o FILE\n"
	"         --value=live-bytes|live-objects|alloc-bytes|allocs\n"
	"         --suppressions=FILE  as with report; also with flame and diff\n"
	"top:     --interval=SECONDS   between looks (2)\n"
	"         --sort=live|objects|growth|alloc|count\n"
	"         --filter=TEXT        in a function, file or module\n"
	"         --batch --times=N    print instead, for scripts; --limit and --all as above\n"
	"diff:    --fail-on-increase=BYTES|PERCENT%\n"
	"         --flame=OUT.html     also as a page to look at\n"
	"         --json, --limit, --all as above\n"
	"\n"
	"--sysroot=DIR before the sub-command: the files of another machine, for names and lines.\n"
	"STACKDEPOT_OPTIONS=help=1 lists what the recorder understands.\n";

void cli_complain(const char *format, ...)
{
	va_list list;

	fputs("stackdepot: ", stderr);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
}

int cli_usage(const char *format, ...)
{
	va_list list;

	fputs("stackdepot: ", stderr);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fputs("; stackdepot --help says more\n", stderr);
	return CLI_USAGE;
}

static void *cli_checked(void *memory)
{
	if (memory)
		return memory;
	cli_complain("out of memory");
	exit(CLI_RUN_FAILED);
}

void *cli_alloc(size_t bytes)
{
	return cli_checked(calloc(1, bytes ? bytes : 1));
}

void *cli_realloc(void *memory, size_t bytes)
{
	return cli_checked(realloc(memory, bytes ? bytes : 1));
}

void *cli_room(void *list, size_t nr, size_t *room, size_t bytes)
{
	if (nr < *room)
		return list;
	*room = nr + *room / 2 + 64;
	return cli_realloc(list, *room * bytes);
}

char *cli_strdup(const char *text)
{
	return strcpy(cli_alloc(strlen(text) + 1), text);
}

bool cli_bytes(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "kKmMgG";
	char *end;
	unsigned long long value = strtoull(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;

	if (end == text || *text == '-' || value > UINT64_MAX >> 34 || (*end && (!unit || end[1])))
		return false;
	*ret_bytes = unit ? (uint64_t)value << 10 * ((unit - units) / 2 + 1) : value;
	return true;
}

bool cli_number(const char *text, double *ret_number)
{
	char *end;

	*ret_number = strtod(text, &end);
	return end != text && !*end && *ret_number > 0 && *ret_number < 1e9;
}

void cli_wait(double seconds)
{
	struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
		/* clang-format off */
		{"run", cli_run},
		{"report", cli_report},
		{"stats", cli_stats},
		{"top", cli_top},
		{"diff", cli_diff},
		{"corpus", cli_corpus},
		{"flame", cli_flame},
		{"export", cli_export},
		{"suppress", cli_suppress},
		/* clang-format on */
	};
	size_t i;

	(void)setlocale(LC_CTYPE, "");
	if (argc > 1 && !strncmp(argv[1], SYSROOT, strlen(SYSROOT))) {
		symbols_set_root(argv[1] + strlen(SYSROOT));
		argv++;
		argc--;
	}
	if (argc < 2)
		return cli_usage("no sub-command given");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		fputs(usage, stdout);
		return CLI_CLEAN;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("stackdepot " STACKDEPOT_VERSION);
		return CLI_CLEAN;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return cli_usage("there is no sub-command '%s'", argv[1]);
}
