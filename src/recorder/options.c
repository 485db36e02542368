/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* options.c - STACKDEPOT_OPTIONS: name=value pairs, separated by colons. */
#define _GNU_SOURCE
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "ending.h"
#include "options.h"
#include "recorder.h"
#include "say.h"

enum option_type {
	OPTION_BYTES,
	OPTION_BOOL,
	OPTION_PATH,
	OPTION_MODE,
	OPTION_OVERHEAD,
	OPTION_ON_ERROR,
	OPTION_STDERR,
	OPTION_TAGS,
};

struct option {
	const char *name;
	enum option_type type;
	size_t offset;
	const char *help;
};

#define FIELD(field) offsetof(struct recorder_options, field)

static const struct option options[] = {
	{"store", OPTION_PATH, FIELD(store), "file to record into (default: stackdepot.store)"},
	{"memory", OPTION_BYTES, FIELD(memory_bytes), "size of the store (default: 64M)"},
	{"mode", OPTION_MODE, FIELD(control), "full, sample=BYTES or off (default: full)"},
	{"overhead", OPTION_OVERHEAD, FIELD(control),
	 "sample, so that it takes so many percent of the CPU time at most"},
	{"on-error", OPTION_ON_ERROR, FIELD(abort_on_error), "report or abort (default: report)"},
	{"follow-children", OPTION_BOOL, FIELD(follow_children),
	 "record what it forks and starts, too (default: yes)"},
	{"redzone", OPTION_BYTES, FIELD(redzone_bytes),
	 "bytes watched behind each object, 0 to 8 (default: 8)"},
	{"quarantine", OPTION_BYTES, FIELD(quarantine_bytes),
	 "bytes of freed blocks each thread holds back (default: 64K)"},
	{"guard", OPTION_BYTES, FIELD(guard_interval),
	 "place one object of so many between guard pages, 0: none (default: 5000)"},
	{"tags", OPTION_TAGS, FIELD(tags),
	 "hardware tags (arm64): sync, async, auto or off (default: off)"},
	{"max-frames", OPTION_BYTES, FIELD(max_frames), "frames of a trace (default: 128)"},
	{"crash-handler", OPTION_BOOL, FIELD(crash_handler), "explain crashes (default: yes)"},
	{"look-at-exit", OPTION_BOOL, FIELD(look_at_exit),
	 "wait at the end for `stackdepot run --lost` to look what is lost (default: no)"},
	{"corpus", OPTION_BYTES, FIELD(corpus_events),
	 "keep the trace of each of so many events (default: 0)"},
	{"same-owner", OPTION_BOOL, FIELD(same_owner),
	 "record only if the directory of the store is the user's own (default: no)"},
	{"stderr", OPTION_STDERR, 0,
	 "say there why nothing is recorded, if there is no store to say it in; or journal: only "
	 "if "
	 "it is systemd's (default: yes)"},
	{"verbose", OPTION_BOOL, FIELD(verbose), "say a line for each error (default: no)"},
	{"help", OPTION_BOOL, FIELD(help), "list the options"},
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

void options_default(struct recorder_options *values)
{
	memset(values, 0, sizeof(*values));
	values->memory_bytes = 64ull << 20;
	values->follow_children = true;
	values->crash_handler = true;
	values->to_stderr = true;
	values->redzone_bytes = 8;
	values->quarantine_bytes = 64u << 10;
	values->guard_interval = 5000;
	values->max_frames = 128;
	values->control = STACKDEPOT_MODE_FULL;
	strcpy(values->store, "stackdepot.store");
}

static void options_line(const char *name, const char *between, const char *help)
{
	char line[256], *end = stpcpy(line, "stackdepot: ");

	end = stpcpy(stpcpy(stpcpy(stpcpy(end, name), between), help), "\n");
	if (write(STDERR_FILENO, line, (size_t)(end - line)) < 0)
		return;
}

/* Asked for, and before the program has begun: the one thing that is written to a descriptor. */
void options_help(void)
{
	size_t i;

	options_line("STACKDEPOT_OPTIONS=name=value:name=value...", "", "");
	for (i = 0; i < OPTIONS; i++)
		options_line(options[i].name, ": ", options[i].help);
}

/* A number with an optional K, M or G. */
static bool options_bytes(const char *text, size_t length, uint64_t *ret_value)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
		if (value > (UINT64_MAX >> 34) / 10)
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (i == 0 || i + 1 < length)
		return false;
	if (i + 1 == length) {
		const char *unit = strchr("kKmMgG", text[i]);

		if (!unit || !text[i])
			return false;
		value <<= 10 * ((unit - "kKmMgG") / 2 + 1);
	}
	*ret_value = value;
	return true;
}

static bool options_is(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && !memcmp(text, word, length);
}

static bool options_bool(const char *text, size_t length, bool *ret_value)
{
	bool yes = options_is(text, length, "yes") || options_is(text, length, "1");

	if (!yes && !options_is(text, length, "no") && !options_is(text, length, "0"))
		return false;
	*ret_value = yes;
	return true;
}

