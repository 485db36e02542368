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
	uint32_t step;	 /* tree_node_function() and tree_node_inlined() */
	uint32_t stacks; /* that end here */
	uint32_t end;	 /* number of its struct tree_end plus one; 0: no stack ends here */
	uint32_t latest; /* the child that was gone to last; 0: none */
};

/* Where stacks end. */
struct tree_end {
	struct tree_sums self;
	const struct profile_stack *stack; /* the largest of them, with its lines */
};

#define TREE_ROOT 0u

struct tree {
	struct tree_node *nodes; /* a parent comes before its children */
	size_t nr;
	struct tree_end *ends;
	size_t nr_ends;
	struct tree_function *functions;
	size_t nr_functions;
	size_t nr_stacks;
	bool compared; /* is there a BEFORE? */
	struct tree_index *index;
};

static inline uint32_t tree_node_function(const struct tree_node *node)
{
	return node->step >> 1;
}

static inline bool tree_node_inlined(const struct tree_node *node)
{
	return node->step & 1;
}

/* The sums of stacks that end at a node. */
const struct tree_sums *tree_self(const struct tree *tree, const struct tree_node *node);

/* Names in it belong to the symbols of the profiles, which have to stay open. */
struct tree *tree_build(const struct profile *now, const struct profile *before);
void tree_free(struct tree *tree);

/* The function of line of frame; made if it is not there. */
uint32_t tree_function(struct tree *tree, const struct symbol_frame *frame, size_t line);

/* For each node what a column has there and in all below; to be freed. */
double *tree_column(const struct tree *tree, enum tree_side side, enum tree_column column);
/* Sides that it has. */
size_t tree_sides(const struct tree *tree);

/*
 * The nodes worth most: so many that they and the places where others were folded are nr at most.
 * A node is worth the largest share it has of any column, so what is kept is connected. keep[] of
 * each node; to be freed.
 */
bool *tree_prune(const struct tree *tree, size_t nr);

#endif
