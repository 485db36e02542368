/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * metrics.c - the figures, for Prometheus and its kin.
 *
 * The number of series is bounded: services by FIND_STORES, processes by BOUND_PROCESSES of a
 * service and BOUND_PROCESS_SERIES of all. What processes beyond that hold is a row of its own,
 * process="rest", in those families that are gauges: as who belongs to the rest changes, it could
 * not be counted up.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <string.h>

#include "metrics.h"

struct metrics {
	FILE *out;
	bool open;
	const struct state *state;
	size_t told[FIND_STORES]; /* processes of each service */
};

struct metrics_family {
	const char *name;
	const char *unit; /* NULL: none */
	bool counts;	  /* only up */
	const char *help;
	size_t offset; /* of a double, in struct record_sums or record_store */
};

#define OF_SUMS(member) offsetof(struct record_sums, member)
#define OF_STORE(member) offsetof(struct record_store, member)

/* Of each service; all of them are of struct record_store. */
static const struct metrics_family of_service[] = {
	{"stackdepot_live_bytes", "bytes", false, "What running processes have not freed.",
	 OF_STORE(sums.live_bytes)},
	{"stackdepot_live_objects", "objects", false,
	 "Objects that running processes have not freed.", OF_STORE(sums.live_objects)},
	{"stackdepot_allocations", NULL, true, "Allocations by all processes, ended ones too.",
	 OF_STORE(sums.allocations)},
	{"stackdepot_allocated_bytes", "bytes", true, "Bytes that these allocations asked for.",
	 OF_STORE(sums.allocated_bytes)},
	{"stackdepot_recorder_bytes", "bytes", false,
	 "Memory of the recorder in running processes, besides the store.",
	 OF_STORE(sums.recorder_bytes)},
	{"stackdepot_store_bytes", "bytes", false, "Size of the store, which is fixed.",
	 OF_STORE(store_bytes)},
	{"stackdepot_sample_bytes", "bytes", false,
	 "Mean bytes from sample to sample; 0 means that every object is recorded, else figures "
	 "are "
	 "estimates.",
	 OF_STORE(sample_bytes)},
	{"stackdepot_unrecorded_objects", "objects", true,
	 "Objects for which the store had no room.", OF_STORE(unrecorded)},
	{"stackdepot_dropped_errors", NULL, true,
	 "Memory errors that were seen, and not kept for want of room.", OF_STORE(errors_dropped)},
	{"stackdepot_doubts", NULL, true, "What looked like a memory error and may be none.",
	 OF_STORE(doubts)},
};

/* Of each process; of struct record_sums. Those that do not count up have a rest. */
static const struct metrics_family of_process[] = {
	{"stackdepot_process_live_bytes", "bytes", false, "What a running process has not freed.",
	 OF_SUMS(live_bytes)},
	{"stackdepot_process_live_objects", "objects", false,
	 "Objects that a running process has not freed.", OF_SUMS(live_objects)},
	{"stackdepot_process_recorder_bytes", "bytes", false,
	 "Memory of the recorder in a running process, besides the store.",
	 OF_SUMS(recorder_bytes)},
	{"stackdepot_process_allocations", NULL, true, "Allocations by a running process.",
	 OF_SUMS(allocations)},
	{"stackdepot_process_allocated_bytes", "bytes", true,
	 "Bytes that these allocations asked for.", OF_SUMS(allocated_bytes)},
};

/* --- writing ---------------------------------------------------------------------------------- */

/* The older format calls a counter's family by the name of its samples. */
static void metrics_head(const struct metrics *metrics, const struct metrics_family *family)
{
	const char *suffix = family->counts && !metrics->open ? "_total" : "";
	FILE *out = metrics->out;

	fprintf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", family->name, suffix, family->help,
		family->name, suffix, family->counts ? "counter" : "gauge");
	if (metrics->open && family->unit)
		fprintf(out, "# UNIT %s %s\n", family->name, family->unit);
}

