/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * json.c - what the page is about, as JSON.
 *
 * It is kept small: a table of strings, functions and frames by number, columns instead of objects,
 * and of functions and frames only those that something in the page refers to.
 */
#define _GNU_SOURCE
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/memory.h"
#include "json.h"
#include "profile/stats.h"
#include "profile/tree.h"
#include "text/json.h"
#include "text/text.h"

#define STACKS_SHOWN 100u /* the largest by each figure */
#define ERRORS_SHOWN 200u
#define EXACT_LIMIT 9007199254740992.0 /* 2^53 */

struct flame {
	struct tree *tree;
	struct tree_sums *totals;
	bool *keep;
	uint32_t *functions; /* number in the page plus one, by number in the tree */
	size_t room;
	size_t nr_functions;
	struct intern *strings_known; /* numbers as in the page */
	struct intern *frames_known;  /* struct flame_frame, likewise */
	json_t *strings, *function_names, *function_modules, *function_files;
	json_t *frame_functions, *frame_files, *frame_lines, *frame_inlined;
	struct tree_sums *self, *total; /* of functions in the page */
};

static json_t *flame_number(double value)
{
	if (value == floor(value) && fabs(value) < EXACT_LIMIT)
		return json_integer((json_int_t)value);
	return isfinite(value) ? json_real(value) : json_integer(0);
}

/* --- tables ----------------------------------------------------------------------------------- */

/* Number of a text; -1 for none. */
static json_int_t flame_string(struct flame *flame, const char *text)
{
	size_t number, known = intern_nr(flame->strings_known);

	if (!text)
		return -1;
	number = intern_text(flame->strings_known, text);
	if (number == known)
		json_array_append_new(flame->strings, json_name(text));
	return (json_int_t)number;
}

static void flame_append(json_t *list, json_int_t number)
{
	json_array_append_new(list, json_integer(number));
}

static void flame_more_functions(struct flame *flame)
{
	size_t room = flame->room;

	flame->room = flame->tree->nr_functions * 2;
	flame->functions =
		memory_realloc(flame->functions, flame->room * sizeof(*flame->functions));
	flame->self = memory_realloc(flame->self, flame->room * sizeof(*flame->self));
	flame->total = memory_realloc(flame->total, flame->room * sizeof(*flame->total));
	memset(flame->functions + room, 0, (flame->room - room) * sizeof(*flame->functions));
}

static size_t flame_function(struct flame *flame, uint32_t function)
{
	const struct tree_function *known = &flame->tree->functions[function];

	if (function >= flame->room)
		flame_more_functions(flame);
	if (flame->functions[function])
		return flame->functions[function] - 1;
	flame_append(flame->function_names, flame_string(flame, known->name));
	flame_append(flame->function_modules, flame_string(flame, known->module));
	flame_append(flame->function_files, flame_string(flame, known->file));
	flame->self[flame->nr_functions] = known->self;
	flame->total[flame->nr_functions] = known->total;
	flame->functions[function] = (uint32_t)++flame->nr_functions;
	return flame->nr_functions - 1;
}

/* A line of a function: where the call was. It is a key: no room between the members. */
struct flame_frame {
	int64_t function;
	int64_t file;
	int32_t line;
	int32_t inlined;
};

static size_t flame_frame(struct flame *flame, const struct symbol_frame *frame, size_t at)
{
	const struct symbol_line *line = &frame->lines[at];
	const struct flame_frame key = {
		.function = (int64_t)flame_function(flame, tree_function(flame->tree, frame, at)),
		.file = flame_string(flame, line->file),
		.line = line->line,
		.inlined = line->inlined,
	};
	size_t known = intern_nr(flame->frames_known);
	size_t number = intern(flame->frames_known, &key, sizeof(key));

	if (number == known) {
		flame_append(flame->frame_functions, key.function);
		flame_append(flame->frame_files, key.file);
		flame_append(flame->frame_lines, key.line);
		flame_append(flame->frame_inlined, key.inlined);
	}
	return number;
}

static json_t *flame_trace(struct flame *flame, const struct profile_trace *trace)
{
	json_t *list = trace->nr ? json_array() : json_null();
	unsigned int i;
	size_t line;

	for (i = 0; i < trace->nr; i++) {
		const struct symbol_frame *frame = symbols_frame(trace->frames[i]);

		for (line = 0; line < frame->nr; line++)
			flame_append(list, (json_int_t)flame_frame(flame, frame, line));
	}
	return list;
}

/* --- figures ---------------------------------------------------------------------------------- */

