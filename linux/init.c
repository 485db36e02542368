// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * init.c - the only program of a test kernel: shows what the depot says of itself, and turns off.
 *
 * Built against the kernel's own nolibc. KUnit's suites have run when it starts.
 */
#include <nolibc.h>

static void init_show(const char *title, const char *path)
{
	char buffer[4096];
	ssize_t got;
	int fd = open(path, O_RDONLY);

	printf("--- %s\n", title);
	fflush(stdout);
	if (fd < 0)
		return;
	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		write(1, buffer, (size_t)got);
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

int main(void)
{
	mount("none", "/debug", "debugfs", 0, NULL);
	mount("none", "/proc", "proc", 0, NULL);
	init_scan();
	init_show("memory", "/proc/meminfo");
	init_show("kmemleak", "/debug/kmemleak");
	init_show("page owner", "/debug/page_owner_stacks/show_stacks");
	init_show("slab", "/debug/slab/kmalloc-64/alloc_traces");
	init_show("depot", "/debug/stackdepot/stats");
	printf("--- end\n");
	fflush(stdout);
	/* Without ACPI turning off only halts; QEMU runs with -no-reboot. */
	reboot(RB_AUTOBOOT);
	return 0;
}
