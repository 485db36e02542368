/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * fake.h - as much of the kernel as src/port/linux and linux/ need, in user space.
 *
 * All headers of linux/ lead here. No header of a C library is included, since its types and names
 * would not be the kernel's; fake.c, which is on the other side, provides what needs one.
 */
#ifndef TESTS_LINUX_FAKE_H
#define TESTS_LINUX_FAKE_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef short s16;
typedef int s32;
typedef long long s64;
#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 u128;
#endif
typedef u8 uint8_t;
typedef u16 uint16_t;
typedef u32 uint32_t;
typedef u64 uint64_t;
typedef unsigned long uintptr_t;
typedef unsigned long size_t;
typedef _Bool bool;
typedef unsigned int gfp_t;

#define true 1
#define false 0
#define NULL ((void *)0)
#define U64_MAX (~0ull)

#define ENOENT 2
#define EAGAIN 11
#define ENOMEM 12
#define EBUSY 16
#define EINVAL 22
#define EROFS 30
#define EBADMSG 74
#define EPROTONOSUPPORT 93
#define ESTALE 116

#ifndef CORE_PAGE
#define CORE_PAGE 4096ul
#define CONFIG_PAGE_SIZE_4KB 1
#endif
#define PAGE_SIZE CORE_PAGE
#define SZ_256 0x00000100
#define SZ_1K 0x00000400
#define SZ_4M 0x00400000
#define SZ_128M 0x08000000
#define SZ_2G 0x80000000

/* Where the kernel begins. */
#define _text ((char *)0xffff800080000000ul)

