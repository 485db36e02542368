/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * symbols.c - the places that frames of stores mean, each kept once.
 *
 * Names of a place are looked up when somebody asks for them, and once for all stores of a run: its
 * processes have most of their files in common.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/hash.h"
#include "base/intern.h"
#include "base/memory.h"
#include "stackdepot/store.h"
#include "symbols/code_names.h"
#include "symbols/names.h"
#include "symbols/symbols.h"

#define MODULE_NAME_BYTES 255u

struct symbols {
	unsigned int users;
	struct intern *module_keys; /* what makes a module this one; numbers as of modules */
	struct symbol_module **modules;
	size_t modules_room;
	struct names *names;
	struct intern *frame_keys; /* struct frame_key, likewise */
	struct symbol_frame **frames;
	size_t frames_room;
};

/* Code that one process made. */
struct symbols_code {
	uint32_t process;
	struct code_names *names;
};

struct symbols_store {
	struct symbols *symbols;
	struct stackdepot_store *store;
	struct symbols_code *code;
	size_t nr_code;
	size_t code_room;
	struct intern *raw; /* struct raw_frame; numbers as of frames */
	struct symbol_frame **frames;
	size_t room;
};

/* As stored, with the process that an address is of. */
struct raw_frame {
	uint64_t raw;
	uint64_t process;
};

struct frame_key {
	const void *in; /* the module; of made code its name; or NULL */
	uint64_t offset;
};

/* --- modules ---------------------------------------------------------------------------------- */

static struct symbol_module *module_new(const struct stackdepot_module *recorded, size_t number,
					uint64_t hash)
{
	struct symbol_module *module = memory_alloc(sizeof(*module));
	const char *slash;

	module->raw_path = memory_strdup(recorded->path);
	module->path = clean_text(recorded->path);
	slash = strrchr(recorded->path, '/');
	module->name = clean_short(slash ? slash + 1 : recorded->path, MODULE_NAME_BYTES);
	module->label = memory_strdup(module->name);
	module->build_id_bytes = recorded->build_id_bytes;
	module->build_id = memory_alloc(recorded->build_id_bytes);
	memcpy(module->build_id, recorded->build_id, recorded->build_id_bytes);
	module->start = recorded->base;
	module->end = recorded->base + recorded->bytes;
	module->file_bytes = recorded->file_bytes;
	module->file_mtime_ns = recorded->file_mtime_ns;
	module->file_inode = recorded->file_inode;
	module->number = number;
	module->hash = hash;
	return module;
}

/* What makes it this one, and not another; the two kinds begin with another byte. */
static char *module_key(const struct stackdepot_module *recorded, size_t *ret_length)
{
	const uint64_t file[] = {recorded->bytes, recorded->file_bytes, recorded->file_mtime_ns,
				 recorded->file_inode, recorded->file_device};
	size_t path = strlen(recorded->path);
	char *key = memory_alloc(1 + sizeof(file) + path + recorded->build_id_bytes);

	*key = recorded->build_id_bytes != 0;
	if (recorded->build_id_bytes) {
		memcpy(key + 1, recorded->build_id, recorded->build_id_bytes);
		*ret_length = 1 + recorded->build_id_bytes;
	} else {
		memcpy(key + 1, file, sizeof(file));
		memcpy(key + 1 + sizeof(file), recorded->path, path);
		*ret_length = 1 + sizeof(file) + path;
	}
	return key;
}

static struct symbol_module *module_of(struct symbols *symbols,
				       const struct stackdepot_module *recorded)
{
	size_t length, known = intern_nr(symbols->module_keys);
	char *key = module_key(recorded, &length);
	size_t number = intern(symbols->module_keys, key, length);

	if (number == known) {
		symbols->modules = memory_room(symbols->modules, known, &symbols->modules_room,
					       sizeof(*symbols->modules));
		symbols->modules[number] = module_new(recorded, number, hash_bytes(0, key, length));
		symbols->modules[number]->names = symbols->names;
	}
	free(key);
	return symbols->modules[number];
}

static void module_free(struct symbol_module *module)
{
	symbol_debug_close(module->debug);
	free(module->build_id);
	free(module->raw_path);
	free(module->path);
	free(module->name);
	free(module->label);
	free(module);
}

struct symbol_debug *symbols_debug(struct symbol_module *module)
{
	if (module->debug)
		return module->debug;
	module->debug = symbol_debug_open(module);
	if (symbol_debug_changed(module->debug)) {
		free(module->label);
		module->label = memory_print("%s (changed since)", module->name);
	}
	return module->debug;
}

size_t symbols_modules(const struct symbols *symbols)
{
	return intern_nr(symbols->module_keys);
}

struct symbol_module *symbols_module(const struct symbols *symbols, size_t number)
{
	return symbols->modules[number];
}

/* --- frames ----------------------------------------------------------------------------------- */

static struct symbol_frame *frame_new(struct symbol_module *in, const char *made, uint64_t offset)
{
	struct symbol_frame *frame = memory_alloc(sizeof(*frame));

	frame->in = in;
	frame->offset = offset;
	frame->hash = hash_bytes(in ? in->hash : 1, &offset, sizeof(offset));
	if (!made)
		return frame;
	frame->hash = hash_bytes(frame->hash, made, strlen(made));
	frame->lines = memory_alloc(sizeof(*frame->lines));
	frame->lines[0].function = made;
	frame->nr = 1;
	return frame;
}

