/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * As much of a kernel as lib/stackdepot.c of Linux 6.12 and of 7.3 needs to run in a process, for
 * one CPU or several, so that its speed can be measured.
 *
 * What costs time in the kernel costs time here: atomic operations are atomic, the lock is a lock,
 * a reference is counted with the same loop. What has no counterpart in a process costs nothing:
 * disabling interrupts and preemption, deferring printk.
 */
#ifndef LINUX_SHIM_H
#define LINUX_SHIM_H

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CONFIG_STACKDEPOT 1
#define CONFIG_STACKDEPOT_MAX_FRAMES 64
#define IS_ENABLED(option) 0

typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned int gfp_t;

#define GFP_KERNEL 3u /* may wait for memory, and wake who frees it */
#define GFP_NOWAIT 2u /* may wake him only */
#define gfp_nested_mask(flags) (flags)
/* Whoever may do neither may not wait for a lock either. */
#define gfpflags_allow_spinning(flags) (!!((flags)&GFP_KERNEL))

#define __init
#define __initdata
#define __read_mostly
#define __must_check __attribute__((__warn_unused_result__))
#define EXPORT_SYMBOL(name) static_assert(1, "")
#define EXPORT_SYMBOL_GPL(name) static_assert(1, "")
#define early_param(name, function) \
	static int (*const shim_##function)(char *) __attribute__((__unused__)) = function
#define late_initcall(function) int (*const shim_late_initcall)(void) = function

/* What clang's analysis of locks is told. */
#define __guarded_by(lock)
#define __pt_guarded_by(lock)
#define __must_hold(lock)
#define __must_not_hold(lock)
#define context_unsafe(x) (x)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
#define data_race(x) (x)
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ALIGN(x, a) (((x) + (a)-1) & ~((__typeof__(x))(a)-1))
#define array_size(a, b) ((size_t)(a) * (b))
#define flex_array_size(p, member, count) ((size_t)(count) * sizeof(*(p)->member))
#define ASSERT_EXCLUSIVE_WRITER(x) ((void)0)
#define lockdep_assert_held(lock) ((void)0)
#define lockdep_assert_not_held(lock) ((void)0)
#define kmsan_unpoison_memory(p, size) ((void)0)
#define kasan_enabled() true

#define pr_info(...) ((void)0)
#define pr_err(format, ...) fprintf(stderr, pr_fmt(format), ##__VA_ARGS__)
#define WARN(condition, ...) shim_warn(!!(condition), __func__, __LINE__)
#define WARN_ON(condition) shim_warn(!!(condition), __func__, __LINE__)
#define WARN_ONCE WARN
#define WARN_ON_ONCE WARN_ON

void shim_warning(const char *function, int line);

static inline bool shim_warn(bool condition, const char *function, int line)
{
	if (unlikely(condition))
		shim_warning(function, line);
	return unlikely(condition);
}

/* --- memory -------------------------------------------------------------------------------- */

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define HASH_EARLY 1
#define STACK_DEPOT_POISON ((void *)0xdec0)

struct page;

struct page *alloc_pages(gfp_t flags, unsigned int order);
void free_pages(unsigned long address, unsigned int order);
/* Only tables are allocated so; like all memory here they go with the object. */
void *kvcalloc(size_t nr, size_t size, gfp_t flags);
#define kvzalloc_objs(type, nr) kvcalloc(nr, sizeof(type), GFP_KERNEL)
#define memblock_alloc(size, align) kvcalloc(1, size, GFP_KERNEL)
#define memblock_free(p, size) ((void)(p))
#define kvfree(p) ((void)(p))
void *alloc_large_system_hash(const char *name, unsigned long bucket, unsigned long entries,
			      int scale, int flags, unsigned int *ret_shift, unsigned int *ret_mask,
			      unsigned long low, unsigned long high);
/* So many that the hash table gets its full 2^20 buckets, as with KASAN, or 16 GiB of memory. */
unsigned long nr_free_buffer_pages(void);
/* Bytes allocated; of them the tables: of hashes, and in 7.3 that of pools, static in 6.12. */
uint64_t shim_bytes(uint64_t *ret_table);

static inline void *page_address(struct page *page)
{
	return page;
}

static inline struct page *virt_to_page(void *address)
{
	return address;
}

#define free_pages_nolock(page, order) free_pages((unsigned long)(page), order)

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n < 2 ? 1 : 1ul << (64 - __builtin_clzl(n - 1));
}

