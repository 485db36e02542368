/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: neither unwind tables nor a frame pointer, as in busybox
 * build: $CC -g -O2 -fno-asynchronous-unwind-tables $SRC/no_frame_pointer.c -o no_frame_pointer
 * expect: errors 0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list {
	struct list *next;
	void (*function)(struct list *);
};

static __attribute__((noinline)) void walks(struct list *list)
{
	char *text = malloc(32);

	strcpy(text, "of a list on the stack");
	if (list->next)
		list->next->function(list->next);
	free(text);
}

/* Lists on the stack look like frames that are chained: a pointer upwards, a pointer to code. */
static __attribute__((noinline)) int many(int depth)
{
	struct list outer = {NULL, walks}, inner = {&outer, walks};
	char *text = malloc((size_t)depth + 1);
	int sum;

	inner.function(&inner);
	sum = depth ? many(depth - 1) + 1 : 0;
	free(text);
	return sum;
}

int main(void)
{
	printf("%d\n", many(40));
	return 0;
}