static json_t *flame_sums(const struct tree_sums *sums, enum tree_side side)
{
	json_t *list = json_array();
	size_t column;

	for (column = 0; column < TREE_COLUMNS; column++)
		json_array_append_new(list, flame_number(sums->of[side][column]));
	return list;
}

/* Column by column; null if there is nothing to compare with. */
static json_t *flame_columns(const struct flame *flame, const struct tree_sums *sums, size_t nr,
			     enum tree_side side)
{
	json_t *columns;
	size_t i, column;

	if (side == TREE_BEFORE && !flame->tree->compared)
		return json_null();
	columns = json_array();
	for (column = 0; column < TREE_COLUMNS; column++) {
		json_t *list = json_array();

		for (i = 0; i < nr; i++)
			json_array_append_new(list, flame_number(sums[i].of[side][column]));
		json_array_append_new(columns, list);
	}
	return columns;
}

static void flame_add(struct tree_sums *to, const struct tree_sums *sums)
{
	size_t column;

	for (column = 0; column < TREE_SIDES * TREE_COLUMNS; column++)
		(&to->of[0][0])[column] += (&sums->of[0][0])[column];
}

/* --- nodes ------------------------------------------------------------------------------------ */

/* What was folded below one node, or anywhere. */
struct flame_fold {
	struct tree_sums sums;
	size_t stacks;
	size_t nodes;
};

/* For each node that is kept, what of its children is not. */
static struct flame_fold *flame_folds(const struct flame *flame, struct flame_fold *ret_all)
{
	const struct tree *tree = flame->tree;
	struct flame_fold *folds = memory_alloc(tree->nr * sizeof(*folds));
	size_t i;

	memset(ret_all, 0, sizeof(*ret_all));
	for (i = tree->nr; i-- > 1;) {
		uint32_t parent = tree->nodes[i].parent;

		if (flame->keep[i])
			continue;
		folds[parent].stacks += tree->nodes[i].stacks + folds[i].stacks;
		folds[parent].nodes += 1 + folds[i].nodes;
		if (!flame->keep[parent])
			continue;
		flame_add(&folds[parent].sums, &flame->totals[i]);
		flame_add(&ret_all->sums, &flame->totals[i]);
		ret_all->stacks += tree->nodes[i].stacks + folds[i].stacks;
		ret_all->nodes += 1 + folds[i].nodes;
	}
	return folds;
}

struct flame_nodes {
	json_t *up, *functions;
	struct tree_sums *self;
	size_t nr;
};

static void flame_node(struct flame_nodes *nodes, uint32_t parent, json_int_t function,
		       const struct tree_sums *self)
{
	json_array_append_new(nodes->up, json_integer((json_int_t)(nodes->nr - parent)));
	json_array_append_new(nodes->functions, json_integer(function));
	nodes->self[nodes->nr++] = *self;
}

/* Those kept, in the order of the tree, then the places where others were folded. */
static void flame_nodes_fill(struct flame *flame, struct flame_nodes *nodes,
			     const struct flame_fold *folds)
{
	const struct tree *tree = flame->tree;
	uint32_t *numbers = memory_alloc(tree->nr * sizeof(*numbers));
	size_t i;

	for (i = 0; i < tree->nr; i++) {
		const struct tree_node *node = &tree->nodes[i];
		json_int_t function = 0;

		if (!flame->keep[i])
			continue;
		if (i != TREE_ROOT)
			function = (json_int_t)flame_function(flame, node->function) * 2 +
				   node->inlined;
		numbers[i] = (uint32_t)nodes->nr;
		flame_node(nodes, numbers[node->parent], function, &node->self);
	}
	for (i = 0; i < tree->nr; i++)
		if (flame->keep[i] && folds[i].stacks)
			flame_node(nodes, numbers[i], -(json_int_t)folds[i].stacks, &folds[i].sums);
	free(numbers);
}

static void flame_add_nodes(struct flame *flame, json_t *root)
{
	struct flame_nodes nodes = {.up = json_array(), .functions = json_array()};
	struct flame_fold all, *folds = flame_folds(flame, &all);

	nodes.self = memory_alloc(2 * flame->tree->nr * sizeof(*nodes.self));
	flame_nodes_fill(flame, &nodes, folds);
	json_object_set_new(
		root, "nodes",
		json_pack("{s:o, s:o, s:o, s:o}", "up", nodes.up, "function", nodes.functions,
			  "now", flame_columns(flame, nodes.self, nodes.nr, TREE_NOW), "before",
			  flame_columns(flame, nodes.self, nodes.nr, TREE_BEFORE)));
	json_object_set_new(root, "folded",
			    json_pack("{s:I, s:I, s:o}", "nodes", (json_int_t)all.nodes, "stacks",
				      (json_int_t)all.stacks, "now",
				      flame_sums(&all.sums, TREE_NOW)));
	free(nodes.self);
	free(folds);
}