/* --- lists --------------------------------------------------------------------------------- */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD(name) struct list_head name = {&(name), &(name)}
#define list_entry(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
/* A consuming load; on the machines this runs on it needs no more than not being torn. */
#define list_next_rcu(p) READ_ONCE((p)->next)
#define list_for_each_entry_rcu(entry, head, member)                                \
	for (entry = list_entry(list_next_rcu(head), __typeof__(*(entry)), member); \
	     &(entry)->member != (head);                                            \
	     entry = list_entry(list_next_rcu(&(entry)->member), __typeof__(*(entry)), member))

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return READ_ONCE(head->next) == head;
}

static inline void list_insert(struct list_head *entry, struct list_head *before,
			       struct list_head *after)
{
	entry->next = after;
	entry->prev = before;
	after->prev = entry;
	/* Readers follow next without the lock: the entry has to be whole before they find it. */
	__atomic_store_n(&before->next, entry, __ATOMIC_RELEASE);
}

static inline void list_add_rcu(struct list_head *entry, struct list_head *head)
{
	list_insert(entry, head, head->next);
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	list_insert(entry, head->prev, head);
}

/* next stays, for a reader that stands on the entry. */
static inline void list_del_rcu(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	WRITE_ONCE(entry->prev->next, entry->next);
}

#define list_del(entry) list_del_rcu(entry)

/* --- read-copy-update ---------------------------------------------------------------------- */

/*
 * A grace period is over when it is asked for. A record freed and taken again is then in use at
 * once; the benchmark puts no reference to zero while others look up.
 */
#define rcu_read_lock_sched_notrace() __asm__ volatile("" ::: "memory")
#define rcu_read_unlock_sched_notrace() __asm__ volatile("" ::: "memory")
#define get_state_synchronize_rcu() 0ul
#define poll_state_synchronize_rcu(state) ((void)(state), true)

/* --- references ---------------------------------------------------------------------------- */

#define REFCOUNT_SATURATED (INT_MIN / 2)

typedef struct {
	atomic_int count;
} refcount_t;

static inline void refcount_set(refcount_t *reference, int value)
{
	atomic_store_explicit(&reference->count, value, memory_order_relaxed);
}

static inline unsigned int refcount_read(const refcount_t *reference)
{
	return (unsigned int)atomic_load_explicit(&((refcount_t *)reference)->count,
						  memory_order_relaxed);
}

static inline bool refcount_inc_not_zero(refcount_t *reference)
{
	int old = atomic_load_explicit(&reference->count, memory_order_relaxed);

	do {
		if (!old)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&reference->count, &old, old + 1, memory_order_relaxed, memory_order_relaxed));
	if (unlikely(old < 0 || old == INT_MAX))
		refcount_set(reference, REFCOUNT_SATURATED);
	return true;
}

static inline bool refcount_dec_and_test(refcount_t *reference)
{
	int old = atomic_fetch_sub_explicit(&reference->count, 1, memory_order_release);

	if (old == 1) {
		atomic_thread_fence(memory_order_acquire);
		return true;
	}
	if (unlikely(old <= 0))
		refcount_set(reference, REFCOUNT_SATURATED);
	return false;
}

/* --- locks --------------------------------------------------------------------------------- */

typedef struct {
	atomic_int taken;
} raw_spinlock_t;

struct mutex {
	int unused;
};

#define DEFINE_RAW_SPINLOCK(name) raw_spinlock_t name
#define DEFINE_MUTEX(name) struct mutex name
#define mutex_lock(mutex) ((void)(mutex))
#define mutex_unlock(mutex) ((void)(mutex))
#define printk_deferred_enter() ((void)0)
#define printk_deferred_exit() ((void)0)
#define in_nmi() false