static bool options_mode(const char *text, size_t length, uint64_t *ret_control)
{
	uint64_t bytes;

	if (options_is(text, length, "full")) {
		*ret_control = STACKDEPOT_MODE_FULL;
		return true;
	}
	if (options_is(text, length, "off")) {
		*ret_control = STACKDEPOT_MODE_OFF;
		return true;
	}
	if (length <= 7 || memcmp(text, "sample=", 7) != 0 ||
	    !options_bytes(text + 7, length - 7, &bytes) || !bytes)
		return false;
	*ret_control = bytes << STORE_MODE_SHIFT | STACKDEPOT_MODE_SAMPLE;
	return true;
}

/* A percentage, up to 100, with up to three digits behind a point. */
static bool options_overhead(const char *text, size_t length, uint64_t *ret_control)
{
	uint64_t thousandths = 0, unit = 1000;
	bool point = false, digits = false;
	size_t i;

	for (i = 0; i < length && unit; i++) {
		if (text[i] == '.' && !point) {
			point = true;
		} else if (text[i] >= '0' && text[i] <= '9') {
			digits = true;
			unit /= point ? 10 : 1;
			thousandths = point ? thousandths + unit * (uint64_t)(text[i] - '0')
					    : thousandths * 10 + 1000 * (uint64_t)(text[i] - '0');
		} else {
			return false;
		}
		if (thousandths > 100000)
			return false;
	}
	*ret_control = thousandths << STORE_MODE_SHIFT | STACKDEPOT_MODE_OVERHEAD;
	return digits && i == length && thousandths;
}

static bool options_on_error(const char *text, size_t length, bool *ret_value)
{
	*ret_value = options_is(text, length, "abort");
	return *ret_value || options_is(text, length, "report");
}

static bool options_stderr(struct recorder_options *values, const char *text, size_t length)
{
	values->to_journal = options_is(text, length, "journal");
	if (!values->to_journal)
		return options_bool(text, length, &values->to_stderr);
	values->to_stderr = false;
	return true;
}

static bool options_tags(const char *text, size_t length, enum tags_mode *ret_mode)
{
	static const char *const names[] = {"off", "sync", "async", "auto"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!options_is(text, length, names[i]))
			continue;
		*ret_mode = (enum tags_mode)i;
		return true;
	}
	return false;
}

static bool options_path(const char *text, size_t length, char *ret_path)
{
	if (!length || length >= RECORDER_PATH_BYTES)
		return false;
	memcpy(ret_path, text, length);
	ret_path[length] = '\0';
	return true;
}

static bool options_set(struct recorder_options *values, const struct option *option,
			const char *text, size_t length)
{
	void *field = (char *)values + option->offset;

	switch (option->type) {
	case OPTION_BYTES:
		return options_bytes(text, length, field);
	case OPTION_BOOL:
		return options_bool(text, length, field);
	case OPTION_TAGS:
		return options_tags(text, length, field);
	case OPTION_PATH:
		return options_path(text, length, field);
	case OPTION_MODE:
		return options_mode(text, length, field);
	case OPTION_OVERHEAD:
		return options_overhead(text, length, field);
	case OPTION_ON_ERROR:
		return options_on_error(text, length, field);
	case OPTION_STDERR:
		return options_stderr(values, text, length);
	}
	return false;
}

static bool options_one(struct recorder_options *values, const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);
	size_t i, name = equals ? (size_t)(equals - text) : length;

	for (i = 0; i < OPTIONS; i++)
		if (equals && options_is(text, name, options[i].name))
			return options_set(values, &options[i], equals + 1, length - name - 1);
	return false;
}

static bool options_in_range(const struct recorder_options *values)
{
	return values->memory_bytes >= STORE_MIN_BYTES && values->memory_bytes <= STORE_MAX_BYTES &&
	       values->redzone_bytes <= 8 && values->max_frames >= RECORDER_MIN_FRAMES &&
	       values->max_frames <= STACKDEPOT_MAX_FRAMES &&
	       values->corpus_events <= values->memory_bytes / 8;
}

static void options_trouble(struct recorder_options *values, const char *text, size_t length)
{
	static const char what[] = "STACKDEPOT_OPTIONS: cannot make sense of '";
	const size_t room = sizeof(values->trouble) - 96, mark = sizeof(ENDING_MARK) - 1;
	char *at;

	if (values->trouble[0])
		return;
	at = mempcpy(values->trouble, what, sizeof(what) - 1);
	if (length <= room)
		at = mempcpy(at, text, length);
	else
		at = mempcpy(mempcpy(at, text, room - mark), ENDING_MARK, mark);
	strcpy(at, "'; help=1 lists the options");
}

bool options_parse(struct recorder_options *values, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, ":");

		if (length && !options_one(values, text, length))
			options_trouble(values, text, length);
		text += length + (text[length] == ':');
	}
	if (!values->trouble[0] && !options_in_range(values))
		strcpy(values->trouble, "STACKDEPOT_OPTIONS: a value is out of range");
	return !values->trouble[0];
}
