/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* file.h - the files that have a module's code, symbols and debugging information. */
#ifndef SYMBOLS_FILE_H
#define SYMBOLS_FILE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>

struct symbol_module;

struct symbol_file {
	Dwfl *dwfl;
	Dwfl_Module *module; /* NULL: no usable file */
	bool is_whole;	     /* the module's own file, not one with its symbols alone */
	bool is_changed;     /* what is at the module's path is not what was mapped */
};

void file_open(struct symbol_file *file, const struct symbol_module *module);
void file_close(struct symbol_file *file);
/* PATH is of the recorded machine: what it is here, to be freed. */
char *file_full_path(const char *path);
/* Where the program or its symbols lie, for files that lie beside; NULL if there are none. */
const char *file_path(const struct symbol_file *file);

#endif