static struct symbol_frame *frame_of(struct symbols *symbols, struct symbol_module *in,
				     const char *made, uint64_t offset)
{
	const struct frame_key key = {made ? (const void *)made : in, offset};
	size_t known = intern_nr(symbols->frame_keys);
	size_t number = intern(symbols->frame_keys, &key, sizeof(key));

	if (number == known) {
		symbols->frames = memory_room(symbols->frames, known, &symbols->frames_room,
					      sizeof(*symbols->frames));
		symbols->frames[number] = frame_new(in, made, offset);
	}
	return symbols->frames[number];
}

static void frame_free(struct symbol_frame *frame)
{
	free(frame->lines);
	free(frame);
}

static struct code_names *code_of(struct symbols_store *from, uint32_t process)
{
	size_t i;

	for (i = 0; i < from->nr_code; i++)
		if (from->code[i].process == process)
			return from->code[i].names;
	return NULL;
}

/* The name of code that the process made, marked as such; NULL if nobody told one. */
static const char *frame_made(struct symbols_store *from, uint64_t address, uint32_t process)
{
	struct code_names *code = code_of(from, process);
	const char *name = code ? code_names_find(code, address - 1) : NULL;
	char *marked = name ? memory_print("%s" SYMBOLS_MADE, name) : NULL;
	const char *kept = marked ? names_function(from->symbols->names, marked) : NULL;

	free(marked);
	return kept;
}

static struct symbol_frame *frame_place(struct symbols_store *from, uint64_t raw, uint32_t process)
{
	struct stackdepot_module recorded;
	uint64_t address;

	if (stackdepot_frame_is_address(raw)) {
		address = stackdepot_frame_address(raw);
		return frame_of(from->symbols, NULL, frame_made(from, address, process), address);
	}
	if (stackdepot_store_module(from->store, stackdepot_frame_module(raw), &recorded))
		return frame_of(from->symbols, module_of(from->symbols, &recorded), NULL,
				recorded.base + stackdepot_frame_offset(raw));
	return frame_of(from->symbols, NULL, NULL, raw);
}

struct symbol_frame *symbols_place(struct symbols_store *from, uint64_t raw, uint32_t process)
{
	const struct raw_frame key = {raw, stackdepot_frame_is_address(raw) ? process : 0};
	size_t known = intern_nr(from->raw), number = intern(from->raw, &key, sizeof(key));

	if (number == known) {
		from->frames = memory_room(from->frames, known, &from->room, sizeof(*from->frames));
		from->frames[number] = frame_place(from, raw, process);
	}
	return from->frames[number];
}

const struct symbol_frame *symbols_frame(struct symbol_frame *frame)
{
	if (frame->nr)
		return frame;
	if (frame->in)
		symbol_debug_frame(symbols_debug(frame->in), frame);
	if (!frame->nr) {
		frame->lines = memory_alloc(sizeof(*frame->lines));
		frame->nr = 1;
		if (!frame->in && frame->offset == STACKDEPOT_FRAME_GUESS)
			frame->lines[0].function = SYMBOLS_GUESS;
	}
	return frame;
}

/* --- opening and closing ---------------------------------------------------------------------- */

struct symbols *symbols_open(void)
{
	struct symbols *symbols = memory_alloc(sizeof(*symbols));

	symbols->users = 1;
	symbols->module_keys = intern_open();
	symbols->names = names_open();
	symbols->frame_keys = intern_open();
	return symbols;
}

struct symbols *symbols_share(struct symbols *symbols)
{
	symbols->users++;
	return symbols;
}

void symbols_close(struct symbols *symbols)
{
	size_t i;

	if (--symbols->users)
		return;
	for (i = 0; i < intern_nr(symbols->frame_keys); i++)
		frame_free(symbols->frames[i]);
	for (i = 0; i < intern_nr(symbols->module_keys); i++)
		module_free(symbols->modules[i]);
	intern_close(symbols->frame_keys);
	intern_close(symbols->module_keys);
	names_close(symbols->names);
	free(symbols->frames);
	free(symbols->modules);
	free(symbols);
}

/* Its modules are met in the order they were loaded, the program first. */
struct symbols_store *symbols_add(struct symbols *symbols, struct stackdepot_store *store)
{
	struct symbols_store *from = memory_alloc(sizeof(*from));
	struct stackdepot_module recorded;
	uint64_t position = 0;

	from->symbols = symbols;
	from->store = store;
	from->raw = intern_open();
	while (stackdepot_store_next_module(store, &position, &recorded))
		(void)module_of(symbols, &recorded);
	return from;
}

void symbols_made(struct symbols_store *from, uint32_t process, struct code_names *code)
{
	from->code = memory_room(from->code, from->nr_code, &from->code_room, sizeof(*from->code));
	from->code[from->nr_code++] = (struct symbols_code){process, code};
}

void symbols_remove(struct symbols_store *from)
{
	size_t i;

	if (!from)
		return;
	intern_close(from->raw);
	for (i = 0; i < from->nr_code; i++)
		code_names_close(from->code[i].names);
	free(from->code);
	free(from->frames);
	free(from);
}
