/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* drop_in.h - the file by which systemd starts a service recorded. */
#ifndef SERVICE_DROP_IN_H
#define SERVICE_DROP_IN_H

#include "unit.h"

/* The name of the store without directories, "web" of "web.service"; to be freed. */
char *drop_in_store_name(const char *unit_name);
/* What the file holds; PRELOAD and OPTIONS are words for systemd. To be freed. */
char *drop_in_text(const struct unit_place *place, const struct unit *unit, const char *preload,
		   const char *options);
/* True, if it was written or is as it should be. Else after a complaint. */
bool drop_in_write(const struct unit_place *place, const char *path, const char *text);
/* 1: it is gone, 0: there was none, -1 after a complaint. */
int drop_in_remove(const struct unit_place *place, const char *path);
/* The file's text, to be freed; NULL: it is not there, or not ours. */
char *drop_in_read(const struct unit_place *place, const char *path);
/* What STACKDEPOT_OPTIONS has in TEXT for NAME, to be freed; NULL: nothing. */
char *drop_in_option(const char *text, const char *name);

#endif