/* --- stacks ----------------------------------------------------------------------------------- */

/* What qsort_r() sorts by: a column of now, or what it differs by from before. */
struct flame_order {
	const struct tree *tree;
	size_t column;
	bool growth;
};

static double flame_rank(const struct flame_order *order, uint32_t node)
{
	const struct tree_sums *self = &order->tree->nodes[node].self;
	double now = self->of[TREE_NOW][order->column];

	return order->growth ? fabs(now - self->of[TREE_BEFORE][order->column]) : now;
}

static int flame_by_rank(const void *a, const void *b, void *order)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
	double l = flame_rank(order, left), r = flame_rank(order, right);

	return l < r ? 1 : l > r ? -1 : left < right ? -1 : left > right;
}

static json_t *flame_one_stack(struct flame *flame, const struct tree_node *node)
{
	return json_pack("{s:o, s:I, s:o, s:o}", "frames", flame_trace(flame, &node->stack->trace),
			 "merged", (json_int_t)node->stacks, "now",
			 flame_sums(&node->self, TREE_NOW), "before",
			 flame_sums(&node->self, TREE_BEFORE));
}

static void flame_add_stacks(struct flame *flame, json_t *root)
{
	const struct tree *tree = flame->tree;
	struct flame_order order = {.tree = tree};
	uint32_t *nodes = memory_alloc(tree->nr * sizeof(*nodes));
	bool *chosen = memory_alloc(tree->nr * sizeof(*chosen));
	json_t *list = json_array();
	size_t i, nr = 0;
	int growth;

	for (i = 1; i < tree->nr; i++)
		if (tree->nodes[i].stack)
			nodes[nr++] = (uint32_t)i;
	for (growth = 0; growth <= (int)tree->compared; growth++)
		for (order.column = 0; order.column < TREE_COLUMNS; order.column++) {
			order.growth = growth;
			qsort_r(nodes, nr, sizeof(*nodes), flame_by_rank, &order);
			for (i = 0; i < nr && i < STACKS_SHOWN; i++)
				chosen[nodes[i]] = true;
		}
	for (i = 1; i < tree->nr; i++)
		if (chosen[i])
			json_array_append_new(list, flame_one_stack(flame, &tree->nodes[i]));
	json_object_set_new(root, "stacks", list);
	json_object_set_new(root, "totals",
			    json_pack("{s:o, s:o, s:I, s:I}", "now",
				      flame_sums(&flame->totals[TREE_ROOT], TREE_NOW), "before",
				      flame_sums(&flame->totals[TREE_ROOT], TREE_BEFORE), "stacks",
				      (json_int_t)nr, "nodes", (json_int_t)tree->nr));
	free(chosen);
	free(nodes);
}

/* --- errors ----------------------------------------------------------------------------------- */

static json_t *flame_hex(uint64_t value)
{
	return json_sprintf("%llx", (unsigned long long)value);
}

static json_t *flame_error(struct flame *flame, const struct profile *profile,
			   const struct profile_error *found)
{
	const struct stackdepot_error *error = &found->error;
	json_t *object = json_pack(
		"{s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "kind",
		stackdepot_error_name(error->kind), "verb", text_verb(error), "address",
		flame_hex(error->address), "object", flame_hex(error->object), "object_bytes",
		(json_int_t)error->object_bytes, "count", (json_int_t)error->count, "signal",
		(json_int_t)error->signal, "thread", (json_int_t)error->thread,
		"allocated_by_thread", (json_int_t)error->alloc_thread, "freed_by_thread",
		(json_int_t)error->free_thread);

	json_object_set_new(object, "found_late", json_boolean(text_is_late(error)));
	json_object_set_new(object, "nearest",
			    json_boolean(error->flags & STACKDEPOT_ERROR_NEAREST));
	json_object_set_new(object, "freed", json_boolean(error->flags & STACKDEPOT_ERROR_FREED));
	json_object_set_new(object, "process",
			    json_integer(profile->processes[found->process].info.pid));
	json_object_set_new(object, "processes", json_integer((json_int_t)found->processes));
	json_object_set_new(object, "access", flame_trace(flame, &found->access));
	json_object_set_new(object, "alloc", flame_trace(flame, &found->alloc));
	json_object_set_new(object, "free", flame_trace(flame, &found->free));
	return object;
}

