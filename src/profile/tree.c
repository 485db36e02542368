/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* tree.c - stacks, merged by function. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"
#include "tree.h"

struct tree_index {
	struct table nodes;
	struct table functions;
	char **names; /* made up for frames without symbols */
	size_t nr_names;
	size_t room_names;
	size_t room_nodes;
	size_t room_functions;
};

/* --- functions -------------------------------------------------------------------------------- */

static bool tree_same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static const char *tree_base(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static uint64_t tree_part_hash(uint64_t hash, const char *part)
{
	return hash_text(hash, part ? part : "");
}

static bool tree_same_function(const void *owner, size_t number, const void *key)
{
	const struct tree_function *known = &((const struct tree *)owner)->functions[number];
	const struct tree_function *wanted = key;

	return tree_same(known->name, wanted->name) && tree_same(known->module, wanted->module) &&
	       tree_same(known->file, wanted->file);
}

static uint32_t tree_put_function(struct tree *tree, const char *name, const char *module,
				  const char *file)
{
	const struct tree_function key = {.name = name, .module = module, .file = file};
	uint64_t hash = HASH_BASIS;
	size_t number;

	hash = tree_part_hash(tree_part_hash(tree_part_hash(hash, name), module), file);
	number = table_number(&tree->index->functions, hash, tree_same_function, tree, &key);
	if (number < tree->nr_functions)
		return (uint32_t)number;
	tree->functions = memory_room(tree->functions, tree->nr_functions,
				      &tree->index->room_functions, sizeof(*tree->functions));
	tree->functions[tree->nr_functions++] = key;
	return (uint32_t)number;
}

/* Without symbols, module and offset are the name. */
static uint32_t tree_nameless(struct tree *tree, const struct symbol_frame *frame)
{
	struct tree_index *index = tree->index;
	const size_t before = tree->nr_functions;
	char *name = memory_print("%s%s0x%llx", frame->in ? frame->in->label : "",
				  frame->in ? "+" : "", (unsigned long long)frame->offset);
	uint32_t function = tree_put_function(tree, name, frame->in ? frame->in->name : NULL, NULL);

	if (tree->nr_functions == before) {
		free(name);
		return function;
	}
	index->names = memory_room(index->names, index->nr_names, &index->room_names,
				   sizeof(*index->names));
	index->names[index->nr_names++] = name;
	return function;
}

uint32_t tree_function(struct tree *tree, const struct symbol_frame *frame, size_t line)
{
	if (!frame->lines[line].function)
		return tree_nameless(tree, frame);
	return tree_put_function(tree, frame->lines[line].function,
				 frame->in ? frame->in->name : NULL,
				 tree_base(frame->lines[line].file));
}

/* --- nodes ------------------------------------------------------------------------------------ */

static bool tree_same_node(const void *owner, size_t number, const void *key)
{
	const struct tree_node *known = &((const struct tree *)owner)->nodes[number];
	const struct tree_node *wanted = key;

	return known->parent == wanted->parent && known->function == wanted->function &&
	       known->inlined == wanted->inlined && number != TREE_ROOT;
}

static uint32_t tree_put_node(struct tree *tree, const struct tree_node *node)
{
	uint64_t hash = hash_word(hash_word(node->inlined, node->parent), node->function);
	size_t number = table_number(&tree->index->nodes, hash, tree_same_node, tree, node);

	if (number < tree->nr)
		return (uint32_t)number;
	tree->nodes =
		memory_room(tree->nodes, tree->nr, &tree->index->room_nodes, sizeof(*tree->nodes));
	tree->nodes[tree->nr++] = *node;
	return (uint32_t)number;
}

static uint32_t tree_child(struct tree *tree, uint32_t parent, uint32_t function, bool inlined)
{
	const struct tree_node node = {.parent = parent, .function = function, .inlined = inlined};
	size_t before = tree->nr;
	uint32_t number = tree_put_node(tree, &node);

	if (tree->nr != before) {
		tree->nodes[number].next_sibling = tree->nodes[parent].first_child;
		tree->nodes[parent].first_child = number;
	}
	return number;
}

/* --- stacks ----------------------------------------------------------------------------------- */

/* A file can hold any bits: what is no amount counts as nothing. */
static double tree_amount(double value)
{
	return isfinite(value) && value > 0 ? value : 0;
}

static void tree_add(struct tree_sums *sums, enum tree_side side, const struct profile_sums *stack)
{
	sums->of[side][TREE_BYTES] += tree_amount(stack->bytes);
	sums->of[side][TREE_OBJECTS] += tree_amount(stack->objects);
	sums->of[side][TREE_ALLOC_BYTES] += tree_amount(stack->alloc_bytes);
	sums->of[side][TREE_ALLOCS] += tree_amount(stack->allocs);
}

/* One step inwards. In recursion a function is in the stack more than once, and counted once. */
static uint32_t tree_step(struct tree *tree, enum tree_side side, const struct profile_stack *stack,
			  uint32_t at, uint32_t function, bool inlined)
{
	struct tree_function *known = &tree->functions[function];

	if (known->last_stack != tree->nr_stacks) {
		known->last_stack = tree->nr_stacks;
		tree_add(&known->total, side, &stack->sums);
	}
	return tree_child(tree, at, function, inlined);
}

static uint32_t tree_walk(struct tree *tree, enum tree_side side, const struct profile_stack *stack)
{
	const struct profile_trace *trace = &stack->trace;
	uint32_t at = TREE_ROOT;
	unsigned int i;
	size_t line;

	for (i = trace->nr; i-- > 0;) {
		const struct symbol_frame *frame = symbols_frame(trace->frames[i]);

		for (line = frame->nr; line-- > 0;)
			at = tree_step(tree, side, stack, at, tree_function(tree, frame, line),
				       frame->lines[line].inlined);
	}
	if (!trace->nr)
		at = tree_step(tree, side, stack, at,
			       tree_put_function(tree,
						 trace->evicted ? "(stack was evicted)"
								: "(stack not known)",
						 NULL, NULL),
			       false);
	return at;
}

static void tree_add_profile(struct tree *tree, const struct profile *profile, enum tree_side side)
{
	size_t i;

	for (i = 0; i < profile->nr; i++) {
		const struct profile_stack *stack = &profile->stacks[i];
		struct tree_node *node;
		uint32_t end;

		tree->nr_stacks++;
		end = tree_walk(tree, side, stack);
		node = &tree->nodes[end];
		tree_add(&node->self, side, &stack->sums);
		tree_add(&tree->functions[node->function].self, side, &stack->sums);
		node->stacks += side == TREE_NOW || !node->stacks;
		if (!node->stack)
			node->stack = stack;
	}
}

struct tree *tree_build(const struct profile *now, const struct profile *before)
{
	struct tree *tree = memory_alloc(sizeof(*tree));

	tree->index = memory_alloc(sizeof(*tree->index));
	tree->compared = before != NULL;
	(void)tree_put_node(tree, &(const struct tree_node){.parent = TREE_ROOT});
	tree_add_profile(tree, now, TREE_NOW);
	if (before)
		tree_add_profile(tree, before, TREE_BEFORE);
	return tree;
}

void tree_free(struct tree *tree)
{
	size_t i;

	for (i = 0; i < tree->index->nr_names; i++)
		free(tree->index->names[i]);
	free(tree->index->names);
	table_free(&tree->index->nodes);
	table_free(&tree->index->functions);
	free(tree->index);
	free(tree->functions);
	free(tree->nodes);
	free(tree);
}

/* --- what is worth keeping -------------------------------------------------------------------- */

struct tree_sums *tree_totals(const struct tree *tree)
{
	struct tree_sums *totals = memory_alloc(tree->nr * sizeof(*totals));
	size_t i, column;

	for (i = 0; i < tree->nr; i++)
		totals[i] = tree->nodes[i].self;
	for (i = tree->nr; i-- > 1;)
		for (column = 0; column < TREE_SIDES * TREE_COLUMNS; column++)
			(&totals[tree->nodes[i].parent].of[0][0])[column] +=
				(&totals[i].of[0][0])[column];
	return totals;
}

struct tree_worth {
	double share;
	uint32_t node;
};

/* Of equals the parent first, which has the smaller number. */
static int tree_by_worth(const void *a, const void *b)
{
	const struct tree_worth *left = a, *right = b;

	if (left->share != right->share)
		return left->share < right->share ? 1 : -1;
	return left->node < right->node ? -1 : left->node > right->node;
}

static struct tree_worth *tree_ranked(const struct tree *tree, const struct tree_sums *totals)
{
	struct tree_worth *worth = memory_alloc(tree->nr * sizeof(*worth));
	size_t i, column;

	for (i = 0; i < tree->nr; i++) {
		worth[i].node = (uint32_t)i;
		for (column = 0; column < TREE_SIDES * TREE_COLUMNS; column++) {
			double whole = (&totals[TREE_ROOT].of[0][0])[column];
			double share = whole > 0 ? (&totals[i].of[0][0])[column] / whole : 0;

			worth[i].share = fmax(worth[i].share, share);
		}
	}
	worth[TREE_ROOT].share = INFINITY;
	/* Sums in another order may differ in their last bits: no child above its parent. */
	for (i = 1; i < tree->nr; i++)
		worth[i].share = fmin(worth[i].share, worth[tree->nodes[i].parent].share);
	qsort(worth, tree->nr, sizeof(*worth), tree_by_worth);
	return worth;
}

/* Add node after node; each needs a place, and one for what it folds until all its children are in.
 */
bool *tree_prune(const struct tree *tree, const struct tree_sums *totals, size_t nr)
{
	struct tree_worth *worth = tree_ranked(tree, totals);
	bool *keep = memory_alloc(tree->nr * sizeof(*keep));
	uint32_t *missing = memory_alloc(tree->nr * sizeof(*missing));
	size_t i, places = 0;

	for (i = 1; i < tree->nr; i++)
		missing[tree->nodes[i].parent]++;
	for (i = 0; i < tree->nr; i++) {
		uint32_t node = worth[i].node, parent = tree->nodes[node].parent;

		places += 1 + (missing[node] > 0);
		if (node != TREE_ROOT && --missing[parent] == 0)
			places--;
		if (places > nr)
			break;
		keep[node] = true;
	}
	free(missing);
	free(worth);
	return keep;
}
