/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* report_errors.c - what was done wrong, in the words of the kernel's KASAN. */
#define _GNU_SOURCE
#include <jansson.h>
#include <string.h>

#include "cli.h"
#include "suppress.h"

#define RULE "=================================================================="

const char *errors_verb(const struct stackdepot_error *error)
{
	switch (error->kind) {
	case STACKDEPOT_DOUBLE_FREE:
	case STACKDEPOT_INVALID_FREE:
		return "Free";
	case STACKDEPOT_HEAP_OVERFLOW:
	case STACKDEPOT_WRITE_AFTER_FREE:
		return "Write";
	case STACKDEPOT_CRASH:
		return "Signal";
	}
	if (error->flags & STACKDEPOT_ERROR_WRITE)
		return "Write";
	return error->flags & STACKDEPOT_ERROR_READ ? "Read" : "Access";
}

bool errors_late(const struct stackdepot_error *error)
{
	return error->kind == STACKDEPOT_HEAP_OVERFLOW ||
	       error->kind == STACKDEPOT_WRITE_AFTER_FREE;
}

static void errors_address(const struct stackdepot_error *error)
{
	printf("%s of address 0x%llx by thread %u", errors_verb(error),
	       (unsigned long long)error->address, error->thread);
	if (error->signal)
		printf(", signal %u (%s)", error->signal, strsignal((int)error->signal));
	if (errors_late(error))
		printf(", found when it was %s; bytes there: 0x%llx",
		       error->kind == STACKDEPOT_HEAP_OVERFLOW ? "freed" : "to be reused",
		       (unsigned long long)error->value);
	puts("");
	if (error->kind == STACKDEPOT_STACK_OVERFLOW)
		puts("The stack of the thread is used up: recursion without end, or objects too "
		     "large "
		     "for it");
	if (error->count > 1)
		printf("Seen %llu times\n", (unsigned long long)error->count);
}

static void errors_stack(const struct report *report, const char *what, uint32_t thread,
			 stackdepot_ref_t trace)
{
	puts("");
	if (thread)
		text_heading(report, "%s by thread %u:", what, thread);
	else
		text_heading(report, "%s:", what);
	text_stack(report, trace);
}

static void errors_object(const struct stackdepot_error *error)
{
	const char *freed = error->flags & STACKDEPOT_ERROR_FREED ? "freed " : "";
	const char *nearest = error->flags & STACKDEPOT_ERROR_NEAREST
				      ? "The nearest object there was: the address"
				      : "The address";
	uint64_t distance;

	if (!error->object)
		return;
	puts("");
	if (error->address < error->object) {
		distance = error->object - error->address;
		printf("%s is %llu bytes before", nearest, (unsigned long long)distance);
	} else if (error->address - error->object >= error->object_bytes) {
		distance = error->address - error->object - error->object_bytes;
		printf("%s is %llu bytes to the right of", nearest, (unsigned long long)distance);
	} else {
		distance = error->address - error->object;
		printf("%s is %llu bytes inside of", nearest, (unsigned long long)distance);
	}
	printf(" a %s%llu-byte object [0x%llx, 0x%llx)\n", freed,
	       (unsigned long long)error->object_bytes, (unsigned long long)error->object,
	       (unsigned long long)(error->object + error->object_bytes));
}

static void errors_one(const struct report *report, const struct stackdepot_error *error)
{
	puts(RULE);
	text_heading(report, "BUG: %s", stackdepot_error_name(error->kind));
	errors_address(error);
	puts("");
	text_heading(report, "%s:", errors_late(error) ? "Found at" : "Stack");
	text_stack(report, error->access_trace);
	if (error->alloc_trace || error->alloc_thread)
		errors_stack(report, "Allocated", error->alloc_thread, error->alloc_trace);
	if (error->free_trace || error->free_thread)
		errors_stack(report, "Freed", error->free_thread, error->free_trace);
	errors_object(error);
}

