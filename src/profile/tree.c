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

/* The functions of a frame's lines, which all stacks through it have in common. */
struct tree_frame {
	const struct symbol_frame *frame;
	size_t first; /* of its steps, as many as it has lines */
};

struct tree_index {
	struct table nodes;
	struct table functions;
	struct table frames;
	struct tree_frame *frame_list;
	size_t room_frames;
	uint32_t *steps; /* number of the function times 2, plus 1 if it is inlined */
	size_t nr_steps;
	size_t room_steps;
	char **names; /* made up for frames without symbols */
	size_t nr_names;
	size_t room_names;
	size_t room_nodes;
	size_t room_ends;
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

static uint32_t tree_line_function(struct tree *tree, const struct symbol_frame *frame, size_t line)
{
	if (!frame->lines[line].function)
		return tree_nameless(tree, frame);
	return tree_put_function(tree, frame->lines[line].function,
				 frame->in ? frame->in->name : NULL,
				 tree_base(frame->lines[line].file));
}

/* --- frames ----------------------------------------------------------------------------------- */

static bool tree_same_frame(const void *owner, size_t number, const void *key)
{
	return ((const struct tree *)owner)->index->frame_list[number].frame == key;
}

/* The outermost function of a frame is made first, as the tree is walked from the root. */
static void tree_add_frame(struct tree *tree, size_t number, const struct symbol_frame *frame)
{
	struct tree_index *index = tree->index;
	size_t line;

	index->frame_list = memory_room(index->frame_list, number, &index->room_frames,
					sizeof(*index->frame_list));
	index->frame_list[number] = (struct tree_frame){frame, index->nr_steps};
	for (line = frame->nr; line-- > 0;) {
		index->steps = memory_room(index->steps, index->nr_steps, &index->room_steps,
					   sizeof(*index->steps));
		index->steps[index->nr_steps++] =
			tree_line_function(tree, frame, line) << 1 | frame->lines[line].inlined;
	}
}

/* The steps of a frame that has its lines, outermost first; good until the next call. */
static const uint32_t *tree_steps(struct tree *tree, const struct symbol_frame *frame)
{
	struct tree_index *index = tree->index;
	const size_t known = index->frames.nr;
	size_t number = table_number(&index->frames, hash_word(HASH_BASIS, (uintptr_t)frame),
				     tree_same_frame, tree, frame);

	if (number == known)
		tree_add_frame(tree, number, frame);
	return &index->steps[index->frame_list[number].first];
}

uint32_t tree_function(struct tree *tree, const struct symbol_frame *frame, size_t line)
{
	return tree_steps(tree, frame)[frame->nr - 1 - line] >> 1;
}

/* --- nodes ------------------------------------------------------------------------------------ */

static bool tree_same_node(const void *owner, size_t number, const void *key)
{
	const struct tree_node *known = &((const struct tree *)owner)->nodes[number];
	const struct tree_node *wanted = key;

	return known->parent == wanted->parent && known->step == wanted->step &&
	       number != TREE_ROOT;
}

static uint32_t tree_put_node(struct tree *tree, uint32_t parent, uint32_t step)
{
	const struct tree_node node = {.parent = parent, .step = step};
	uint64_t hash = hash_word(HASH_BASIS, (uint64_t)parent << 32 | step);
	size_t number = table_number(&tree->index->nodes, hash, tree_same_node, tree, &node);

	if (number == tree->nr) {
		tree->nodes = memory_room(tree->nodes, tree->nr, &tree->index->room_nodes,
					  sizeof(*tree->nodes));
		tree->nodes[tree->nr++] = node;
	}
	tree->nodes[parent].latest = (uint32_t)number;
	return (uint32_t)number;
}

/*
 * Most steps go where the one before from this node went: to look there first spares the table,
 * which is too large for the caches.
 */
static uint32_t tree_child(struct tree *tree, uint32_t parent, uint32_t step)
{
	uint32_t latest = tree->nodes[parent].latest;

	return latest && tree->nodes[latest].step == step ? latest
							  : tree_put_node(tree, parent, step);
}

static struct tree_end *tree_put_end(struct tree *tree, struct tree_node *node,
				     const struct profile_stack *stack)
{
	if (!node->end) {
		tree->ends = memory_room(tree->ends, tree->nr_ends, &tree->index->room_ends,
					 sizeof(*tree->ends));
		tree->ends[tree->nr_ends++] = (struct tree_end){.stack = stack};
		node->end = (uint32_t)tree->nr_ends;
	}
	return &tree->ends[node->end - 1];
}

const struct tree_sums *tree_self(const struct tree *tree, const struct tree_node *node)
{
	static const struct tree_sums none;

	return node->end ? &tree->ends[node->end - 1].self : &none;
}

/* --- stacks ----------------------------------------------------------------------------------- */

/* A file can hold any bits: what is no amount counts as nothing. */
static double tree_amount(double value)
{
	return isfinite(value) && value > 0 ? value : 0;
}

/* A stack that is being added. */
struct tree_walk {
	enum tree_side side;
	double amounts[TREE_COLUMNS];
};

static struct tree_walk tree_walk_begin(enum tree_side side, const struct profile_sums *sums)
{
	return (struct tree_walk){
		.side = side,
		.amounts[TREE_BYTES] = tree_amount(sums->bytes),
		.amounts[TREE_OBJECTS] = tree_amount(sums->objects),
		.amounts[TREE_ALLOC_BYTES] = tree_amount(sums->alloc_bytes),
		.amounts[TREE_ALLOCS] = tree_amount(sums->allocs),
	};
}

static void tree_add(struct tree_sums *sums, const struct tree_walk *walk)
{
	size_t column;

	for (column = 0; column < TREE_COLUMNS; column++)
		sums->of[walk->side][column] += walk->amounts[column];
}

/* One step inwards. In recursion a function is in the stack more than once, and counted once. */
static uint32_t tree_step(struct tree *tree, const struct tree_walk *walk, uint32_t at,
			  uint32_t step)
{
	struct tree_function *known = &tree->functions[step >> 1];

	if (known->last_stack != tree->nr_stacks) {
		known->last_stack = tree->nr_stacks;
		tree_add(&known->total, walk);
	}
	return tree_child(tree, at, step);
}

static uint32_t tree_walk(struct tree *tree, const struct tree_walk *walk,
			  const struct profile_trace *trace)
{
	uint32_t at = TREE_ROOT;
	unsigned int i;
	size_t step;

	for (i = trace->nr; i-- > 0;) {
		const struct symbol_frame *frame = symbols_frame(trace->frames[i]);
		const uint32_t *steps = tree_steps(tree, frame);

		for (step = 0; step < frame->nr; step++)
			at = tree_step(tree, walk, at, steps[step]);
	}
	if (!trace->nr)
		at = tree_step(tree, walk, at,
			       tree_put_function(tree,
						 trace->evicted ? "(stack was evicted)"
								: "(stack not known)",
						 NULL, NULL)
				       << 1);
	return at;
}

static void tree_add_stack(struct tree *tree, enum tree_side side,
			   const struct profile_stack *stack)
{
	const struct tree_walk walk = tree_walk_begin(side, &stack->sums);
	struct tree_node *node;
	uint32_t number;

	tree->nr_stacks++;
	number = tree_walk(tree, &walk, &stack->trace);
	node = &tree->nodes[number];
	tree_add(&tree_put_end(tree, node, stack)->self, &walk);
	tree_add(&tree->functions[tree_node_function(node)].self, &walk);
	node->stacks += side == TREE_NOW || !node->stacks;
}

static void tree_add_profile(struct tree *tree, const struct profile *profile, enum tree_side side)
{
	size_t i;

	for (i = 0; i < profile->nr; i++)
		tree_add_stack(tree, side, &profile->stacks[i]);
}

struct tree *tree_build(const struct profile *now, const struct profile *before)
{
	struct tree *tree = memory_alloc(sizeof(*tree));

