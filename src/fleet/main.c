/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * main.c - stackdepot-fleet: `stackdepot push` and `stackdepot fleet`.
 *
 * A program of its own, which speaks HTTP and TLS: who has the tool alone needs no library for it.
 */
#define _GNU_SOURCE
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "base/complain.h"
#include "base/memory.h"
#include "base/status.h"
#include "options.h"
#include "push.h"
#include "text/output.h"

int main(int argc, char **argv)
{
	struct fleet_options options;
	int status;

	memory_begin(STATUS_FAILED);
	(void)setlocale(LC_CTYPE, "");
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("stackdepot-fleet " STACKDEPOT_VERSION);
		return output_flush() ? STATUS_CLEAN : STATUS_FAILED;
	}
	if (argc < 2 || (strcmp(argv[1], "push") && strcmp(argv[1], "fleet"))) {
		complain("this program is run by stackdepot push and stackdepot fleet");
		return STATUS_FAILED;
	}
	status = fleet_options_parse(&options, argv[1], argc - 1, argv + 1);
	if (!status)
		status = strcmp(argv[1], "push") ? ask_run(&options) : push_run(&options);
	return output_flush() ? status : STATUS_FAILED;
}
