/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * code_names.h - names of code that a process made, which no file on disk contains.
 *
 * JIT compilers tell them to profilers by files: a perf map, lines of "START SIZE NAME" that are
 * added as code is made; a jitdump, records that also say where code was moved. Both are of the
 * process alone, and are gone with it, or with its container. So what traces of a store need of
 * them is kept beside it, in STORE.names, while the process lives and when it has ended.
 *
 * Files say what is so when they are read. Of names for one address the last one holds; a trace
 * that was recorded before may have meant an earlier one. code_names_time() is to be said with
 * them.
 */
#ifndef SYMBOLS_CODE_NAMES_H
#define SYMBOLS_CODE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct code_names;
struct stackdepot_store;
struct stackdepot_store_info;

struct code_names *code_names_open(void);
void code_names_close(struct code_names *names); /* NULL, too */

/* Add what BYTES say, which nobody vouches for; what makes no sense is passed over. */
void code_names_map(struct code_names *names, const char *bytes, size_t length);
void code_names_dump(struct code_names *names, const char *bytes, size_t length);

/* The name of the code at ADDRESS, as it was written, or NULL. Good until names are added. */
const char *code_names_find(struct code_names *names, uint64_t address);
size_t code_names_nr(const struct code_names *names);
/* When they were read; 0: there are none. */
time_t code_names_time(const struct code_names *names);

/* --- code_files.c ----------------------------------------------------------------------------- */

/*
 * What is known of a process of the store at PATH: its own files if they are there, else what was
 * kept. Never NULL.
 */
struct code_names *code_names_of(const char *path, const struct stackdepot_store_info *process);

/* Keep what the traces of the process need. Does nothing if there is nothing to add. */
void code_names_keep(const char *path, struct stackdepot_store *store,
		     const struct stackdepot_store_info *process);
/* Remove what was kept. */
void code_names_forget(const char *path);

void code_names_read_at(struct code_names *names, time_t time);

#endif
