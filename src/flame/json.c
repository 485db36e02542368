/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * json.c - what the page is about, as JSON.
 *
 * It is kept small: a table of strings, functions and frames by number, columns instead of objects,
 * and of functions and frames only those that something in the page refers to.
 */
#define _GNU_SOURCE
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
#include "text/writer.h"

#define STACKS_SHOWN 100u /* the largest by each figure */
#define ERRORS_SHOWN 200u
#define EXACT_LIMIT 9007199254740992.0 /* 2^53 */

struct flame {
	struct tree *tree;
	struct tree_sums totals;
	bool *keep;
	uint32_t *functions; /* number in the page plus one, by number in the tree */
	size_t room;
	size_t nr_functions;
	struct intern *strings_known; /* numbers as in the page */
	struct intern *frames_known;  /* struct flame_frame, likewise */
	uint32_t *in_tree;	      /* number in the tree, by number in the page */
	struct writer *writer;
};

static void flame_number(struct flame *flame, const char *key, double value)
{
	if (value == floor(value) && fabs(value) < EXACT_LIMIT)
		writer_integer(flame->writer, key, (int64_t)value);
	else
		writer_number(flame->writer, key, value);
}

/* --- tables ----------------------------------------------------------------------------------- */

/* Number of a text; -1 for none. */
static int64_t flame_string(struct flame *flame, const char *text)
{
	return text ? (int64_t)intern_text(flame->strings_known, text) : -1;
}

static void flame_more_functions(struct flame *flame)
{
	size_t room = flame->room;

	flame->room = flame->tree->nr_functions * 2;
	flame->functions =
		memory_realloc(flame->functions, flame->room * sizeof(*flame->functions));
	flame->in_tree = memory_realloc(flame->in_tree, flame->room * sizeof(*flame->in_tree));
	memset(flame->functions + room, 0, (flame->room - room) * sizeof(*flame->functions));
}

static size_t flame_function(struct flame *flame, uint32_t function)
{
	if (function >= flame->room)
		flame_more_functions(flame);
	if (!flame->functions[function]) {
		const struct tree_function *known = &flame->tree->functions[function];

		/* What is used first has the shorter number. */
		(void)flame_string(flame, known->name);
		(void)flame_string(flame, known->module);
		(void)flame_string(flame, known->file);
		flame->in_tree[flame->nr_functions] = function;
		flame->functions[function] = (uint32_t)++flame->nr_functions;
	}
	return flame->functions[function] - 1;
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

	return intern(flame->frames_known, &key, sizeof(key));
}

static void flame_trace(struct flame *flame, const char *key, const struct profile_trace *trace)
{
	unsigned int i;
	size_t line;

	if (!trace->nr) {
		writer_null(flame->writer, key);
		return;
	}
	writer_array(flame->writer, key);
	for (i = 0; i < trace->nr; i++) {
		const struct symbol_frame *frame = symbols_frame(trace->frames[i]);

		for (line = 0; line < frame->nr; line++)
			writer_integer(flame->writer, NULL,
				       (int64_t)flame_frame(flame, frame, line));
	}
	writer_end(flame->writer);
}

/* --- figures ---------------------------------------------------------------------------------- */

static void flame_sums(struct flame *flame, const char *key, const struct tree_sums *sums,
		       enum tree_side side)
{
	size_t column;

	writer_array(flame->writer, key);
	for (column = 0; column < TREE_COLUMNS; column++)
		flame_number(flame, NULL, sums->of[side][column]);
	writer_end(flame->writer);
}

/* Which sums of a list one is about. */
typedef const struct tree_sums *flame_sums_at(const struct flame *flame, const void *list,
					      size_t number);

/* Column by column; null if there is nothing to compare with. */
static void flame_columns(struct flame *flame, const char *key, flame_sums_at *at, const void *list,
			  size_t nr, enum tree_side side)
{
	size_t i, column;

	if (side == TREE_BEFORE && !flame->tree->compared) {
		writer_null(flame->writer, key);
		return;
	}
	writer_array(flame->writer, key);
	for (column = 0; column < TREE_COLUMNS; column++) {
		writer_array(flame->writer, NULL);
		for (i = 0; i < nr; i++)
			flame_number(flame, NULL, at(flame, list, i)->of[side][column]);
		writer_end(flame->writer);
	}
	writer_end(flame->writer);
}

/* --- nodes ------------------------------------------------------------------------------------ */

/* What was folded below one node that is kept, or anywhere. */
struct flame_fold {
	struct tree_sums sums;
	size_t stacks;
	size_t nodes;
};

