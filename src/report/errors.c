/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* errors.c - what was done wrong, in the words of the kernel's KASAN. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "base/complain.h"
#include "base/status.h"
#include "errors.h"
#include "suppress/suppress.h"
#include "text/json.h"
#include "text/number.h"
#include "text/text.h"

#define RULE "=================================================================="

static void errors_who(const struct profile *profile, const struct profile_error *error)
{
	if (profile->nr_processes > 1)
		printf(" of process %u", error->error.pid);
	if (error->error.processes > 1)
		printf(" and of %u more", error->error.processes - 1);
}

static void errors_address(const struct profile *profile, const struct profile_error *found)
{
	const struct stackdepot_error *error = &found->error;
	char number[TEXT_NUMBER];

	printf("%s of address 0x%llx by thread %u", text_verb(error),
	       (unsigned long long)error->address, error->thread);
	errors_who(profile, found);
	if (error->signal)
		printf(", signal %u (%s)", error->signal, strsignal((int)error->signal));
	if (text_is_late(error))
		printf(", found when it was %s; bytes there: 0x%llx",
		       error->kind == STACKDEPOT_HEAP_OVERFLOW ? "freed" : "to be reused",
		       (unsigned long long)error->value);
	puts("");
	if (error->kind == STACKDEPOT_STACK_OVERFLOW)
		puts("The stack of the thread is used up: recursion without end, or objects too "
		     "large "
		     "for it");
	if (error->count > 1)
		printf("Seen %s\n", text_number((double)error->count, "time", number));
}

void errors_stack(const struct report *report, const char *what, uint32_t thread,
		  const struct profile_trace *trace)
{
	puts("");
	if (thread)
		text_heading(&report->style, "%s by thread %u:", what, thread);
	else
		text_heading(&report->style, "%s:", what);
	text_trace(stdout, &report->style, trace);
}

static bool errors_has(const struct profile_trace *trace)
{
	return trace->nr || trace->evicted;
}

static void errors_distance(uint64_t bytes, const char *where)
{
	printf("%llu byte%s %s", (unsigned long long)bytes, bytes == 1 ? "" : "s", where);
}

void errors_place(const char *subject, uint64_t address, uint64_t object, uint64_t bytes,
		  bool freed)
{
	printf("%s is ", subject);
	if (address < object)
		errors_distance(object - address, "before");
	else if (address - object >= bytes)
		errors_distance(address - object - bytes, "to the right of");
	else
		errors_distance(address - object, "inside of");
	printf(" a %s%llu-byte object [0x%llx, 0x%llx)\n", freed ? "freed " : "",
	       (unsigned long long)bytes, (unsigned long long)object,
	       (unsigned long long)(object + bytes));
}

static void errors_object(const struct stackdepot_error *error)
{
	if (!error->object)
		return;
	puts("");
	errors_place(error->flags & STACKDEPOT_ERROR_NEAREST
			     ? "The nearest object there was: the address"
			     : "The address",
		     error->address, error->object, error->object_bytes,
		     error->flags & STACKDEPOT_ERROR_FREED);
}

/* Is it not the place where it was done? */
static bool errors_is_elsewhere(const struct stackdepot_error *error)
{
	return text_is_late(error) || error->flags & STACKDEPOT_ERROR_ASYNC;
}

static void errors_one(const struct report *report, const struct profile_error *found)
{
	const struct stackdepot_error *error = &found->error;

	puts(RULE);
	text_heading(&report->style, "%s: %s",
		     error->flags & STACKDEPOT_ERROR_DOUBTFUL ? "DOUBT" : "BUG",
		     stackdepot_error_name(error->kind));
	errors_address(report->profile, found);
	errors_tags(error);
	puts("");
	text_heading(&report->style, "%s:", errors_is_elsewhere(error) ? "Found at" : "Stack");
	text_trace(stdout, &report->style, &found->access);
	if (errors_has(&found->alloc) || error->alloc_thread)
		errors_stack(report, "Allocated", error->alloc_thread, &found->alloc);
	if (errors_has(&found->free) || error->free_thread)
		errors_stack(report, "Freed", error->free_thread, &found->free);
	errors_object(error);
	errors_candidates(report, found);
}

static bool errors_is_free(const struct stackdepot_error *error)
{
	return error->kind == STACKDEPOT_DOUBLE_FREE || error->kind == STACKDEPOT_INVALID_FREE;
}

/* What is not certain, apart from what is: it counts for nothing. */
static void errors_doubts(const struct report *report)
{
	const struct profile *profile = report->profile;
	char number[TEXT_NUMBER], times[TEXT_NUMBER];
	size_t i, nr = profile->nr_doubts, frees = 0, accesses = 0;

	if (!nr)
		return;
	for (i = 0; i < nr; i++) {
		frees += errors_is_free(&profile->doubts[i].error);
		accesses += profile->doubts[i].error.kind == STACKDEPOT_INVALID_ACCESS;
	}
	puts("");
	for (i = 0; i < nr && i < report->limit; i++)
		errors_one(report, &profile->doubts[i]);
	puts(RULE);
	printf("%s, seen %s; not counted as errors\n", text_number((double)nr, "doubt", number),
	       text_number((double)profile->info.doubts, "time", times));
	if (frees)
		puts("A free of memory that was not seen allocated was carried out, and the "
		     "allocator did not object.");
	if (accesses)
		puts("A pointer without a tag led into an object that is live: a wrong one, or one "
		     "that the program takes its tag off.");
	if (frees + accesses < nr)
		puts("Bytes behind an object were not as they were left, but memory changes hands "
		     "unseen here, so it may not have been that object's.");
	if (i < nr)
		printf("%zu %s not shown; --all shows them.\n", nr - i, nr - i == 1 ? "is" : "are");
}

