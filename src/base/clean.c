/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* clean.c - names from files that nobody vouches for, made fit to be shown anywhere. */
#include <langinfo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/memory.h"

#define ESCAPE_BYTES 16u

/*
 * The character that begins here and how many bytes it has; 0 if it is not UTF-8: cut short, longer
 * than needed, a surrogate, beyond Unicode.
 */
static size_t clean_decode(const unsigned char *at, size_t left, uint32_t *ret_character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t bytes = *at < 0x80 ? 1 : *at < 0xc0 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4, i;
	uint32_t character = bytes == 1 ? *at : *at & (0x7fu >> bytes);

	if (!bytes || *at >= 0xf8 || bytes > left)
		return 0;
	for (i = 1; i < bytes; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (at[i] & 0x3f);
	}
	if (character < least[bytes] || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff))
		return 0;
	*ret_character = character;
	return bytes;
}

/* Controls, separators, formats (Cc, Zl, Zp, Cf of Unicode 15) and what is no character. */
static bool clean_controls(uint32_t character)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} ranges[] = {
		{0x0000, 0x001f},   {0x007f, 0x009f},	{0x00ad, 0x00ad},   {0x0600, 0x0605},
		{0x061c, 0x061c},   {0x06dd, 0x06dd},	{0x070f, 0x070f},   {0x0890, 0x0891},
		{0x08e2, 0x08e2},   {0x180e, 0x180e},	{0x200b, 0x200f},   {0x2028, 0x202e},
		{0x2060, 0x206f},   {0xfdd0, 0xfdef},	{0xfeff, 0xfeff},   {0xfff0, 0xfffb},
		{0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3},
		{0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	};
	size_t i;

	if (character >= 0x20 && character < 0x7f)
		return false;
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	return (character & 0xfffe) == 0xfffe;
}

/* One character or byte as it is shown; returns how many bytes of TEXT it was. */
static size_t clean_one(const unsigned char *at, size_t left, bool ascii, char *shown,
			size_t *ret_bytes)
{
	uint32_t character;
	size_t bytes = clean_decode(at, left, &character);

	if (!bytes || (bytes == 1 && clean_controls(character))) {
		*ret_bytes = (size_t)snprintf(shown, ESCAPE_BYTES, "\\x%02x", *at);
		return 1;
	}
	if (clean_controls(character) || (ascii && character >= 0x80)) {
		*ret_bytes = (size_t)snprintf(shown, ESCAPE_BYTES, "\\u{%04x}", character);
		return bytes;
	}
	memcpy(shown, at, bytes);
	*ret_bytes = bytes;
	return bytes;
}

static char *clean_any(const char *text, size_t bytes, size_t limit, bool ascii)
{
	const unsigned char *at = (const unsigned char *)text, *end = at + bytes;
	/* No escape has more than four times the bytes that it stands for. */
	size_t room = (bytes < limit / 4 ? bytes * 4 : limit) + 1, used = 0, more;
	char shown[ESCAPE_BYTES], *clean = memory_alloc(room);

	while (at < end) {
		at += clean_one(at, (size_t)(end - at), ascii, shown, &more);
		if (used + more > limit - 3) {
			memcpy(clean + used, "...", 3);
			used += 3;
			break;
		}
		memcpy(clean + used, shown, more);
		used += more;
	}
	clean[used] = '\0';
	return memory_realloc(clean, used + 1);
}

char *clean_bytes(const char *text, size_t bytes)
{
	return clean_any(text, bytes, CLEAN_BYTES, false);
}

char *clean_text(const char *text)
{
	return clean_any(text, strlen(text), CLEAN_BYTES, false);
}

char *clean_short(const char *text, size_t limit)
{
	return clean_any(text, strlen(text), limit, false);
}

bool clean_is(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text), bytes;
	uint32_t character;

	if (left > CLEAN_BYTES)
		return false;
	for (; left; at += bytes, left -= bytes) {
		bytes = clean_decode(at, left, &character);
		if (!bytes || clean_controls(character))
			return false;
	}
	return true;
}

/* Each stream is what it is at its first use. */
static bool clean_wants_ascii(FILE *out)
{
	static signed char known[STDERR_FILENO + 1]; /* 1: yes, -1: no */
	int fd = fileno(out);

	if (fd < 0 || fd > STDERR_FILENO)
		return false;
	if (!known[fd])
		known[fd] = isatty(fd) && strcmp(nl_langinfo(CODESET), "UTF-8") ? 1 : -1;
	return known[fd] > 0;
}

void clean_write(FILE *out, const char *text)
{
	bool ascii = clean_wants_ascii(out);
	char *clean;

	if (!ascii && clean_is(text)) {
		fputs(text, out);
		return;
	}
	clean = clean_any(text, strlen(text), CLEAN_BYTES, ascii);
	fputs(clean, out);
	free(clean);
}

size_t clean_fit(const char *text, size_t bytes)
{
	size_t length = strnlen(text, bytes + 1);

	if (length <= bytes)
		return length;
	while (bytes && ((unsigned char)text[bytes] & 0xc0) == 0x80)
		bytes--;
	return bytes;
}