	tree->index = memory_alloc(sizeof(*tree->index));
	tree->compared = before != NULL;
	(void)tree_put_node(tree, TREE_ROOT, 0);
	tree_add_profile(tree, now, TREE_NOW);
	if (before)
		tree_add_profile(tree, before, TREE_BEFORE);
	/* It grows no more. */
	table_free(&tree->index->nodes);
	return tree;
}

void tree_free(struct tree *tree)
{
	size_t i;

	for (i = 0; i < tree->index->nr_names; i++)
		free(tree->index->names[i]);
	free(tree->index->names);
	table_free(&tree->index->functions);
	table_free(&tree->index->frames);
	free(tree->index->frame_list);
	free(tree->index->steps);
	free(tree->index);
	free(tree->functions);
	free(tree->ends);
	free(tree->nodes);
	free(tree);
}

/* --- what is worth keeping -------------------------------------------------------------------- */

size_t tree_sides(const struct tree *tree)
{
	return tree->compared ? TREE_SIDES : 1;
}

double *tree_column(const struct tree *tree, enum tree_side side, enum tree_column column)
{
	double *sums = memory_alloc(tree->nr * sizeof(*sums));
	size_t i;

	for (i = 0; i < tree->nr; i++)
		if (tree->nodes[i].end)
			sums[i] = tree->ends[tree->nodes[i].end - 1].self.of[side][column];
	for (i = tree->nr; i-- > 1;)
		sums[tree->nodes[i].parent] += sums[i];
	return sums;
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

static void tree_add_worth(const struct tree *tree, struct tree_worth *worth, enum tree_side side,
			   enum tree_column column)
{
	double *sums = tree_column(tree, side, column), whole = sums[TREE_ROOT];
	size_t i;

	for (i = 0; i < tree->nr && whole > 0; i++)
		worth[i].share = fmax(worth[i].share, sums[i] / whole);
	free(sums);
}

static struct tree_worth *tree_worths(const struct tree *tree)
{
	struct tree_worth *worth = memory_alloc(tree->nr * sizeof(*worth));
	size_t i, side, column;

	for (i = 0; i < tree->nr; i++)
		worth[i].node = (uint32_t)i;
	for (side = 0; side < tree_sides(tree); side++)
		for (column = 0; column < TREE_COLUMNS; column++)
			tree_add_worth(tree, worth, (enum tree_side)side, (enum tree_column)column);
	worth[TREE_ROOT].share = INFINITY;
	/* Sums in another order may differ in their last bits: no child above its parent. */
	for (i = 1; i < tree->nr; i++)
		worth[i].share = fmin(worth[i].share, worth[tree->nodes[i].parent].share);
	return worth;
}

static void tree_swap(struct tree_worth *a, struct tree_worth *b)
{
	struct tree_worth kept = *a;

	*a = *b;
	*b = kept;
}

/* Of NR, part those before the one in the middle from those behind it; where that one is now. */
static size_t tree_part(struct tree_worth *worth, size_t nr)
{
	size_t i, before = 0;

	tree_swap(&worth[nr / 2], &worth[nr - 1]);
	for (i = 0; i + 1 < nr; i++)
		if (tree_by_worth(&worth[i], &worth[nr - 1]) < 0)
			tree_swap(&worth[i], &worth[before++]);
	tree_swap(&worth[before], &worth[nr - 1]);
	return before;
}

/* The first WANTED of NR in order; what follows them is in none. */
static void tree_rank(struct tree_worth *worth, size_t nr, size_t wanted)
{
	size_t low = 0, high = nr, at;

	while (wanted < high && high - low > 1) {
		at = low + tree_part(worth + low, high - low);
		if (at < wanted)
			low = at + 1;
		else
			high = at;
	}
	qsort(worth, wanted < nr ? wanted : nr, sizeof(*worth), tree_by_worth);
}

/* Add node after node; each needs a place, and one for what it folds until all its children are in.
 */
bool *tree_prune(const struct tree *tree, size_t nr)
{
	struct tree_worth *worth = tree_worths(tree);
	bool *keep = memory_alloc(tree->nr * sizeof(*keep));
	uint32_t *missing = memory_alloc(tree->nr * sizeof(*missing));
	size_t i, places = 0;

	tree_rank(worth, tree->nr, nr + 1);
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
