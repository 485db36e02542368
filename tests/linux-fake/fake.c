// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* fake.c - the kernel's functions, made of a C library's. */
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"

#ifdef CORE_PAGE
#define FAKE_PAGE CORE_PAGE
#else
#define FAKE_PAGE 4096u
#endif
#define FAKE_MAX 8

bool fake_in_nmi, fake_in_hardirq, fake_preemptible = true, fake_booting;
long fake_pages;
long fake_pages_allowed = -1;
unsigned int fake_warnings;
unsigned long fake_claims;
void *fake_early;
long fake_early_allowed = -1;

static struct {
	const char *name;
	int (*parse)(char *text);
} params[FAKE_MAX];
static int (*initcalls[FAKE_MAX])(void);
static unsigned int nr_params, nr_initcalls;
static int (*stats_show)(void *seq, void *v);

struct text {
	char *buffer;
	size_t size, length;
};

/* Declared as the kernel declares them, in fake.h, which cannot be included here. */
void *alloc_pages_exact(size_t bytes, unsigned int gfp);
void free_pages_exact(void *address, size_t bytes);
void *vzalloc(unsigned long bytes);
void vfree(void *memory);
void *kvzalloc(size_t bytes, unsigned int gfp);
void kvfree(void *memory);
void *memblock_alloc(unsigned long long bytes, unsigned long long align);
unsigned long long memblock_phys_mem_size(void);
unsigned long totalram_pages(void);
unsigned long long get_random_u64(void);
void fake_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
int kstrtobool(const char *text, bool *ret_value);
int kstrtouint(const char *text, unsigned int base, unsigned int *ret_value);
unsigned long long memparse(const char *text, char **ret_end);
bool fake_warn(bool condition, const char *text);
void stack_trace_print(const unsigned long *entries, unsigned int nr, int spaces);
int stack_trace_snprint(char *buf, size_t size, const unsigned long *entries, unsigned int nr,
			int spaces);
unsigned int filter_irq_stacks(unsigned long *entries, unsigned int nr);
void fake_add_param(const char *name, int (*parse)(char *text));
void fake_add_initcall(int (*call)(void));
void *debugfs_create_dir(const char *name, void *parent);
void *debugfs_create_file(const char *name, unsigned short mode, void *parent, void *data,
			  int (*const *fops)(void *seq, void *v));
void seq_printf(void *seq, const char *format, ...) __attribute__((format(printf, 2, 3)));

void *alloc_pages_exact(size_t bytes, unsigned int gfp)
{
	const long pages = (long)(bytes / FAKE_PAGE);
	void *address;

	(void)gfp;
	if (fake_in_nmi)
		(void)fake_warn(true, "alloc_pages_exact() in an NMI");
	if (fake_pages_allowed >= 0 && fake_pages_allowed < pages)
		return NULL;
	address = aligned_alloc(FAKE_PAGE, bytes);
	if (!address)
		return NULL;
	if (fake_pages_allowed > 0)
		(void)__atomic_fetch_sub(&fake_pages_allowed, pages, __ATOMIC_RELAXED);
	(void)__atomic_fetch_add(&fake_pages, pages, __ATOMIC_RELAXED);
	return memset(address, 0, bytes);
}

void free_pages_exact(void *address, size_t bytes)
{
	if (!address)
		return;
	(void)__atomic_fetch_sub(&fake_pages, (long)(bytes / FAKE_PAGE), __ATOMIC_RELAXED);
	free(address);
}

void *vzalloc(unsigned long bytes)
{
	unsigned long rounded = (bytes + FAKE_PAGE - 1) / FAKE_PAGE * FAKE_PAGE;
	void *memory = aligned_alloc(FAKE_PAGE, rounded);

	return memory ? memset(memory, 0, rounded) : NULL;
}

void vfree(void *memory)
{
	free(memory);
}

void *kvzalloc(size_t bytes, unsigned int gfp)
{
	(void)gfp;
	return calloc(1, bytes);
}

void kvfree(void *memory)
{
	free(memory);
}

void *memblock_alloc(unsigned long long bytes, unsigned long long align)
{
	(void)align;
	if (!fake_early_allowed)
		return NULL;
	if (fake_early_allowed > 0)
		fake_early_allowed--;
	fake_early = vzalloc(bytes);
	return fake_early;
}

unsigned long long fake_memory_bytes = 256ull << 20;

unsigned long long memblock_phys_mem_size(void)
{
	return fake_memory_bytes;
}

