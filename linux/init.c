// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * init.c - the only program of a test kernel: shows what the depot says of itself, and turns off.
 *
 * Built against the kernel's own nolibc. KUnit's suites have run when it starts. It writes into the
 * kernel's log: a console may still have much of that to print, and would print what is written to
 * it directly in the middle, or not at all before the reboot.
 */
#include <nolibc.h>

/*
 * The cache whose objects SLUB shows. It holds the cache's lock meanwhile, and may allocate pages;
 * page_owner sees these and allocates 8 or 16 bytes for a trace that is new. In the same cache it
 * would wait for the lock for ever, in Linux as it is published too: kmalloc-64 is arm's smallest.
 */
#ifdef __arm__
#define INIT_CACHE "kmalloc-128"
#else
#define INIT_CACHE "kmalloc-64"
#endif

static int init_log = -1;

/* An empty line, too, would be a message. */
static void init_say(const char *line, size_t length)
{
	if (length)
		write(init_log, line, length);
}

static void init_title(const char *title)
{
	char line[64] = "--- ";

	/* The small C library of 6.12 has no snprintf(). */
	strlcat(line, title, sizeof(line));
	init_say(line, strlen(line));
}

/* A message is one line. */
static void init_copy(int fd)
{
	char buffer[4096], line[512];
	size_t length = 0;
	ssize_t got, i;

	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		for (i = 0; i < got; i++) {
			if (buffer[i] != '\n')
				line[length++] = buffer[i];
			if (buffer[i] == '\n' || length == sizeof(line)) {
				init_say(line, length);
				length = 0;
			}
		}
	}
	init_say(line, length);
}

static void init_show(const char *title, const char *path)
{
	int fd = open(path, O_RDONLY);

	init_title(title);
	if (fd < 0)
		return;
	init_copy(fd);
	close(fd);
}

/*
 * kmemleak names what is older than 5 seconds when a scan begins, and did not change since the one
 * before.
 */
static void init_scan(void)
{
	int fd = open("/debug/kmemleak", O_WRONLY);

	if (fd < 0)
		return;
	sleep(6);
	write(fd, "scan", 4);
	write(fd, "scan", 4);
	close(fd);
}

/*
 * Errors of lkdtm's that KASAN reports, and after which the kernel goes on. The log has each
 * of them between its title and the next.
 */
static void init_provoke(void)
{
	static const char *const errors[] = {
		"SLAB_LINEAR_OVERFLOW", "WRITE_AFTER_FREE",	  "READ_AFTER_FREE",
		"SLAB_FREE_DOUBLE",	"WRITE_BUDDY_AFTER_FREE", "READ_BUDDY_AFTER_FREE",
	};
	unsigned int i;
	int fd;

	fd = open("/debug/provoke-crash/DIRECT", O_WRONLY);
	if (fd < 0)
		return;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		init_title(errors[i]);
		write(fd, errors[i], strlen(errors[i]));
	}
	init_title("provoked");
	close(fd);
}

int main(void)
{
	init_log = open("/dev/kmsg", O_WRONLY);
	mount("none", "/debug", "debugfs", 0, NULL);
	mount("none", "/proc", "proc", 0, NULL);
	init_scan();
	init_provoke();
	init_show("memory", "/proc/meminfo");
	init_show("kmemleak", "/debug/kmemleak");
	init_show("page owner", "/debug/page_owner_stacks/show_stacks");
	init_show("slab", "/debug/slab/" INIT_CACHE "/alloc_traces");
	init_show("depot", "/debug/stackdepot/stats");
	init_title("end");
	/* s390x's console keeps the last line to itself until there is another. */
	init_title("restart");
#ifdef __aarch64__
	/* Waits for consoles, which threads print to on PREEMPT_RT; restarting does not. */
	reboot(RB_POWER_OFF);
#else
	/* Without ACPI turning off only halts; QEMU runs with -no-reboot. */
	reboot(RB_AUTOBOOT);
#endif
	return 0;
}
