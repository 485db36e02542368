/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* cli.h - what the sub-commands share. */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "stackdepot/store.h"

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
/* "64M" and the like. */
bool cli_bytes(const char *text, uint64_t *ret_bytes);
/* A number above 0 and below 10^9. */
bool cli_number(const char *text, double *ret_number);

/* --- target.c --------------------------------------------------------------------------------- */

/* Open the store FILE|PID names; NULL after a complaint. */
struct stackdepot_store *target_open(const char *name);
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
void stores_free(struct stores *stores);
/* What is live in a store. False if it is none. */
bool stores_live(const char *path, double *ret_bytes, double *ret_objects);
/* A line on the other stores of the run that FILE is of, be it a child's or the first, if any. */
void stores_print_others(const char *file);

/* --- symbols.c -------------------------------------------------------------------------------- */

struct symbol_line {
	char *function; /* NULL: not known */
	char *file;	/* NULL: not known */
	int line;
	bool inlined;
};

struct symbol_frame {
	struct symbol_line *lines; /* innermost inlined function first; one at least */
	size_t nr;
	char *module;	 /* base name of the file, or NULL */
	char *path;	 /* of the module, or NULL */
	uint64_t offset; /* address in the file, or in memory without a module */
};

struct symbols;

/* Modules and debug files are below this directory, not /. It is kept, not copied. */
void symbols_set_root(const char *directory);
struct symbols *symbols_open(struct stackdepot_store *store);
void symbols_close(struct symbols *symbols);
/* What is known of a frame; belongs to symbols. */
const struct symbol_frame *symbols_frame(struct symbols *symbols, uint64_t frame);

/* --- text.c ----------------------------------------------------------------------------------- */

struct report {
	struct stackdepot_store *store;
	struct stackdepot_store_info info;
	struct symbols *symbols;
	struct suppress *suppress; /* what is left out */
	size_t limit;		   /* stacks shown */
	size_t frame_limit;	   /* frames shown of each */
	bool json;
	bool colour;
};

#define TEXT_BYTES 32
const char *text_bytes(double bytes, char *buffer);
const char *text_count(double count, char *buffer);
void text_stack(const struct report *report, stackdepot_ref_t trace);
void text_frames(FILE *out, const struct report *report, const uint64_t *frames, unsigned int nr);
/* The function, or module and offset, without what could drive a terminal. */
void text_where(FILE *out, const struct symbol_frame *frame, const struct symbol_line *line);
#define TEXT_EVICTED "    (its stack was evicted)"
#define TEXT_UNKNOWN "    (stack not known)"
/* The command line, and what became of the process. */
void text_command(FILE *out, const struct stackdepot_store_info *info);
void text_end(FILE *out, const struct stackdepot_store_info *info);
void text_heading(const struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* What the figures are worth: lines, if there is something to say. */
void text_caveats(FILE *out, const struct stackdepot_store_info *info);
/* The process in a line or two, and what the figures below it are worth. */
void text_process(const struct report *report);

/* --- json.c ----------------------------------------------------------------------------------- */

struct json_t;
struct json_t *json_stack(const struct report *report, stackdepot_ref_t trace);
/* A name from a file need not be UTF-8, which JSON wants: other bytes become question marks. */
struct json_t *json_name(const char *name);
struct json_t *json_process(const struct report *report);
/* Print the object, and release it. */
void json_finish(struct json_t *root);

/* --- report_stats.c: what recording cost, a figure in each row ------------------------------- */

struct stats_row {
	const char *name; /* in JSON */
	const char *text;
	uint64_t value;
	bool is_bytes;
	bool only_if_any;
};

#define STATS_ROWS 40
size_t stats_rows(struct stackdepot_store *store, struct stats_row rows[STATS_ROWS]);

/* --- the reports: each returns an exit status --------------------------------------------------
 */

/* What was done: "Free", "Write" ... */
const char *errors_verb(const struct stackdepot_error *error);
/* Was it found after the fact, elsewhere? */
bool errors_late(const struct stackdepot_error *error);
/* What recording cost: [text, value, is it bytes?] of each figure. */
struct json_t *stats_list(struct stackdepot_store *store);

int report_leaks(const struct report *report);
int report_top(const struct report *report);
int report_errors(const struct report *report);
int report_stats(const struct report *report);
int report_summary(const struct report *report);
/* Between two stores of one process, or between moments of one that runs. */
int report_growth(const struct report *options, const char *target, const char *later);
int report_growth_watch(const struct report *options, const char *target, double interval,
			unsigned int times);

#endif