struct flame_folds {
	uint32_t *numbers; /* of each node its fold's number plus one; 0: nothing is folded there */
	struct flame_fold *list;
	size_t nr;
	size_t room;
	struct flame_fold all;
};

static struct flame_fold *flame_fold(struct flame_folds *folds, uint32_t node)
{
	if (!folds->numbers[node]) {
		folds->list =
			memory_room(folds->list, folds->nr, &folds->room, sizeof(*folds->list));
		folds->list[folds->nr++] = (struct flame_fold){0};
		folds->numbers[node] = (uint32_t)folds->nr;
	}
	return &folds->list[folds->numbers[node] - 1];
}

/* How many nodes and stacks each fold has. */
static void flame_fold_counts(const struct flame *flame, struct flame_folds *folds)
{
	const struct tree *tree = flame->tree;
	uint32_t *stacks = memory_alloc(tree->nr * sizeof(*stacks));
	uint32_t *nodes = memory_alloc(tree->nr * sizeof(*nodes));
	size_t i;

	for (i = tree->nr; i-- > 1;) {
		uint32_t parent = tree->nodes[i].parent;
		struct flame_fold *fold;

		if (flame->keep[i])
			continue;
		stacks[i] += tree->nodes[i].stacks;
		nodes[i]++;
		if (!flame->keep[parent]) {
			stacks[parent] += stacks[i];
			nodes[parent] += nodes[i];
			continue;
		}
		fold = flame_fold(folds, parent);
		fold->stacks += stacks[i];
		fold->nodes += nodes[i];
		folds->all.stacks += stacks[i];
		folds->all.nodes += nodes[i];
	}
	free(stacks);
	free(nodes);
}

/* A column of them, and of everything. */
static void flame_fold_column(struct flame *flame, struct flame_folds *folds, enum tree_side side,
			      enum tree_column column)
{
	const struct tree *tree = flame->tree;
	double *sums = tree_column(tree, side, column);
	size_t i;

	for (i = tree->nr; i-- > 1;) {
		uint32_t parent = tree->nodes[i].parent;

		if (flame->keep[i] || !flame->keep[parent])
			continue;
		flame_fold(folds, parent)->sums.of[side][column] += sums[i];
		folds->all.sums.of[side][column] += sums[i];
	}
	flame->totals.of[side][column] = sums[TREE_ROOT];
	free(sums);
}

static void flame_folds(struct flame *flame, struct flame_folds *folds)
{
	size_t side, column;

	folds->numbers = memory_alloc(flame->tree->nr * sizeof(*folds->numbers));
	flame_fold_counts(flame, folds);
	for (side = 0; side < tree_sides(flame->tree); side++)
		for (column = 0; column < TREE_COLUMNS; column++)
			flame_fold_column(flame, folds, (enum tree_side)side,
					  (enum tree_column)column);
}

/* In the page. */
struct flame_node {
	uint32_t up;	  /* its number less its parent's */
	int64_t function; /* times 2, plus 1 if inlined; stacks that were folded, negative */
	const struct tree_sums *self; /* of folded ones, all of theirs */
};

struct flame_nodes {
	struct flame_node *list;
	size_t nr;
	size_t room;
};

static void flame_node(struct flame_nodes *nodes, uint32_t parent, int64_t function,
		       const struct tree_sums *self)
{
	nodes->list = memory_room(nodes->list, nodes->nr, &nodes->room, sizeof(*nodes->list));
	nodes->list[nodes->nr] =
		(struct flame_node){(uint32_t)(nodes->nr - parent), function, self};
	nodes->nr++;
}

/* Those kept, in the order of the tree, then the places where others were folded. */
static void flame_nodes_fill(struct flame *flame, struct flame_nodes *nodes,
			     struct flame_folds *folds)
{
	const struct tree *tree = flame->tree;
	uint32_t *numbers = memory_alloc(tree->nr * sizeof(*numbers));
	size_t i;

	for (i = 0; i < tree->nr; i++) {
		const struct tree_node *node = &tree->nodes[i];
		int64_t function = 0;

		if (!flame->keep[i])
			continue;
		if (i != TREE_ROOT)
			function = (int64_t)flame_function(flame, tree_node_function(node)) * 2 +
				   tree_node_inlined(node);
		numbers[i] = (uint32_t)nodes->nr;
		flame_node(nodes, numbers[node->parent], function, tree_self(tree, node));
	}
	for (i = 0; i < tree->nr; i++)
		if (folds->numbers[i]) {
			const struct flame_fold *fold = flame_fold(folds, (uint32_t)i);

			flame_node(nodes, numbers[i], -(int64_t)fold->stacks, &fold->sums);
		}
	free(numbers);
}

