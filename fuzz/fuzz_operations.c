/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Operations chosen by the input, on a depot and on the model of tests/property: the first byte is
 * the shape, each operation takes the bytes it needs.
 */
#include "fuzz.h"
#include "model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct choices choices = {.bytes = data, .left = size};
	const struct model_shape *shape = model_shapes;
	struct model_shape small;
	struct model model;
	uint32_t skip = choose(&choices, 16);

	while (skip--)
		shape = shape[1].name ? shape + 1 : model_shapes;
	/* A few thousand bytes cannot fill a large depot: make it one that they can. */
	small = *shape;
	if (small.lines > 64)
		small.lines = 16 + choose(&choices, 48);
	if (small.traces > 200)
		small.traces = 200;
	model_init(&model, &small, &choices, 1);
	while (choices.left)
		model_step(&model);
	model_finish(&model);
	return 0;
}
