/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* launch.h - start a program with the recorder preloaded, and wait for it. */
#ifndef CLI_LAUNCH_H
#define CLI_LAUNCH_H

#include <stdbool.h>

/* Exit statuses, those of env(1), if the program was not started. */
#define LAUNCH_FAILED 125
#define LAUNCH_CANNOT 126
#define LAUNCH_NOT_FOUND 127

/* The preload library next to this program; NULL after a complaint. To be freed. */
char *launch_preload(void);
/*
 * The library as a unit's LD_PRELOAD names it, and the file that this is, both to be freed; that of
 * an image is where packages have it. NULL after a complaint.
 */
char *launch_service_preload(const char *root, char **ret_file);
/* Where PROGRAM is; to be freed. NULL after a complaint and *ret_status set, if it cannot run so.
 */
char *launch_find(const char *program, int *ret_status);

/* Run it recorded, options being STACKDEPOT_OPTIONS, and wait for it. False after a complaint, with
 * an exit status for it. */
struct launch {
	char *const *argv;
	const char *preload;
	const char *program;
	char *options;
	int wait_status;
	bool ended; /* and wait_status says how */
	int failed_status;
	int pid;
	const char *store;
	void (*every_second)(const struct launch *launch); /* while it runs; may be NULL */
};
bool launch_run(struct launch *launch);
/* Wait for the end of a program that has begun, if that is still to come; allocates nothing. */
void launch_wait_out(struct launch *launch);

#endif