static const struct tree_sums *flame_node_sums(const struct flame *flame, const void *list,
					       size_t number)
{
	(void)flame;
	return ((const struct flame_node *)list)[number].self;
}

static void flame_nodes_write(struct flame *flame, const struct flame_nodes *nodes)
{
	size_t i;

	writer_object(flame->writer, "nodes");
	writer_array(flame->writer, "up");
	for (i = 0; i < nodes->nr; i++)
		writer_integer(flame->writer, NULL, nodes->list[i].up);
	writer_end(flame->writer);
	writer_array(flame->writer, "function");
	for (i = 0; i < nodes->nr; i++)
		writer_integer(flame->writer, NULL, nodes->list[i].function);
	writer_end(flame->writer);
	flame_columns(flame, "now", flame_node_sums, nodes->list, nodes->nr, TREE_NOW);
	flame_columns(flame, "before", flame_node_sums, nodes->list, nodes->nr, TREE_BEFORE);
	writer_end(flame->writer);
}

static void flame_add_nodes(struct flame *flame)
{
	struct flame_nodes nodes = {0};
	struct flame_folds folds = {0};

	flame_folds(flame, &folds);
	flame_nodes_fill(flame, &nodes, &folds);
	flame_nodes_write(flame, &nodes);
	writer_object(flame->writer, "folded");
	writer_integer(flame->writer, "nodes", (int64_t)folds.all.nodes);
	writer_integer(flame->writer, "stacks", (int64_t)folds.all.stacks);
	flame_sums(flame, "now", &folds.all.sums, TREE_NOW);
	writer_end(flame->writer);
	free(nodes.list);
	free(folds.list);
	free(folds.numbers);
}

/* --- stacks ----------------------------------------------------------------------------------- */

/* What the largest are chosen by: a column of now, or what it differs by from before. */
struct flame_order {
	const struct tree *tree;
	size_t column;
	bool growth;
};

static double flame_rank(const struct flame_order *order, uint32_t node)
{
	const struct tree_sums *self = tree_self(order->tree, &order->tree->nodes[node]);
	double now = self->of[TREE_NOW][order->column];

	return order->growth ? fabs(now - self->of[TREE_BEFORE][order->column]) : now;
}

/* The largest that were seen so far, in order; of equals the first. */
struct flame_best {
	double ranks[STACKS_SHOWN];
	uint32_t nodes[STACKS_SHOWN];
	size_t nr;
};

static void flame_best_add(struct flame_best *best, uint32_t node, double rank)
{
	size_t at = best->nr;

	if (at == STACKS_SHOWN && rank <= best->ranks[at - 1])
		return;
	at -= at == STACKS_SHOWN;
	for (; at && best->ranks[at - 1] < rank; at--) {
		best->ranks[at] = best->ranks[at - 1];
		best->nodes[at] = best->nodes[at - 1];
	}
	best->ranks[at] = rank;
	best->nodes[at] = node;
	best->nr += best->nr < STACKS_SHOWN;
}

static void flame_choose(const struct flame_order *order, bool *chosen)
{
	const struct tree *tree = order->tree;
	struct flame_best best = {.nr = 0};
	size_t i;

	for (i = 1; i < tree->nr; i++)
		if (tree->nodes[i].end)
			flame_best_add(&best, (uint32_t)i, flame_rank(order, (uint32_t)i));
	for (i = 0; i < best.nr; i++)
		chosen[best.nodes[i]] = true;
}

static void flame_one_stack(struct flame *flame, const struct tree_node *node)
{
	const struct tree_end *end = &flame->tree->ends[node->end - 1];

	writer_object(flame->writer, NULL);
	flame_trace(flame, "frames", &end->stack->trace);
	writer_integer(flame->writer, "merged", node->stacks);
	flame_sums(flame, "now", &end->self, TREE_NOW);
	flame_sums(flame, "before", &end->self, TREE_BEFORE);
	writer_end(flame->writer);
}

/* Of each node, whether its stacks are among the largest of a column; to be freed. */
static bool *flame_largest(const struct tree *tree)
{
	struct flame_order order = {.tree = tree};
	bool *chosen = memory_alloc(tree->nr * sizeof(*chosen));
	int growth;

	for (growth = 0; growth <= (int)tree->compared; growth++)
		for (order.column = 0; order.column < TREE_COLUMNS; order.column++) {
			order.growth = growth;
			flame_choose(&order, chosen);
		}
	return chosen;
}