static uint64_t errors_seen(const struct report *report)
{
	uint64_t seen = report->profile->info.errors_seen;
	uint64_t covered = suppress_total(report->suppress, SUPPRESS_ERRORS).seen;

	/* Of a process that goes on, the count may be older than the errors. */
	return covered < seen ? seen - covered : 0;
}

static void errors_json_one(struct writer *writer, const struct profile_error *found)
{
	const struct stackdepot_error *error = &found->error;

	writer_object(writer, NULL);
	writer_text(writer, "kind", stackdepot_error_name(error->kind));
	writer_integer(writer, "address", (int64_t)error->address);
	writer_integer(writer, "object", (int64_t)error->object);
	writer_integer(writer, "object_bytes", (int64_t)error->object_bytes);
	writer_integer(writer, "count", (int64_t)error->count);
	writer_integer(writer, "thread", (int)error->thread);
	writer_integer(writer, "allocated_by_thread", (int)error->alloc_thread);
	writer_integer(writer, "freed_by_thread", (int)error->free_thread);
	writer_integer(writer, "signal", (int)error->signal);
	writer_bool(writer, "write", error->flags & STACKDEPOT_ERROR_WRITE);
	writer_bool(writer, "freed", error->flags & STACKDEPOT_ERROR_FREED);
	writer_bool(writer, "nearest", error->flags & STACKDEPOT_ERROR_NEAREST);
	writer_bool(writer, "found_late", text_is_late(error));
	errors_json_tags(writer, found);
	writer_integer(writer, "pid", found->error.pid);
	writer_integer(writer, "processes", found->error.processes);
	json_trace(writer, "stack", &found->access);
	json_trace(writer, "allocated", &found->alloc);
	json_trace(writer, "freed_at", &found->free);
	writer_end(writer);
}

static void errors_json_list(struct writer *writer, const char *key,
			     const struct profile_error *errors, size_t nr)
{
	size_t i;

	writer_array(writer, key);
	for (i = 0; i < nr; i++)
		errors_json_one(writer, &errors[i]);
	writer_end(writer);
}

static void errors_json(const struct report *report)
{
	const struct profile *profile = report->profile;
	struct writer writer;

	json_begin(&writer, profile);
	writer_integer(&writer, "errors_seen", (int64_t)errors_seen(report));
	writer_integer(&writer, "errors_elsewhere", (int64_t)profile->nr_elsewhere);
	errors_json_list(&writer, "errors", profile->errors, profile->nr_errors);
	errors_json_list(&writer, "doubts", profile->doubts, profile->nr_doubts);
	suppress_json(&writer, report->suppress, SUPPRESS_ERRORS);
	suppress_json_unused(&writer, report->suppress, SUPPRESS_ERRORS);
	json_finish(&writer);
}

static void errors_text(const struct report *report)
{
	const struct profile *profile = report->profile;
	char number[TEXT_NUMBER], times[TEXT_NUMBER];
	size_t i, nr = profile->nr_errors;

	for (i = 0; i < nr && i < report->limit; i++)
		errors_one(report, &profile->errors[i]);
	if (nr)
		puts(RULE);
	printf("%s, seen %s\n", text_number((double)nr, "different error", number),
	       text_number((double)errors_seen(report), "time", times));
	if (i < nr)
		printf("%zu %s not shown; --all shows them.\n", nr - i, nr - i == 1 ? "is" : "are");
	if (profile->info.errors_dropped)
		printf("%s found no room in the store.\n",
		       text_count((double)profile->info.errors_dropped, number));
	if (profile->nr_elsewhere)
		printf("%s more, met by several processes and another one first, %s told with that "
		       "one only.\n",
		       text_count((double)profile->nr_elsewhere, number),
		       profile->nr_elsewhere == 1 ? "is" : "are");
	suppress_print(stdout, report->suppress, SUPPRESS_ERRORS);
	errors_doubts(report);
}

int report_errors(const struct report *report)
{
	if (report->json) {
		errors_json(report);
	} else {
		text_head(report->profile);
		errors_text(report);
	}
	return report->profile->nr_errors || report->profile->nr_elsewhere ? STATUS_FINDINGS
									   : STATUS_CLEAN;
}

int report_summary(const struct report *report)
{
	struct report quiet = *report;
	int errors, leaks;

	if (report->json) {
		complain("--json wants to know which report: leaks, lost, errors, top or stats");
		return STATUS_FAILED;
	}
	errors = report_errors(report);
	puts("");
	quiet.limit = report->limit < 5 ? report->limit : 5;
	leaks = report_leaks(&quiet);
	return errors || leaks ? STATUS_FINDINGS : STATUS_CLEAN;
}
