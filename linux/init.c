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

static void init_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	write(fd, text, strlen(text));
	close(fd);
}

int main(void)
{
	mount("none", "/debug", "debugfs", 0, NULL);
	mount("none", "/proc", "proc", 0, NULL);
	/* The first scan only notes what objects look like. */
	init_write("/debug/kmemleak", "scan");
	init_write("/debug/kmemleak", "scan");
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