static void flame_add_stacks(struct flame *flame)
{
	const struct tree *tree = flame->tree;
	bool *chosen = flame_largest(tree);
	size_t i;

	writer_array(flame->writer, "stacks");
	for (i = 1; i < tree->nr; i++)
		if (chosen[i])
			flame_one_stack(flame, &tree->nodes[i]);
	writer_end(flame->writer);
	writer_object(flame->writer, "totals");
	flame_sums(flame, "now", &flame->totals, TREE_NOW);
	flame_sums(flame, "before", &flame->totals, TREE_BEFORE);
	writer_integer(flame->writer, "stacks", (int64_t)tree->nr_ends);
	writer_integer(flame->writer, "nodes", (int64_t)tree->nr);
	writer_end(flame->writer);
	free(chosen);
}

/* --- errors ----------------------------------------------------------------------------------- */

static void flame_hex(struct flame *flame, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llx", (unsigned long long)value);
	writer_text(flame->writer, key, text);
}

static void flame_error(struct flame *flame, const struct profile_error *found)
{
	const struct stackdepot_error *error = &found->error;
	struct writer *writer = flame->writer;

	writer_object(writer, NULL);
	writer_text(writer, "kind", stackdepot_error_name(error->kind));
	writer_text(writer, "verb", text_verb(error));
	flame_hex(flame, "address", error->address);
	flame_hex(flame, "object", error->object);
	writer_integer(writer, "object_bytes", (int64_t)error->object_bytes);
	writer_integer(writer, "count", (int64_t)error->count);
	writer_integer(writer, "signal", error->signal);
	writer_integer(writer, "thread", error->thread);
	writer_integer(writer, "allocated_by_thread", error->alloc_thread);
	writer_integer(writer, "freed_by_thread", error->free_thread);
	writer_bool(writer, "found_late", text_is_late(error));
	writer_bool(writer, "nearest", error->flags & STACKDEPOT_ERROR_NEAREST);
	writer_bool(writer, "freed", error->flags & STACKDEPOT_ERROR_FREED);
	writer_integer(writer, "process", found->error.pid);
	writer_integer(writer, "processes", found->error.processes);
	flame_trace(flame, "access", &found->access);
	flame_trace(flame, "alloc", &found->alloc);
	flame_trace(flame, "free", &found->free);
	writer_end(writer);
}

static void flame_add_errors(struct flame *flame, const struct profile *profile)
{
	size_t i, shown = profile->nr_errors < ERRORS_SHOWN ? profile->nr_errors : ERRORS_SHOWN;
	uint64_t left_out = profile->nr_errors - shown + profile->info.errors_dropped;

	writer_array(flame->writer, "errors");
	for (i = 0; i < shown; i++)
		flame_error(flame, &profile->errors[i]);
	writer_end(flame->writer);
	writer_integer(flame->writer, "errors_seen", (int64_t)profile->info.errors_seen);
	writer_integer(flame->writer, "errors_left_out", (int64_t)left_out);
}

/* --- the process ------------------------------------------------------------------------------ */

/* What is printed for people elsewhere, as a text to be freed. */
static char *flame_text(void (*print)(FILE *out, const struct profile *profile),
			const struct profile *profile)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		memory_out();
	print(out, profile);
	if (fclose(out))
		memory_out();
	return text;
}

static void flame_process(struct flame *flame, const char *key, const struct profile *profile,
			  const char *about)
{
	char *who, *rest;

	if (!profile) {
		writer_null(flame->writer, key);
		return;
	}
	who = about ? memory_strdup(about) : flame_text(text_processes, profile);
	writer_object(flame->writer, key);
	json_processes(flame->writer, profile);
	writer_text(flame->writer, "who", strtok_r(who, "\n", &rest));
	writer_end(flame->writer);
	free(who);
}

static void flame_caveats(struct flame *flame, const struct profile *profile)
{
	char *text = flame_text(text_caveats, profile), *line, *rest;

	writer_array(flame->writer, "caveats");
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		writer_text(flame->writer, NULL, line);
	writer_end(flame->writer);
	free(text);
}

/* [text, value, is it bytes?] of each figure. */
static void flame_stats(struct flame *flame, const struct profile *profile)
{
	struct stats_row rows[STATS_ROWS];
	size_t i, nr = stats_rows(profile, rows);

	writer_array(flame->writer, "stats");
	for (i = 0; i < nr; i++) {
		if (!rows[i].value && rows[i].only_if_any)
			continue;
		writer_array(flame->writer, NULL);
		writer_text(flame->writer, NULL, rows[i].text);
		writer_integer(flame->writer, NULL, (int64_t)rows[i].value);
		writer_bool(flame->writer, NULL, rows[i].is_bytes);
		writer_end(flame->writer);
	}
	writer_end(flame->writer);
}

/* --- all of it -------------------------------------------------------------------------------- */

