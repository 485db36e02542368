/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* names.c - names of functions and files as they are shown, each kept once. */
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/intern.h"
#include "base/memory.h"
#include "symbols/demangle.h"
#include "symbols/names.h"

struct name {
	char *text;
	size_t joined;
};

struct names_kind {
	struct intern *raw; /* numbers as of names */
	struct name *names;
	size_t room;
};

struct names {
	struct names_kind functions;
	struct names_kind files; /* directory, NUL, name */
};

struct names *names_open(void)
{
	struct names *names = memory_alloc(sizeof(*names));

	names->functions.raw = intern_open();
	names->files.raw = intern_open();
	return names;
}

static void names_close_kind(struct names_kind *kind)
{
	size_t i;

	for (i = 0; i < intern_nr(kind->raw); i++)
		free(kind->names[i].text);
	free(kind->names);
	intern_close(kind->raw);
}

void names_close(struct names *names)
{
	if (!names)
		return;
	names_close_kind(&names->functions);
	names_close_kind(&names->files);
	free(names);
}

/* The name of these bytes; without a text if they are new. */
static struct name *names_get(struct names_kind *kind, const void *bytes, size_t length)
{
	size_t known = intern_nr(kind->raw), number = intern(kind->raw, bytes, length);

	if (number == known) {
		kind->names = memory_room(kind->names, known, &kind->room, sizeof(*kind->names));
		kind->names[number] = (struct name){NULL, 0};
	}
	return &kind->names[number];
}

const char *names_function(struct names *names, const char *raw)
{
	struct name *name = names_get(&names->functions, raw, strlen(raw));
	char *plain;

	if (name->text)
		return name->text;
	plain = demangle(raw);
	name->text = clean_text(plain ? plain : raw);
	free(plain);
	return name->text;
}

static char *names_join(const char *directory, const char *raw, size_t *ret_joined)
{
	char *first = clean_text(directory), *last = clean_text(raw);
	char *both = memory_print("%s/%s", first, last);

	*ret_joined = strlen(first) + 1;
	free(first);
	free(last);
	return both;
}

const char *names_file(struct names *names, const char *directory, const char *raw,
		       size_t *ret_joined)
{
	size_t first = directory ? strlen(directory) : 0, last = strlen(raw);
	char *key = memory_alloc(first + 1 + last);
	struct name *name;

	memcpy(key, directory ? directory : "", first);
	memcpy(key + first + 1, raw, last);
	name = names_get(&names->files, key, first + 1 + last);
	free(key);
	if (!name->text)
		name->text = first ? names_join(directory, raw, &name->joined) : clean_text(raw);
	*ret_joined = name->joined;
	return name->text;
}
