/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* serve.h - connections, requests, answers. */
#ifndef AGENT_SERVE_H
#define AGENT_SERVE_H

#include "jobs.h"
#include "look.h"
#include "options.h"
#include "push.h"

struct serve;

/* NULL after a complaint. */
struct serve *serve_open(const struct agent_options *options, struct look *look, struct jobs *jobs,
			 const struct push *push);
void serve_close(struct serve *serve);
/* Where it listens, as a client writes it. */
const char *serve_address(const struct serve *serve);
/* To be waited for. */
int serve_fd(const struct serve *serve);
/* When serve_step() is due even if nothing comes; CLOCK_MONOTONIC. */
uint64_t serve_due_ns(const struct serve *serve);
/* Do what can be done now. */
void serve_step(struct serve *serve);
/* A look is complete. */
void serve_looked(struct serve *serve);
/* A job has ended; its owner is the request. */
void serve_ready(void *request);

#endif