static void flame_begin(struct flame *flame, const struct profile *now,
			const struct flame_options *options)
{
	flame->tree = tree_build(now, options->before);
	flame->keep = tree_prune(flame->tree, options->nodes ? options->nodes : FLAME_NODES);
	flame->strings_known = intern_open();
	flame->frames_known = intern_open();
}

static void flame_end(struct flame *flame)
{
	intern_close(flame->strings_known);
	intern_close(flame->frames_known);
	free(flame->functions);
	free(flame->in_tree);
	free(flame->keep);
	tree_free(flame->tree);
}

static const struct tree_function *flame_in_tree(const struct flame *flame, size_t number)
{
	return &flame->tree->functions[flame->in_tree[number]];
}

static const struct tree_sums *flame_function_self(const struct flame *flame, const void *list,
						   size_t number)
{
	(void)list;
	return &flame_in_tree(flame, number)->self;
}

static const struct tree_sums *flame_function_total(const struct flame *flame, const void *list,
						    size_t number)
{
	(void)list;
	return &flame_in_tree(flame, number)->total;
}

static void flame_add_functions(struct flame *flame)
{
	const size_t nr = flame->nr_functions;
	size_t i;

	writer_object(flame->writer, "functions");
	writer_array(flame->writer, "name");
	for (i = 0; i < nr; i++)
		writer_integer(flame->writer, NULL,
			       flame_string(flame, flame_in_tree(flame, i)->name));
	writer_end(flame->writer);
	writer_array(flame->writer, "module");
	for (i = 0; i < nr; i++)
		writer_integer(flame->writer, NULL,
			       flame_string(flame, flame_in_tree(flame, i)->module));
	writer_end(flame->writer);
	writer_array(flame->writer, "file");
	for (i = 0; i < nr; i++)
		writer_integer(flame->writer, NULL,
			       flame_string(flame, flame_in_tree(flame, i)->file));
	writer_end(flame->writer);
	flame_columns(flame, "self", flame_function_self, NULL, nr, TREE_NOW);
	flame_columns(flame, "total", flame_function_total, NULL, nr, TREE_NOW);
	flame_columns(flame, "before_self", flame_function_self, NULL, nr, TREE_BEFORE);
	flame_columns(flame, "before_total", flame_function_total, NULL, nr, TREE_BEFORE);
	writer_end(flame->writer);
}

/* A member of each frame. */
static void flame_frame_column(struct flame *flame, const char *key,
			       int64_t (*of)(const struct flame_frame *frame))
{
	struct flame_frame frame;
	size_t i;

	writer_array(flame->writer, key);
	for (i = 0; i < intern_nr(flame->frames_known); i++) {
		memcpy(&frame, intern_at(flame->frames_known, i, NULL), sizeof(frame));
		writer_integer(flame->writer, NULL, of(&frame));
	}
	writer_end(flame->writer);
}

static int64_t frame_function(const struct flame_frame *frame)
{
	return frame->function;
}

static int64_t frame_file(const struct flame_frame *frame)
{
	return frame->file;
}

static int64_t frame_line(const struct flame_frame *frame)
{
	return frame->line;
}

static int64_t frame_inlined(const struct flame_frame *frame)
{
	return frame->inlined;
}

/* Last, as everything else adds to them. */
static void flame_add_tables(struct flame *flame)
{
	size_t i;

	flame_add_functions(flame);
	writer_object(flame->writer, "frames");
	flame_frame_column(flame, "function", frame_function);
	flame_frame_column(flame, "file", frame_file);
	flame_frame_column(flame, "line", frame_line);
	flame_frame_column(flame, "inlined", frame_inlined);
	writer_end(flame->writer);
	writer_array(flame->writer, "strings");
	for (i = 0; i < intern_nr(flame->strings_known); i++)
		writer_text(flame->writer, NULL, intern_at(flame->strings_known, i, NULL));
	writer_end(flame->writer);
}

void flame_json(FILE *out, const struct profile *now, const struct flame_options *options)
{
	struct writer writer;
	struct flame flame = {.writer = &writer};

	flame_begin(&flame, now, options);
	writer_begin_page(&writer, out);
	writer_object(&writer, NULL);
	writer_text(&writer, "tool", STACKDEPOT_VERSION);
	flame_process(&flame, "process", now, options->who);
	flame_process(&flame, "before", options->before, options->who);
	flame_caveats(&flame, now);
	flame_stats(&flame, now);
	flame_add_nodes(&flame);
	flame_add_stacks(&flame);
	flame_add_errors(&flame, now);
	flame_add_tables(&flame);
	writer_end(&writer);
	flame_end(&flame);
}