#define offsetof(type, member) __builtin_offsetof(type, member)
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define ALIGN(x, to) (((x) + (to)-1) & ~((u64)(to)-1))
#define PAGE_ALIGN(x) ALIGN(x, PAGE_SIZE)
#define round_up(x, y) ALIGN(x, y)
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define max_t(type, a, b) ((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define div64_u64(a, b) ((a) / (b))
#define clamp_t(type, x, low, high) min_t(type, max_t(type, x, low), high)
#define static_assert(condition, ...) _Static_assert(condition, #condition)
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)

/* Whether an option is 1: what is not defined stays a longer text. */
#define FAKE_TEXT(x) #x
#define FAKE_EXPANDED(x) FAKE_TEXT(x)
#define IS_ENABLED(option) (sizeof(FAKE_EXPANDED(option)) == 2)
#define CONFIG_STACKDEPOT 1
#define CONFIG_STACKDEPOT_MAX_FRAMES 64

#define BIT(n) (1ul << (n))
#define BIT_ULL(n) (1ull << (n))
#define likely(x) __builtin_expect(!!(x), 1)
#define prefetchw(p) __builtin_prefetch(p, 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define noinline __attribute__((noinline))
#define __uninitialized
#define __always_inline inline __attribute__((always_inline))
#define __aligned(bytes) __attribute__((aligned(bytes)))
#define __must_check __attribute__((warn_unused_result))
#define __init
#define __initdata

#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, value) __atomic_store_n(&(x), value, __ATOMIC_RELAXED)
/* What the kernel does not compile where a word has 32 bits. */
#define FAKE_WORD_SIZED(p)                                                     \
	({                                                                     \
		static_assert(sizeof(*(p)) <= sizeof(long), "no native word"); \
		(p);                                                           \
	})
#define smp_load_acquire(p) __atomic_load_n(FAKE_WORD_SIZED(p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, value) __atomic_store_n(FAKE_WORD_SIZED(p), value, __ATOMIC_RELEASE)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define try_cmpxchg(p, expected, desired) \
	__atomic_compare_exchange_n(p, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
/* These two take a cache line from other CPUs, whatever comes of it. They are counted for tests. */
extern unsigned long fake_claims;
#define FAKE_CLAIM() ((void)__atomic_fetch_add(&fake_claims, 1, __ATOMIC_RELAXED))
#define xchg(p, value) (FAKE_CLAIM(), __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST))
#define cmpxchg(p, expected, desired)                     \
	({                                                \
		__typeof__(*(p)) fake_old = (expected);   \
		(void)try_cmpxchg(p, &fake_old, desired); \
		fake_old;                                 \
	})

typedef struct {
	int counter;
} atomic_t;
typedef struct {
	s64 counter __attribute__((aligned(8)));
} atomic64_t;
typedef struct {
	long counter;
} atomic_long_t;

#define atomic_read(a) READ_ONCE((a)->counter)
#define atomic_xchg(a, v) __atomic_exchange_n(&(a)->counter, v, __ATOMIC_SEQ_CST)
#define atomic_add(v, a) ((void)__atomic_fetch_add(&(a)->counter, v, __ATOMIC_SEQ_CST))
#define atomic_sub(v, a) ((void)__atomic_fetch_sub(&(a)->counter, v, __ATOMIC_SEQ_CST))
#define atomic_add_return(v, a) \
	(FAKE_CLAIM(), __atomic_add_fetch(&(a)->counter, v, __ATOMIC_SEQ_CST))
#define atomic_add_return_relaxed(v, a) __atomic_add_fetch(&(a)->counter, v, __ATOMIC_RELAXED)
#define atomic_cmpxchg_relaxed(a, old, new)                          \
	({                                                           \
		int fake_before = (old);                             \
		(void)try_cmpxchg(&(a)->counter, &fake_before, new); \
		fake_before;                                         \
	})
#define atomic_set(a, v) WRITE_ONCE((a)->counter, v)
#define atomic64_read(a) READ_ONCE((a)->counter)
#define atomic64_read_acquire(a) __atomic_load_n(&(a)->counter, __ATOMIC_ACQUIRE)
#define atomic64_set(a, v) WRITE_ONCE((a)->counter, v)
#define atomic64_set_release(a, v) __atomic_store_n(&(a)->counter, v, __ATOMIC_RELEASE)
#define atomic64_fetch_add_relaxed(v, a) __atomic_fetch_add(&(a)->counter, v, __ATOMIC_RELAXED)
#define atomic64_inc(a) ((void)atomic64_fetch_add_relaxed(1, a))
/* The kernel is compiled with -Wno-pointer-sign. */
#define atomic64_try_cmpxchg(a, expected, desired) \
	try_cmpxchg(&(a)->counter, (s64 *)(expected), (s64)(desired))

#define BITS_PER_LONG (8 * __SIZEOF_LONG__)
#define FAKE_BIT(bit) (1ul << (bit) % BITS_PER_LONG)
#define FAKE_WORD(bit, bits) ((bits) + (bit) / BITS_PER_LONG)
#define test_bit(bit, bits) (!!(READ_ONCE(*FAKE_WORD(bit, bits)) & FAKE_BIT(bit)))
#define test_and_set_bit(bit, bits) \
	((void)__atomic_fetch_or(FAKE_WORD(bit, bits), FAKE_BIT(bit), __ATOMIC_SEQ_CST))
#define test_and_clear_bit(bit, bits) \
	((void)__atomic_fetch_and(FAKE_WORD(bit, bits), ~FAKE_BIT(bit), __ATOMIC_SEQ_CST))
#define __ffs(word) ((unsigned long)__builtin_ctzl(word))
#define fls(n) (32 - __builtin_clz(n))
#define ilog2(n) (31 - __builtin_clz(n))
#define atomic_long_read(a) READ_ONCE((a)->counter)
#define atomic_long_inc(a) ((void)__atomic_fetch_add(&(a)->counter, 1, __ATOMIC_SEQ_CST))

/* Contexts: what a test says they are. */
extern bool fake_in_nmi, fake_in_hardirq, fake_preemptible, fake_booting;
#define in_nmi() fake_in_nmi
#define in_hardirq() fake_in_hardirq
#define in_task() (!fake_in_nmi && !fake_in_hardirq)
#define preemptible() fake_preemptible
#define SYSTEM_SCHEDULING 1
#define system_state (fake_booting ? 0 : SYSTEM_SCHEDULING + 1)

struct mutex {
	int unused;
};
#define DEFINE_MUTEX(name) struct mutex name
#define mutex_lock(mutex) ((void)(mutex))
#define mutex_unlock(mutex) ((void)(mutex))

/* Memory. */
#define GFP_KERNEL 1u
#define __GFP_RECLAIM 1u
#define gfpflags_allow_spinning(gfp) (!!((gfp)&__GFP_RECLAIM))
#define __GFP_ZERO 2u
#define gfp_nested_mask(gfp) (gfp)

struct page;
void *alloc_pages_exact(size_t bytes, gfp_t gfp);
void free_pages_exact(void *address, size_t bytes);
#define free_page(address) free_pages_exact((void *)(address), PAGE_SIZE)
void *vzalloc(unsigned long bytes);
void vfree(void *memory);
void *kvzalloc(size_t bytes, gfp_t gfp);
void kvfree(void *memory);
void *memblock_alloc(u64 bytes, u64 align);
u64 memblock_phys_mem_size(void);
unsigned long totalram_pages(void);
u64 get_random_u64(void);

/* Text. */
#define pr_info(format, ...) fake_print(pr_fmt(format), ##__VA_ARGS__)
#define pr_warn(format, ...) fake_print(pr_fmt(format), ##__VA_ARGS__)
#define pr_err(format, ...) fake_print(pr_fmt(format), ##__VA_ARGS__)
__attribute__((format(printf, 1, 2))) void fake_print(const char *format, ...);
int kstrtobool(const char *text, bool *ret_value);
int kstrtouint(const char *text, unsigned int base, unsigned int *ret_value);
unsigned long long memparse(const char *text, char **ret_end);
#define WARN_ON(condition) fake_warn(condition, #condition)
#define WARN_ONCE(condition, ...) fake_warn(condition, #condition)
bool fake_warn(bool condition, const char *text);

void stack_trace_print(const unsigned long *entries, unsigned int nr, int spaces);
int stack_trace_snprint(char *buf, size_t size, const unsigned long *entries, unsigned int nr,
			int spaces);
unsigned int filter_irq_stacks(unsigned long *entries, unsigned int nr);
#define kmsan_unpoison_memory(memory, bytes) ((void)(memory), (void)(bytes))

/* What runs at boot is kept, for fake_boot_param() and fake_late_initcalls(). */
void fake_add_param(const char *name, int (*parse)(char *text));
void fake_add_initcall(int (*call)(void));
#define early_param(name, function)                                    \
	__attribute__((constructor)) static void function##_fake(void) \
	{                                                              \
		fake_add_param(name, function);                        \
	}
#define late_initcall(function)                                        \
	__attribute__((constructor)) static void function##_fake(void) \
	{                                                              \
		fake_add_initcall(function);                           \
	}
#define EXPORT_SYMBOL(name) _Static_assert(1, "takes the semicolon")
#define EXPORT_SYMBOL_GPL(name) _Static_assert(1, "takes the semicolon")
#define EXPORT_SYMBOL_IF_KUNIT(name) _Static_assert(1, "takes the semicolon")

/* debugfs. */
struct dentry;
struct seq_file;
struct file_operations {
	int (*show)(struct seq_file *seq, void *v);
};
#define DEFINE_SHOW_ATTRIBUTE(name) \
	static const struct file_operations name##_fops = {.show = name##_show}
struct dentry *debugfs_create_dir(const char *name, struct dentry *parent);
struct dentry *debugfs_create_file(const char *name, unsigned short mode, struct dentry *parent,
				   void *data, const struct file_operations *fops);
__attribute__((format(printf, 2, 3))) void seq_printf(struct seq_file *seq, const char *format,
						      ...);

#endif
