/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * symbols.h - from the frames of stores to places in modules, and from these to functions and
 * lines.
 *
 * A place is a build of a file and an offset in it. It is one symbol_frame, whichever store or
 * process it is met in, so frames can be compared by their pointers. Without a build-id, files are
 * the same if path and size are; outside of all modules the address counts.
 */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code_names;
struct names;
struct stackdepot_store;
struct symbol_debug;
struct symbols;
struct symbols_store;

/* The function of STACKDEPOT_FRAME_GUESS: frames behind it were found by frame pointers. */
#define SYMBOLS_GUESS "[by frame pointer]"

#define SYMBOLS_MADE " [jit]" /* behind the name of a function that the process made */

struct symbol_line {
	const char *function; /* NULL: not known; clean, see base/clean.h, as all names here */
	const char *file;     /* NULL: not known; joined with the directory it was compiled in */
	size_t joined;	      /* so many bytes of it are that directory, and were not in its name */
	int line;
	bool inlined;
};

/* A file that was mapped. Addresses are those in the file, as its symbol table has them. */
struct symbol_module {
	char *raw_path; /* as recorded: to be opened, not to be shown */
	char *path;	/* the same, clean */
	char *name;	/* its base name, clean, at most 255 bytes */
	char *label; /* what frames without a function are shown with: its name, and if so that the
			file was changed since; see symbols_frame() */
	uint8_t *build_id;
	uint32_t build_id_bytes;
	uint64_t start; /* the lowest, and where it ends */
	uint64_t end;
	size_t number;	     /* in the order they were met */
	uint64_t hash;	     /* of what makes it this one */
	uint64_t file_bytes; /* as recorded of a file without build-id, as the next two */
	uint64_t file_mtime_ns;
	uint64_t file_inode;
	struct names *names;
	struct symbol_debug *debug; /* NULL: not looked for yet */
};

struct symbol_frame {
	struct symbol_module *in;  /* NULL: in no module */
	uint64_t offset; /* address in the file, or in memory without a module; a return address */
	uint64_t hash;		   /* of the place, the same in any process */
	struct symbol_line *lines; /* innermost inlined function first; see symbols_frame() */
	size_t nr;
	uint64_t key; /* of what profile_key() looks at; 0: it did not look yet */
};

/* Modules and debug files are below this directory, not /. It is kept, not copied. */
void symbols_set_root(const char *directory);

struct symbols *symbols_open(void);
/* The same for one more, who closes it, too: what is compared has most of its files in common. */
struct symbols *symbols_share(struct symbols *symbols);
/* Frames and stores go with the last. */
void symbols_close(struct symbols *symbols);
/* The frames of STORE, which has to stay open as long as it is asked for. */
struct symbols_store *symbols_add(struct symbols *symbols, struct stackdepot_store *store);
/* The names of code that PROCESS made; taken over. Before its frames are asked for. */
void symbols_made(struct symbols_store *from, uint32_t process, struct code_names *code);
void symbols_remove(struct symbols_store *from);

/*
 * The place of a frame that a trace of the store has; addresses in the trace are PROCESS's, see
 * stackdepot_frame_process().
 */
struct symbol_frame *symbols_place(struct symbols_store *from, uint64_t raw, uint32_t process);
/* The same frame, with its lines looked up: one at least, which may be unknown. */
const struct symbol_frame *symbols_frame(struct symbol_frame *frame);

size_t symbols_modules(const struct symbols *symbols);
struct symbol_module *symbols_module(const struct symbols *symbols, size_t number);

/* With its files opened. */
struct symbol_debug *symbols_debug(struct symbol_module *module);

/* --- debug.c ---------------------------------------------------------------------------------- */

struct symbol_debug *symbol_debug_open(const struct symbol_module *module);
void symbol_debug_close(struct symbol_debug *debug);
/* Is what lies at its path now another file than was mapped, and nothing known of that one? */
bool symbol_debug_changed(const struct symbol_debug *debug);
/* Fill the lines of a frame as far as they are known. */
void symbol_debug_frame(struct symbol_debug *debug, struct symbol_frame *frame);

/* A part of a file that is mapped to be executed; addresses in the file. */
struct symbol_segment {
	uint64_t start;
	uint64_t end;
	uint64_t offset; /* of start, in the file */
};

/* Those of the module's own file, as many as there is room for; 0 if it is not here. */
size_t symbols_segments(struct symbol_module *module, struct symbol_segment *ret_segments,
			size_t room);

#endif
