/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * tree.h - the stacks of a profile, or of two, merged by function into a tree of calls.
 *
 * The root is everything; its children are the outermost functions. Inlined functions are levels of
 * their own. A node has the sums of stacks that end there; what lies below is summed on demand.
 */
#ifndef PROFILE_TREE_H
#define PROFILE_TREE_H

#include "profile.h"

enum tree_column { TREE_BYTES, TREE_OBJECTS, TREE_ALLOC_BYTES, TREE_ALLOCS, TREE_COLUMNS };
/* Of which profile. */
enum tree_side { TREE_NOW, TREE_BEFORE, TREE_SIDES };

struct tree_sums {
	double of[TREE_SIDES][TREE_COLUMNS];
};

/* The same if name, module and base name of the file are. */
struct tree_function {
	const char *name;
	const char *module; /* base name; NULL: none */
	const char *file;   /* base name; NULL: not known */
	struct tree_sums self;
	struct tree_sums total; /* of stacks it is in, each counted once */
	size_t last_stack;	/* that was added to total */
};

struct tree_node {
	uint32_t parent;
	uint32_t function;
	bool inlined;
	uint32_t stacks;		    /* that end here */
	uint32_t first_child, next_sibling; /* 0: none */
	struct tree_sums self;
	/* The largest stack that ends here, with its lines. */
	const struct profile_stack *stack;
};

#define TREE_ROOT 0u

struct tree {
	struct tree_node *nodes; /* a parent comes before its children */
	size_t nr;
	struct tree_function *functions;
	size_t nr_functions;
	size_t nr_stacks;
	bool compared; /* is there a BEFORE? */
	struct tree_index *index;
};

/* Names in it belong to the symbols of the profiles, which have to stay open. */
struct tree *tree_build(const struct profile *now, const struct profile *before);
void tree_free(struct tree *tree);

/* The function of line of frame; made if it is not there. */
uint32_t tree_function(struct tree *tree, const struct symbol_frame *frame, size_t line);

/* For each node the sums of it and all below; to be freed. */
struct tree_sums *tree_totals(const struct tree *tree);

/*
 * The nodes worth most: so many that they and the places where others were folded are nr at most.
 * A node is worth the largest share it has of any column, so what is kept is connected. keep[] of
 * each node; to be freed.
 */
bool *tree_prune(const struct tree *tree, const struct tree_sums *totals, size_t nr);

#endif