/* Backslash, quote and line feed are escaped in both formats; names were made clean before. */
static void metrics_label(FILE *out, const char *before, const char *name, const char *value)
{
	fprintf(out, "%s%s=\"", before, name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			fputc('\\', out);
		if (*value == '\n')
			fputs("\\n", out);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

/* Figures are whole, or estimates of large numbers: enough digits for 2^53. */
static void metrics_value(const struct metrics *metrics, double value)
{
	fprintf(metrics->out, " %.17g\n", value);
}

static void metrics_begin(const struct metrics *metrics, const struct metrics_family *family)
{
	fprintf(metrics->out, "%s%s", family->name, family->counts ? "_total" : "");
}

static double metrics_of(const void *record, const struct metrics_family *family)
{
	return *(const double *)(const void *)((const char *)record + family->offset);
}

static void metrics_alone(const struct metrics *metrics, const struct metrics_family *family,
			  double value)
{
	metrics_head(metrics, family);
	metrics_begin(metrics, family);
	metrics_value(metrics, value);
}

/* --- services --------------------------------------------------------------------------------- */

static void metrics_service(const struct metrics *metrics, const struct metrics_family *family)
{
	size_t i;

	metrics_head(metrics, family);
	for (i = 0; i < metrics->state->nr; i++) {
		const struct state_store *store = &metrics->state->stores[i];

		if (store->record.error)
			continue;
		metrics_begin(metrics, family);
		metrics_label(metrics->out, "{", "service", store->service);
		fputc('}', metrics->out);
		metrics_value(metrics, metrics_of(&store->record, family));
	}
}

/* One sample of a service that has a further label. */
static void metrics_kind(const struct metrics *metrics, const struct metrics_family *family,
			 const struct state_store *store, const char *label, const char *kind,
			 double value)
{
	metrics_begin(metrics, family);
	metrics_label(metrics->out, "{", "service", store->service);
	metrics_label(metrics->out, ",", label, kind);
	fputc('}', metrics->out);
	metrics_value(metrics, value);
}

/* Two kinds of one name differ in when they are found: at the access, or when the memory goes. */
static const char *metrics_when(unsigned int kind)
{
	return kind == STACKDEPOT_HEAP_OVERFLOW || kind == STACKDEPOT_WRITE_AFTER_FREE ? "later"
										       : "at-once";
}

static void metrics_errors(const struct metrics *metrics)
{
	static const struct metrics_family family = {
		"stackdepot_errors", NULL, true,
		"Memory errors that were found, repeated ones too; at once or later.", 0};
	unsigned int kind;
	size_t i;

	metrics_head(metrics, &family);
	for (i = 0; i < metrics->state->nr; i++) {
		const struct state_store *store = &metrics->state->stores[i];

		for (kind = 1; kind < STACKDEPOT_ERROR_KINDS && !store->record.error; kind++) {
			metrics_begin(metrics, &family);
			metrics_label(metrics->out, "{", "service", store->service);
			metrics_label(metrics->out, ",", "kind", stackdepot_error_name(kind));
			metrics_label(metrics->out, ",", "found", metrics_when(kind));
			fputc('}', metrics->out);
			metrics_value(metrics, (double)store->record.errors[kind]);
		}
	}
}

static void metrics_states(const struct metrics *metrics)
{
	static const struct metrics_family family = {"stackdepot_processes", NULL, false,
						     "Processes of a service.", 0};
	size_t i;

	metrics_head(metrics, &family);
	for (i = 0; i < metrics->state->nr; i++) {
		const struct state_store *store = &metrics->state->stores[i];

		if (store->record.error)
			continue;
		metrics_kind(metrics, &family, store, "state", "running", store->record.running);
		metrics_kind(metrics, &family, store, "state", "ended", store->record.ended);
	}
}

/* --- processes -------------------------------------------------------------------------------- */

/* Each service gets its largest processes in turn, until there are enough. */
static void metrics_share(struct metrics *metrics)
{
	size_t left = BOUND_PROCESS_SERIES, turn, i;

	for (turn = 0; turn < BOUND_PROCESSES; turn++)
		for (i = 0; i < metrics->state->nr && left; i++)
			if (metrics->told[i] == turn && metrics->state->stores[i].nr > turn) {
				metrics->told[i]++;
				left--;
			}
}

static void metrics_row(const struct metrics *metrics, const struct metrics_family *family,
			const char *service, const char *process, const char *program,
			const struct record_sums *sums)
{
	metrics_begin(metrics, family);
	metrics_label(metrics->out, "{", "service", service);
	metrics_label(metrics->out, ",", "process", process);
	metrics_label(metrics->out, ",", "program", program);
	fputc('}', metrics->out);
	metrics_value(metrics, metrics_of(sums, family));
}

static void metrics_processes_of(const struct metrics *metrics, const struct metrics_family *family,
				 size_t number)
{
	const struct state_store *store = &metrics->state->stores[number];
	const size_t told = metrics->told[number];
	struct record_sums rest;
	char process[32];
	size_t i;

	for (i = 0; i < told; i++) {
		const struct record_process *record = &store->processes[i].record;

		/* Two of one number are of two name spaces, or one after the other. */
		snprintf(process, sizeof(process), "%u.%u", record->pid, record->serial);
		metrics_row(metrics, family, store->service, process, record->program,
			    &record->sums);
	}
	if (told >= store->record.running || family->counts)
		return;
	rest = state_rest(store, told);
	metrics_row(metrics, family, store->service, "rest", "", &rest);
}

static void metrics_processes(const struct metrics *metrics, const struct metrics_family *family)
{
	size_t i;

	metrics_head(metrics, family);
	for (i = 0; i < metrics->state->nr; i++)
		metrics_processes_of(metrics, family, i);
}

/* --- the agent -------------------------------------------------------------------------------- */

static void metrics_stores(const struct metrics *metrics)
{
	static const struct metrics_family family = {"stackdepot_agent_stores", NULL, false,
						     "Stores, by what became of them.", 0};
	const struct find_counts *counts = &metrics->state->counts;
	size_t i, bad = 0;

	for (i = 0; i < metrics->state->nr; i++)
		bad += metrics->state->stores[i].record.error != 0;
	metrics_head(metrics, &family);
	fprintf(metrics->out,
		"stackdepot_agent_stores{state=\"read\"} %zu\n"
		"stackdepot_agent_stores{state=\"damaged\"} %zu\n"
		"stackdepot_agent_stores{state=\"unreadable\"} %llu\n"
		"stackdepot_agent_stores{state=\"foreign\"} %llu\n"
		"stackdepot_agent_stores{state=\"link\"} %llu\n"
		"stackdepot_agent_stores{state=\"left_out\"} %llu\n",
		metrics->state->nr - bad, bad, (unsigned long long)counts->unreadable,
		(unsigned long long)counts->foreign, (unsigned long long)counts->links,
		(unsigned long long)counts->left_out);
}

static void metrics_self(const struct metrics *metrics, const struct metrics_self *self)
{
	static const struct metrics_family age = {"stackdepot_agent_age_seconds", "seconds", false,
						  "How long ago the stores were looked at.", 0};
	static const struct metrics_family took = {"stackdepot_agent_look_seconds", "seconds",
						   false, "How long that took.", 0};
	static const struct metrics_family memory = {"stackdepot_agent_memory_bytes", "bytes",
						     false, "Resident memory of the agent.", 0};
	static const struct metrics_family requests = {"stackdepot_agent_requests", NULL, true,
						       "Requests that were answered.", 0};
	static const struct metrics_family refused = {
		"stackdepot_agent_refused", NULL, true,
		"Of these, the ones refused for their rate, token, size or want of room.", 0};
	static const struct metrics_family closed = {"stackdepot_agent_closed", NULL, true,
						     "Connections closed without an answer: they "
						     "were slow, or idle when room was short.",
						     0};
	static const struct metrics_family ended = {
		"stackdepot_agent_workers_ended", NULL, true,
		"Workers that a store or a limit put an end to.", 0};

	static const struct metrics_family pushes = {
		"stackdepot_agent_pushes", NULL, true,
		"Times that stores were pushed to the fleet's server.", 0};
	static const struct metrics_family failed = {
		"stackdepot_agent_pushes_failed", NULL, true,
		"Of these, those after which the server had not everything.", 0};

	metrics_alone(metrics, &age, self->age_seconds);
	metrics_alone(metrics, &took, (double)metrics->state->took_ns / 1e9);
	metrics_alone(metrics, &memory, self->memory_bytes);
	metrics_alone(metrics, &requests, self->requests);
	metrics_alone(metrics, &refused, self->refused);
	metrics_alone(metrics, &closed, self->closed);
	metrics_alone(metrics, &ended, self->workers_ended);
	metrics_alone(metrics, &pushes, self->pushes);
	metrics_alone(metrics, &failed, self->pushes_failed);
}

void metrics_write(FILE *out, bool open, const struct state *state, const struct metrics_self *self)
{
	struct metrics metrics = {.out = out, .open = open, .state = state};
	size_t i;

	metrics_share(&metrics);
	for (i = 0; i < sizeof(of_service) / sizeof(*of_service); i++)
		metrics_service(&metrics, &of_service[i]);
	metrics_errors(&metrics);
	metrics_states(&metrics);
	for (i = 0; i < sizeof(of_process) / sizeof(*of_process); i++)
		metrics_processes(&metrics, &of_process[i]);
	metrics_stores(&metrics);
	metrics_self(&metrics, self);
	fputs("# EOF\n", out);
}
