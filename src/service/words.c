/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* words.c - how the value of a setting is read and written: quotes, backslashes, specifiers. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "unit.h"

#define SUFFIX ".service"

/* What stands behind a backslash; *AT is left at its last letter. */
static char unit_escape(const char **at)
{
	static const char letters[] = "abfnrtvs", meant[] = "\a\b\f\n\r\t\v ";
	const char *found = **at ? strchr(letters, **at) : NULL;
	char digits[3] = "";

	if (found)
		return meant[found - letters];
	if (**at != 'x' || !isxdigit((unsigned char)(*at)[1]) || !isxdigit((unsigned char)(*at)[2]))
		return **at;
	memcpy(digits, *at + 1, 2);
	*at += 2;
	return (char)strtol(digits, NULL, 16);
}

char *unit_word(const char **text)
{
	const char *at = *text + strspn(*text, " \t\n\r");
	char *word, *to, quote = 0;

	if (!*at)
		return NULL;
	word = to = memory_alloc(strlen(at) + 1);
	for (; *at && (quote || !strchr(" \t\n\r", *at)); at++) {
		if (*at == '\\' && at[1]) {
			at++;
			*to++ = unit_escape(&at);
		} else if (quote ? *at == quote : *at == '"' || *at == '\'') {
			quote = quote ? 0 : *at;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
	*text = at;
	return word;
}

char *unit_quote(const char *word)
{
	char *quoted = memory_alloc(2 * strlen(word) + 3), *to = quoted;

	*to++ = '"';
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			*to++ = '\\';
		*to++ = *word;
	}
	*to++ = '"';
	*to = '\0';
	return quoted;
}

/* The part of the name that a specifier stands for: BYTES of it; NULL: it is another one. */
static const char *unit_specifier(const struct unit *unit, char letter, size_t *ret_bytes)
{
	const char *at = strchr(unit->name, '@');
	const size_t length = strlen(unit->name), stem = length - strlen(SUFFIX);

	switch (letter) {
	case '%':
		*ret_bytes = 1;
		return "%";
	case 'n':
		*ret_bytes = length;
		return unit->name;
	case 'N':
		*ret_bytes = stem;
		return unit->name;
	case 'p':
		*ret_bytes = at ? (size_t)(at - unit->name) : stem;
		return unit->name;
	case 'i':
		*ret_bytes = at ? stem - (size_t)(at + 1 - unit->name) : 0;
		return at ? at + 1 : "";
	}
	return NULL;
}

char *unit_expand(const struct unit *unit, const char *text)
{
	char *expanded = memory_alloc(strlen(text) * (strlen(unit->name) + 1) + 1), *to = expanded;

	for (; *text; text++) {
		const char *what;
		size_t bytes;

		if (*text != '%') {
			*to++ = *text;
			continue;
		}
		what = unit_specifier(unit, *++text, &bytes);
		if (!what) {
			free(expanded);
			return NULL;
		}
		memcpy(to, what, bytes);
		to += bytes;
	}
	*to = '\0';
	return expanded;
}