static void flame_add_errors(struct flame *flame, const struct profile *profile, json_t *root)
{
	size_t i, shown = profile->nr_errors < ERRORS_SHOWN ? profile->nr_errors : ERRORS_SHOWN;
	uint64_t left_out = profile->nr_errors - shown + profile->info.errors_dropped;
	json_t *list = json_array();

	for (i = 0; i < shown; i++)
		json_array_append_new(list, flame_error(flame, profile, &profile->errors[i]));
	json_object_set_new(root, "errors", list);
	json_object_set_new(root, "errors_seen",
			    json_integer((json_int_t)profile->info.errors_seen));
	json_object_set_new(root, "errors_left_out", json_integer((json_int_t)left_out));
}

/* --- the process ------------------------------------------------------------------------------ */

/* What is printed for people elsewhere, as a list of lines. */
static json_t *flame_lines(void (*print)(FILE *out, const struct profile *profile),
			   const struct profile *profile)
{
	json_t *list = json_array();
	char *text = NULL, *line, *rest;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		memory_out();
	print(out, profile);
	if (fclose(out))
		memory_out();
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		json_array_append_new(list, json_name(line));
	free(text);
	return list;
}

static json_t *flame_process(const struct profile *profile)
{
	json_t *process = json_processes(profile), *who = flame_lines(text_processes, profile);

	json_object_set(process, "who", json_array_get(who, 0));
	json_decref(who);
	return process;
}

/* [text, value, is it bytes?] of each figure. */
static json_t *flame_stats(const struct profile *profile)
{
	struct stats_row rows[STATS_ROWS];
	size_t i, nr = stats_rows(profile, rows);
	json_t *list = json_array();

	for (i = 0; i < nr; i++)
		if (rows[i].value || !rows[i].only_if_any)
			json_array_append_new(list, json_pack("[s, I, b]", rows[i].text,
							      (json_int_t)rows[i].value,
							      rows[i].is_bytes));
	return list;
}

static void flame_add_process(const struct profile *now, const struct profile *before, json_t *root)
{
	json_object_set_new(root, "tool", json_string(STACKDEPOT_VERSION));
	json_object_set_new(root, "process", flame_process(now));
	json_object_set_new(root, "before", before ? flame_process(before) : json_null());
	json_object_set_new(root, "caveats", flame_lines(text_caveats, now));
	json_object_set_new(root, "stats", flame_stats(now));
}

/* --- all of it -------------------------------------------------------------------------------- */

static void flame_begin(struct flame *flame, const struct profile *now,
			const struct flame_options *options)
{
	flame->tree = tree_build(now, options->before);
	flame->totals = tree_totals(flame->tree);
	flame->keep = tree_prune(flame->tree, flame->totals,
				 options->nodes ? options->nodes : FLAME_NODES);
	flame->strings_known = intern_open();
	flame->frames_known = intern_open();
	flame->strings = json_array();
	flame->function_names = json_array();
	flame->function_modules = json_array();
	flame->function_files = json_array();
	flame->frame_functions = json_array();
	flame->frame_files = json_array();
	flame->frame_lines = json_array();
	flame->frame_inlined = json_array();
}

static void flame_end(struct flame *flame)
{
	intern_close(flame->strings_known);
	intern_close(flame->frames_known);
	free(flame->functions);
	free(flame->self);
	free(flame->total);
	free(flame->keep);
	free(flame->totals);
	tree_free(flame->tree);
}

/* Last, as everything else adds to them. */
static void flame_add_tables(struct flame *flame, json_t *root)
{
	const size_t nr = flame->nr_functions;

	json_object_set_new(
		root, "functions",
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", flame->function_names,
			  "module", flame->function_modules, "file", flame->function_files, "self",
			  flame_columns(flame, flame->self, nr, TREE_NOW), "total",
			  flame_columns(flame, flame->total, nr, TREE_NOW), "before_self",
			  flame_columns(flame, flame->self, nr, TREE_BEFORE), "before_total",
			  flame_columns(flame, flame->total, nr, TREE_BEFORE)));
	json_object_set_new(root, "frames",
			    json_pack("{s:o, s:o, s:o, s:o}", "function", flame->frame_functions,
				      "file", flame->frame_files, "line", flame->frame_lines,
				      "inlined", flame->frame_inlined));
	json_object_set_new(root, "strings", flame->strings);
}

json_t *flame_json(const struct profile *now, const struct flame_options *options)
{
	json_t *root = json_object();
	struct flame flame = {0};

	flame_begin(&flame, now, options);
	flame_add_process(now, options->before, root);
	flame_add_nodes(&flame, root);
	flame_add_stacks(&flame, root);
	flame_add_errors(&flame, now, root);
	flame_add_tables(&flame, root);
	flame_end(&flame);
	return root;
}