static bool errors_next(const struct report *report, uint64_t *position,
			struct stackdepot_error *ret_error)
{
	while (stackdepot_store_next_error(report->store, position, ret_error))
		if (!suppress_error(report->suppress, ret_error))
			return true;
	return false;
}

/* Once all were asked about. */
static uint64_t errors_seen(const struct report *report)
{
	uint64_t covered = suppress_total(report->suppress, SUPPRESS_ERRORS).seen;

	/* Of a process that goes on, the count may be older than the errors. */
	return covered < report->info.errors_seen ? report->info.errors_seen - covered : 0;
}

static json_t *errors_json_one(const struct report *report, const struct stackdepot_error *error)
{
	json_t *object = json_pack(
		"{s:s, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:i, s:b, s:b, s:b}", "kind",
		stackdepot_error_name(error->kind), "address", (json_int_t)error->address, "object",
		(json_int_t)error->object, "object_bytes", (json_int_t)error->object_bytes, "count",
		(json_int_t)error->count, "thread", error->thread, "allocated_by_thread",
		error->alloc_thread, "freed_by_thread", error->free_thread, "signal", error->signal,
		"write", !!(error->flags & STACKDEPOT_ERROR_WRITE), "freed",
		!!(error->flags & STACKDEPOT_ERROR_FREED), "nearest",
		!!(error->flags & STACKDEPOT_ERROR_NEAREST));

	json_object_set_new(object, "found_late", json_boolean(errors_late(error)));
	json_object_set_new(object, "stack", json_stack(report, error->access_trace));
	json_object_set_new(object, "allocated", json_stack(report, error->alloc_trace));
	json_object_set_new(object, "freed_at", json_stack(report, error->free_trace));
	return object;
}

static size_t errors_json(const struct report *report)
{
	json_t *root = json_process(report), *list = json_array();
	struct stackdepot_error error;
	uint64_t position = 0;
	size_t nr;

	while (errors_next(report, &position, &error))
		json_array_append_new(list, errors_json_one(report, &error));
	nr = json_array_size(list);
	json_object_set_new(root, "errors_seen", json_integer((json_int_t)errors_seen(report)));
	json_object_set_new(root, "errors", list);
	json_object_set_new(root, "suppressed", suppress_json(report->suppress, SUPPRESS_ERRORS));
	json_object_set_new(root, "unused_suppressions",
			    suppress_json_unused(report->suppress, SUPPRESS_ERRORS));
	json_finish(root);
	return nr;
}

static size_t errors_text(const struct report *report)
{
	struct stackdepot_error error;
	uint64_t position = 0;
	size_t nr = 0;

	while (errors_next(report, &position, &error)) {
		if (nr < report->limit)
			errors_one(report, &error);
		nr++;
	}
	if (nr)
		puts(RULE);
	printf("%zu different error%s, seen %llu times\n", nr, nr == 1 ? "" : "s",
	       (unsigned long long)errors_seen(report));
	if (nr > report->limit)
		printf("%zu are not shown; --all shows them.\n", nr - report->limit);
	if (report->info.errors_dropped)
		printf("%llu found no room in the store.\n",
		       (unsigned long long)report->info.errors_dropped);
	suppress_print(stdout, report->suppress, SUPPRESS_ERRORS);
	return nr;
}

int report_errors(const struct report *report)
{
	size_t nr;

	if (report->json) {
		nr = errors_json(report);
	} else {
		text_process(report);
		nr = errors_text(report);
	}
	return nr ? CLI_FINDINGS : CLI_CLEAN;
}

int report_summary(const struct report *report)
{
	struct report quiet = *report;
	int errors, leaks;

	if (report->json) {
		cli_complain("--json wants to know which report: leaks, errors, top or stats");
		return CLI_USAGE;
	}
	errors = report_errors(report);
	puts("");
	quiet.limit = report->limit < 5 ? report->limit : 5;
	leaks = report_leaks(&quiet);
	return errors || leaks ? CLI_FINDINGS : CLI_CLEAN;
}
