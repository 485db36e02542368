// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * callers.c - makes DRM show stacks that it saved: its own suites save many, and show none.
 *
 * A node is left in a range allocator that is taken down, and a modeset lock is found contended and
 * not backed off from. Both warn, and print the trace that they have a handle of.
 */
#include <drm/drm_mm.h>
#include <drm/drm_modeset_lock.h>
#include <linux/completion.h>
#include <linux/init.h>
#include <linux/kthread.h>
#include <linux/printk.h>

static noinline void __init callers_leave_node(void)
{
	struct drm_mm_node node = {};
	struct drm_mm mm;

	drm_mm_init(&mm, 0, 4096);
	if (drm_mm_insert_node(&mm, &node, 64))
		return;
	drm_mm_takedown(&mm);
	drm_mm_remove_node(&node);
}

/* Two threads want both locks. The older one goes on waiting, the younger one gets -EDEADLK. */
static struct drm_modeset_lock callers_older_first, callers_younger_first;
static DECLARE_COMPLETION(callers_older_holds);
static DECLARE_COMPLETION(callers_younger_holds);
static DECLARE_COMPLETION(callers_older_ends);

static int callers_older(void *unused)
{
	struct drm_modeset_acquire_ctx ctx;

	drm_modeset_acquire_init(&ctx, 0);
	drm_modeset_lock(&callers_older_first, &ctx);
	complete(&callers_older_holds);
	wait_for_completion(&callers_younger_holds);
	drm_modeset_lock(&callers_younger_first, &ctx);
	drm_modeset_drop_locks(&ctx);
	drm_modeset_acquire_fini(&ctx);
	complete(&callers_older_ends);
	return 0;
}

static noinline void __init callers_contend(void)
{
	struct drm_modeset_acquire_ctx ctx;

	drm_modeset_lock_init(&callers_older_first);
	drm_modeset_lock_init(&callers_younger_first);
	if (IS_ERR(kthread_run(callers_older, NULL, "callers_older")))
		return;
	wait_for_completion(&callers_older_holds);
	drm_modeset_acquire_init(&ctx, 0);
	drm_modeset_lock(&callers_younger_first, &ctx);
	complete(&callers_younger_holds);
	if (drm_modeset_lock(&callers_older_first, &ctx) != -EDEADLK)
		pr_err("callers: no deadlock was found\n");
	drm_modeset_drop_locks(&ctx);
	drm_modeset_acquire_fini(&ctx);
	wait_for_completion(&callers_older_ends);
}

static int __init callers_init(void)
{
	callers_leave_node();
	callers_contend();
	return 0;
}
late_initcall_sync(callers_init);