static inline bool shim_trylock(raw_spinlock_t *lock)
{
	int free = 0;

	return atomic_compare_exchange_strong_explicit(&lock->taken, &free, 1, memory_order_acquire,
						       memory_order_relaxed);
}

static inline void shim_lock(raw_spinlock_t *lock)
{
	while (!shim_trylock(lock))
		while (atomic_load_explicit(&lock->taken, memory_order_relaxed))
			__builtin_ia32_pause();
}

static inline void shim_unlock(raw_spinlock_t *lock)
{
	atomic_store_explicit(&lock->taken, 0, memory_order_release);
}

#define raw_spin_lock_irqsave(lock, flags) ((flags) = 0, shim_lock(lock))
#define raw_spin_trylock_irqsave(lock, flags) ((flags) = 0, shim_trylock(lock))
#define raw_spin_unlock_irqrestore(lock, flags) ((void)(flags), shim_unlock(lock))

/* --- hashing ------------------------------------------------------------------------------- */

/* Bob Jenkins' lookup3 over 32-bit words, which he put into the public domain. */
#define JHASH_ROTATE(x, k) ((x) << (k) | (x) >> (32 - (k)))
#define JHASH_MIX(a, b, c, k) (a -= c, a ^= JHASH_ROTATE(c, k), c += b)
#define JHASH_FINISH(a, b, k) (a ^= b, a -= JHASH_ROTATE(b, k))

static inline u32 jhash2(const u32 *key, u32 length, u32 seed)
{
	u32 a = 0xdeadbeef + (length << 2) + seed, b = a, c = a;

	for (; length > 3; length -= 3, key += 3) {
		a += key[0];
		b += key[1];
		c += key[2];
		JHASH_MIX(a, b, c, 4);
		JHASH_MIX(b, c, a, 6);
		JHASH_MIX(c, a, b, 8);
		JHASH_MIX(a, b, c, 16);
		JHASH_MIX(b, c, a, 19);
		JHASH_MIX(c, a, b, 4);
	}
	c += length > 2 ? key[2] : 0;
	b += length > 1 ? key[1] : 0;
	if (!length)
		return c;
	a += key[0];
	JHASH_FINISH(c, b, 14);
	JHASH_FINISH(a, c, 11);
	JHASH_FINISH(b, a, 25);
	JHASH_FINISH(c, b, 16);
	JHASH_FINISH(a, c, 4);
	JHASH_FINISH(b, a, 14);
	JHASH_FINISH(c, b, 24);
	return c;
}

/* --- debugfs ------------------------------------------------------------------------------- */

struct dentry;
/* Stands for a FILE. */
struct seq_file;
struct file_operations {
	int (*show)(struct seq_file *seq, void *v);
};

/* What the depot registers; its only file says what is in it. */
extern int (*const shim_late_initcall)(void);
extern const struct file_operations *shim_debugfs;

#define DEFINE_SHOW_ATTRIBUTE(name) static const struct file_operations name##_fops = {name##_show}
#define seq_printf(seq, ...) fprintf((FILE *)(seq), __VA_ARGS__)
#define debugfs_create_dir(name, parent) ((struct dentry *)NULL)
#define debugfs_create_file(name, mode, dir, data, fops) ((void)(dir), shim_debugfs = (fops))

/* --- what is never called here ------------------------------------------------------------- */

#define kstrtobool(string, result) ((void)(string), (void)(result), 0)
#define kstrtouint(string, base, result) ((void)(string), *(result) = 0, 0)
#define filter_irq_stacks(entries, nr) ((void)(entries), (nr))
#define stack_trace_print(entries, nr, spaces) ((void)(entries))
#define stack_trace_snprint(buffer, size, entries, nr, spaces) \
	((void)(buffer), (void)(size), (void)(entries), (void)(spaces), 0)

#endif