unsigned long totalram_pages(void)
{
	return (unsigned long)(fake_memory_bytes / FAKE_PAGE);
}

unsigned long long get_random_u64(void)
{
	return 0x0123456789abcdefull;
}

/* Printed, and remembered for fake_said(). */
static char said[16384];
static size_t said_length;

void fake_print(const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(said + said_length, sizeof(said) - said_length, format, arguments);
	va_end(arguments);
	(void)fputs(said + said_length, stdout);
	if (length > 0 && (size_t)length < sizeof(said) - said_length)
		said_length += (size_t)length;
}

unsigned int fake_said(const char *text)
{
	const char *at = said;
	unsigned int nr = 0;

	said[said_length] = '\0';
	for (; (at = strstr(at, text)); at++)
		nr++;
	return nr;
}

int kstrtobool(const char *text, bool *ret_value)
{
	*ret_value = *text == '1' || *text == 'y' || *text == 'o';
	return 0;
}

int kstrtouint(const char *text, unsigned int base, unsigned int *ret_value)
{
	char *end;
	unsigned long value = strtoul(text, &end, (int)base);

	if (!*text || *text == '-' || *end || value > UINT_MAX)
		return -1;
	*ret_value = (unsigned int)value;
	return 0;
}

unsigned long long memparse(const char *text, char **ret_end)
{
	static const char units[] = "KMGT";
	unsigned long long value;
	const char *unit;
	char *end = (char *)(uintptr_t)text;

	/* No sign, unlike the C library's. */
	value = *text >= '0' && *text <= '9' ? strtoull(text, &end, 0) : 0;
	unit = *end ? strchr(units, *end) : NULL;

	if (unit) {
		value <<= 10 * (unit - units + 1);
		end++;
	}
	if (ret_end)
		*ret_end = end;
	return value;
}

bool fake_warn(bool condition, const char *text)
{
	if (condition) {
		fake_warnings++;
		(void)printf("warning: %s\n", text);
	}
	return condition;
}

void stack_trace_print(const unsigned long *entries, unsigned int nr, int spaces)
{
	char text[4096];

	(void)stack_trace_snprint(text, sizeof(text), entries, nr, spaces);
	(void)fputs(text, stdout);
}

int stack_trace_snprint(char *buf, size_t size, const unsigned long *entries, unsigned int nr,
			int spaces)
{
	size_t length = 0;
	unsigned int i;

	for (i = 0; i < nr && length < size; i++)
		length += (size_t)snprintf(buf + length, size - length, "%*s0x%lx\n", spaces, "",
					   entries[i]);
	return (int)length;
}

/* An "interrupt" is entered at this frame. */
unsigned int filter_irq_stacks(unsigned long *entries, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (entries[i] == FAKE_IRQ_FRAME)
			return i + 1;
	return nr;
}

void fake_add_param(const char *name, int (*parse)(char *text))
{
	params[nr_params].name = name;
	params[nr_params++].parse = parse;
}

void fake_add_initcall(int (*call)(void))
{
	initcalls[nr_initcalls++] = call;
}

int fake_boot_param(const char *name, const char *value)
{
	char text[64];
	unsigned int i;

	(void)snprintf(text, sizeof(text), "%s", value);
	for (i = 0; i < nr_params; i++)
		if (!strcmp(params[i].name, name))
			return params[i].parse(text);
	return -1;
}

void fake_late_initcalls(void)
{
	unsigned int i;

	for (i = 0; i < nr_initcalls; i++)
		(void)initcalls[i]();
}

void *debugfs_create_dir(const char *name, void *parent)
{
	(void)name;
	return parent;
}

void *debugfs_create_file(const char *name, unsigned short mode, void *parent, void *data,
			  int (*const *fops)(void *seq, void *v))
{
	(void)mode;
	(void)data;
	if (!strcmp(name, "stats"))
		stats_show = *fops;
	return parent;
}

void seq_printf(void *seq, const char *format, ...)
{
	struct text *text = seq;
	va_list arguments;

	va_start(arguments, format);
	text->length += (size_t)vsnprintf(text->buffer + text->length, text->size - text->length,
					  format, arguments);
	va_end(arguments);
}

void fake_read_stats(char *buffer, size_t size)
{
	struct text text = {buffer, size, 0};

	buffer[0] = '\0';
	if (stats_show)
		(void)stats_show(&text, NULL);
}
