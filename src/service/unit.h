/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * unit.h - a service as systemd sees it: its file and what others drop into it, without ours.
 *
 * Files are read as systemd.unit(5) has it, and no systemd is asked: so an image is read as a
 * running system is. What was set by systemctl set-environment, or as the default of all units, is
 * not seen.
 */
#ifndef SERVICE_UNIT_H
#define SERVICE_UNIT_H

#include <stdbool.h>
#include <stddef.h>

/* Where units are: of the system or of a user, for good or until the next start, and below ROOT. */
struct unit_place {
	const char *root; /* NULL: / */
	bool user;
	bool runtime;
};

struct unit {
	char *name; /* with ".service"; that of the file, if an alias was asked for */
	char *path; /* the file, below the root */
	struct unit_setting *settings;
	size_t nr;
	size_t room;
};

/* NAME may be without ".service", of a template, or of an instance. NULL after a complaint. */
struct unit *unit_read(const struct unit_place *place, const char *name);
void unit_close(struct unit *unit);
/* Where our own goes, below the root; to be freed. NULL after a complaint: there is no HOME. */
char *unit_drop_in(const struct unit_place *place, const char *name);
/* The same name with ".service"; NULL after a complaint, if it is none. */
char *unit_full_name(const char *name);
/* Directories in which such files of ours may be, ended by NULL; to be freed, and each. */
char **unit_own_places(const struct unit_place *place);

/* The last value of [Service] KEY=; NULL: none, or reset. */
const char *unit_value(const struct unit *unit, const char *key);
bool unit_is_set(const struct unit *unit, const char *key); /* to yes */
/* Values of [Service] KEY= since it was reset, one after the other from *POSITION, 0 before. */
const char *unit_next(const struct unit *unit, const char *key, size_t *position);

/* The first word of *TEXT, without its quotes, to be freed; *TEXT goes on behind. NULL: no more. */
char *unit_word(const char **text);
/* WORD as systemd reads it again, between quotes. */
char *unit_quote(const char *word);
/* With %n, %p and the like filled in, to be freed; NULL: has one that only systemd knows. */
char *unit_expand(const struct unit *unit, const char *text);

#endif
