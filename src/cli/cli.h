/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* cli.h - what the sub-commands share. */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "stackdepot/store.h"
#include "symbols/symbols.h"

/* Exit statuses of everything but `run`, which has those of env(1) and the program's own. */
#define CLI_CLEAN 0
#define CLI_FINDINGS 1
#define CLI_USAGE 2
#define CLI_RUN_FAILED 125
#define CLI_RUN_CANNOT 126
#define CLI_RUN_NOT_FOUND 127

/* --- main.c ----------------------------------------------------------------------------------- */

int cli_run(int argc, char **argv);
int cli_report(int argc, char **argv);
int cli_stats(int argc, char **argv);
int cli_corpus(int argc, char **argv);
int cli_flame(int argc, char **argv);
int cli_export(int argc, char **argv);
int cli_top(int argc, char **argv);
int cli_diff(int argc, char **argv);
int cli_suppress(int argc, char **argv);

/* One line on standard error, "stackdepot: " in front. */
void cli_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, and where help is found; returns CLI_USAGE. */
int cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *cli_alloc(size_t bytes);
char *cli_strdup(const char *text);
/* As realloc(), without a way to fail. */
void *cli_realloc(void *memory, size_t bytes);
/* Room in LIST, whose members have BYTES, for member number NR; *ROOM is how many fit. */
void *cli_room(void *list, size_t nr, size_t *room, size_t bytes);
/* Sleep, whatever signals come. */
void cli_wait(double seconds);
/* "64M" and the like. */
bool cli_bytes(const char *text, uint64_t *ret_bytes);
/* A number above 0 and below 10^9. */
bool cli_number(const char *text, double *ret_number);

/* --- target.c --------------------------------------------------------------------------------- */

/* Stores to read as one; see profile.h. */
struct targets {
	char *const *names; /* each a FILE or a PID */
	size_t nr;
	bool whole_run; /* the other stores of the runs they are of, too */
	bool quiet;	/* about those that cannot be read */
};

/* The file of the store that FILE|PID names, to be freed; NULL after a complaint. */
char *target_path(const char *name);
/* Why a store could not be opened. */
const char *target_error(int error);
/* Is the process of this store there now? */
bool target_is_running(const struct stackdepot_store_info *info);
/* Or at least one of its number, which may be in its last steps? */
bool target_is_there(const struct stackdepot_store_info *info);

/* --- launch.c --------------------------------------------------------------------------------- */

/* The preload library next to this program; NULL after a complaint. To be freed. */
char *launch_preload(void);
/* Where PROGRAM is; to be freed. NULL after a complaint and *ret_status set, if it cannot run so.
 */
char *launch_find(const char *program, int *ret_status);

/* Run it recorded, options being STACKDEPOT_OPTIONS, and wait for it. False after a complaint, with
 * an exit status for it. */
struct launch {
	char *const *argv;
	const char *preload;
	const char *program;
	char *options;
	int wait_status;
	int failed_status;
	int pid;
	const char *store;
	void (*every_second)(const struct launch *launch); /* while it runs; may be NULL */
};
bool launch_run(struct launch *launch);

/* --- stores.c: what a run leaves behind ------------------------------------------------------- */

struct stores {
	char **path;
	size_t nr;
};

/* FILE and those of its children; each to be freed. */
void stores_find(const char *file, struct stores *ret_stores);
/* All of the run that FILE is of, be it a child's or the first. */
void stores_of_run(const char *file, struct stores *ret_stores);
void stores_free(struct stores *stores);

/* --- text.c ----------------------------------------------------------------------------------- */

struct profile;
struct profile_trace;
struct profile_error;
struct suppress;

struct report {
	const struct profile *profile;
	struct suppress *suppress; /* what was left out */
	size_t limit;		   /* stacks shown */
	size_t frame_limit;	   /* frames shown of each */
	bool json;
	bool colour;
};

#define TEXT_BYTES 32
const char *text_bytes(double bytes, char *buffer);
const char *text_count(double count, char *buffer);
/* "1 object", "2,000 objects": NOUN is the word for one. */
#define TEXT_NUMBER 64
const char *text_number(double count, const char *noun, char *buffer);
void text_trace(FILE *out, const struct report *report, const struct profile_trace *trace);
/* The function, or module and offset, without what could drive a terminal. */
void text_where(FILE *out, const struct symbol_frame *frame, const struct symbol_line *line);
/* A name from a file, likewise. */
void text_name(FILE *out, const char *name);
/* The command line, and what became of the process; its state in a word, for programs. */
const char *text_state(const struct stackdepot_store_info *info);
void text_command(FILE *out, const struct stackdepot_store_info *info);
void text_end(FILE *out, const struct stackdepot_store_info *info);
void text_heading(const struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* What the figures are worth: lines, if there is something to say. */
void text_caveats(FILE *out, const struct profile *profile);
/* "process 17, exited with status 0", or how many there are. */
void text_processes(FILE *out, const struct profile *profile);
/* The command, its processes, and what the figures below are worth. */
void text_head(const struct report *report);

/* --- json.c ----------------------------------------------------------------------------------- */

struct json_t;
struct json_t *json_trace(const struct profile_trace *trace);
/* A name from a file need not be UTF-8, which JSON wants: other bytes become question marks. */
struct json_t *json_name(const char *name);
/* The first process, and a list of all. */
struct json_t *json_processes(const struct profile *profile);
/* Print the object, and release it. */
void json_finish(struct json_t *root);

/* --- report/stats.c: what recording cost, a figure in each row ------------------------------- */

struct stats_row {
	const char *name; /* in JSON */
	const char *text;
	uint64_t value;
	bool is_bytes;
	bool only_if_any;
};

#define STATS_ROWS 40
/* Of several processes the sums, peaks of different moments too. */
size_t stats_rows(const struct profile *profile, struct stats_row rows[STATS_ROWS]);

/* --- the reports: each returns an exit status --------------------------------------------------
 */

/* What was done: "Free", "Write" ... */
const char *errors_verb(const struct stackdepot_error *error);
/* Was it found after the fact, elsewhere? */
bool errors_late(const struct stackdepot_error *error);

int report_leaks(const struct report *report);
int report_top(const struct report *report);
int report_errors(const struct report *report);
int report_stats(const struct report *report);
int report_summary(const struct report *report);
/* Between two stores of one process, or between moments of processes that run. */
int report_growth(const struct report *options, const struct targets *targets, char *later);
int report_growth_watch(const struct report *options, const struct targets *targets,
			double interval, unsigned int times);

#endif
