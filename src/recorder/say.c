/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * say.c - words to the user.
 *
 * Not through a descriptor: number 2 may be a data file of the program's, and what it writes to
 * standard error is its own. They go into the store; reports show them, and
 * `stackdepot run` at the end.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ending.h"
#include "filter.h"
#include "recorder.h"
#include "say.h"

#define SAY_BYTES sizeof(((struct store_note *)NULL)->text)

static size_t say_append(char *line, size_t used, const char *text)
{
	const size_t mark = sizeof(ENDING_MARK) - 1;
	size_t length = strlen(text);

	if (length <= SAY_BYTES - used) {
		memcpy(line + used, text, length);
		return used + length;
	}
	memcpy(line + used, text, SAY_BYTES - used);
	memcpy(line + SAY_BYTES - mark, ENDING_MARK, mark);
	return SAY_BYTES;
}

static bool say_again(struct store_note *note, const char *line, size_t bytes)
{
	if (load_acquire(&note->state) != STORE_RECORD_VALID || note->text_bytes != bytes ||
	    memcmp(note->text, line, bytes))
		return false;
	(void)fetch_add_relaxed(&note->count, 1);
	return true;
}

static bool say_new(struct store_note *note, const char *line, size_t bytes)
{
	uint32_t none = STORE_RECORD_FREE;

	if (!__atomic_compare_exchange_n(&note->state, &none, STORE_RECORD_BUSY, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	memcpy(note->text, line, bytes);
	note->text_bytes = (uint32_t)bytes;
	note->pid = filter_allows(FILTER_GETPID) ? (uint32_t)getpid() : 0;
	note->count = 1;
	store_release(&note->state, STORE_RECORD_VALID);
	return true;
}

static void say_note(struct store_header *head, const char *line, size_t bytes)
{
	struct store_note *notes = store_run(head)->notes;
	unsigned int i;

	for (i = 0; i < STORE_NOTES; i++)
		if (say_again(&notes[i], line, bytes) || say_new(&notes[i], line, bytes))
			return;
	(void)fetch_add_relaxed(&head->totals.notes_dropped, 1);
}

/*
 * There is no store to say it in, and the program has not begun. Only if it was preloaded by hand:
 * `stackdepot run` sees itself that there is no store, and a program further down may have its data
 * behind number 2.
 */
static void say_at_start(const char *line, size_t bytes)
{
	if (write(STDERR_FILENO, "stackdepot: ", 12) < 0 || write(STDERR_FILENO, line, bytes) < 0 ||
	    write(STDERR_FILENO, "\n", 1) < 0)
		return;
}

/*
 * Is number 2 what systemd gave to the process that it started, and is this that process? Of others
 * the store of whoever started them tells.
 */
static bool say_has_journal(void)
{
	const char *process = getenv("SYSTEMD_EXEC_PID"), *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char *rest;

	if (!process || !stream || strtoul(process, NULL, 10) != (unsigned long)getpid() ||
	    fstat(STDERR_FILENO, &st))
		return false;
	return strtoul(stream, &rest, 10) == st.st_dev && *rest == ':' &&
	       strtoul(rest + 1, NULL, 10) == st.st_ino;
}

static bool say_may_write(void)
{
	return !recorder.begun &&
	       (recorder.options.to_stderr || (recorder.options.to_journal && say_has_journal()));
}

void say(const char *first, ...)
{
	const int saved_errno = errno;
	char line[SAY_BYTES];
	size_t used = 0;
	const char *text;
	va_list list;

	va_start(list, first);
	for (text = first; text; text = va_arg(list, const char *))
		used = say_append(line, used, text);
	va_end(list);
	if (recorder.head)
		say_note(recorder.head, line, used);
	else if (say_may_write())
		say_at_start(line, used);
	errno = saved_errno;
}

static const char *say_digits(uint64_t number, unsigned int base, char *buffer)
{
	char *at = buffer + SAY_NUMBER_BYTES - 1;

	*at = '\0';
	do {
		*--at = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	return at;
}

const char *say_number(uint64_t number, char *buffer)
{
	return say_digits(number, 10, buffer);
}

const char *say_hex(uint64_t number, char *buffer)
{
	return say_digits(number, 16, buffer);
}
