/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The tree of all lines any trace of the corpus needs is built once, a node a line; then the
 * simulation only decides which nodes are present. A node is held by each present child and, if a
 * trace that ends in it is present, by that. Node 0 is the root above the outermost frames: always
 * there, no line.
 */
#include "lru.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LRU_GROUP 8u /* frames a line */

struct node {
	uint32_t parent;
	uint32_t next; /* in its hash chain */
	const uintptr_t *frames;
	uint8_t nr;
	bool present;
	bool traced;	       /* a present trace ends here */
	uint32_t held;	       /* by present children and by its trace */
	uint32_t newer, older; /* neighbours in the order of use, if traced */
};

struct lru {
	struct node *nodes;
	uint32_t nr_nodes;
	uint32_t *chains;
	uint32_t mask;
	uint32_t *leaf; /* of each trace: the node it ends in */
	uint32_t used, lines;
	struct lru_result result;
};

static uint32_t lru_chain(const struct lru *lru, uint32_t parent, const uintptr_t *frames,
			  uint32_t nr)
{
	uint64_t hash = parent * 0x9e3779b97f4a7c15u;
	uint32_t i;

	for (i = 0; i < nr; i++) {
		hash = ((hash ^ frames[i]) + nr) * 0xff51afd7ed558ccdu;
		hash ^= hash >> 32;
	}
	return (uint32_t)hash & lru->mask;
}

/* The node for a group of frames under @parent, made if it is the first of its kind. */
static uint32_t lru_node(struct lru *lru, uint32_t parent, const uintptr_t *frames, uint32_t nr)
{
	uint32_t *chain = &lru->chains[lru_chain(lru, parent, frames, nr)];
	uint32_t i;

	for (i = *chain; i; i = lru->nodes[i].next)
		if (lru->nodes[i].parent == parent && lru->nodes[i].nr == nr &&
		    !memcmp(lru->nodes[i].frames, frames, nr * sizeof(*frames)))
			return i;
	i = lru->nr_nodes++;
	lru->nodes[i] = (struct node){
		.parent = parent, .next = *chain, .frames = frames, .nr = (uint8_t)nr};
	*chain = i;
	return i;
}

static uint32_t lru_insert(struct lru *lru, const struct trace *trace)
{
	uint32_t left = trace->nr, node = 0, nr;

	while (left) {
		nr = left < LRU_GROUP ? left : LRU_GROUP;
		left -= nr;
		node = lru_node(lru, node, trace->frames + left, nr);
	}
	return node;
}

static int lru_build(struct lru *lru, const struct workload *workload)
{
	uint64_t most = 1;
	uint32_t i;

	for (i = 0; i < workload->corpus.unique; i++)
		most += (workload->traces[i].nr + LRU_GROUP - 1) / LRU_GROUP;
	for (lru->mask = 1; lru->mask < most; lru->mask *= 2)
		;
	lru->mask--;
	lru->chains = calloc((size_t)lru->mask + 1, sizeof(*lru->chains));
	lru->nodes = calloc(most, sizeof(*lru->nodes));
	lru->leaf = calloc(workload->corpus.unique, sizeof(*lru->leaf));
	if (!lru->chains || !lru->nodes || !lru->leaf)
		return -1;
	lru->nr_nodes = 1;
	lru->nodes[0].present = true;
	for (i = 0; i < workload->corpus.unique; i++)
		lru->leaf[i] = lru_insert(lru, &workload->traces[i]);
	lru->result.tree_lines = lru->nr_nodes - 1;
	return 0;
}

/* Node 0 heads the ring of traces in order of use: its older is the newest, its newer the oldest.
 */
static void order_unlink(struct lru *lru, uint32_t node)
{
	struct node *n = &lru->nodes[node];

	lru->nodes[n->newer].older = n->older;
	lru->nodes[n->older].newer = n->newer;
}

static void order_link_newest(struct lru *lru, uint32_t node)
{
	struct node *n = &lru->nodes[node];

	n->newer = 0;
	n->older = lru->nodes[0].older;
	lru->nodes[n->older].newer = node;
	lru->nodes[0].older = node;
}

/* Gives back one hold of @node; lines that nobody holds any more are freed up to the root. */
static void lru_release(struct lru *lru, uint32_t node)
{
	while (node && !--lru->nodes[node].held) {
		lru->nodes[node].present = false;
		lru->used--;
		node = lru->nodes[node].parent;
	}
}

static bool lru_evict_oldest(struct lru *lru)
{
	uint32_t victim = lru->nodes[0].newer;

	if (!victim)
		return false;
	order_unlink(lru, victim);
	lru->nodes[victim].traced = false;
	lru->result.evictions++;
	lru_release(lru, victim);
	return true;
}

/*
 * Makes the path to @leaf present. What is there of it already is held first, so that making room
 * for the rest does not free it.
 */
static bool lru_add(struct lru *lru, uint32_t leaf)
{
	uint32_t node = leaf, missing = 0;
	bool fits = true;

	for (; !lru->nodes[node].present; node = lru->nodes[node].parent)
		missing++;
	lru->nodes[node].held++;
	while (lru->used + missing > lru->lines && fits)
		fits = lru_evict_oldest(lru);
	if (!fits) {
		lru_release(lru, node);
		return false;
	}
	for (node = leaf; !lru->nodes[node].present; node = lru->nodes[node].parent) {
		lru->nodes[node].present = true;
		lru->nodes[node].held = 1;
	}
	lru->used += missing;
	return true;
}

static void lru_use(struct lru *lru, uint32_t leaf)
{
	if (lru->nodes[leaf].traced) {
		lru->result.hits++;
		order_unlink(lru, leaf);
	} else if (!lru_add(lru, leaf)) {
		lru->result.refused++;
		return;
	}
	lru->nodes[leaf].traced = true;
	order_link_newest(lru, leaf);
}

int lru_simulate(const struct workload *workload, uint32_t lines, struct lru_result *ret_result)
{
	struct lru lru = {.lines = lines};
	int ret = lru_build(&lru, workload);
	uint32_t i;

	for (i = 0; !ret && i < workload->events; i++)
		lru_use(&lru, lru.leaf[workload->corpus.event[i]]);
	if (!ret)
		*ret_result = lru.result;
	free(lru.chains);
	free(lru.nodes);
	free(lru.leaf);
	return ret;
}
