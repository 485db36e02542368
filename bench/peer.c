/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "peer.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Peers lie in the directory of the running program. */
static int peer_path(const char *file, char *path, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (length <= 0)
		return -1;
	path[length] = 0;
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash - path) + strlen(file) + 2 > size)
		return -1;
	strcpy(slash + 1, file);
	return 0;
}

bool peer_built(const char *file)
{
	char path[PATH_MAX];

	return !peer_path(file, path, sizeof(path)) && !access(path, R_OK);
}

int peer_load(struct peer *peer, const char *file)
{
	char path[PATH_MAX];

	*peer = (struct peer){.file = file};
	if (!peer_built(file) || peer_path(file, path, sizeof(path)))
		return -1;
	peer->object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!peer->object) {
		fprintf(stderr, "stackdepot-bench: %s\n", dlerror());
		return -1;
	}
	peer->ops = dlsym(peer->object, "peer_ops");
	if (peer->ops && !peer->ops->init())
		return 0;
	peer_unload(peer);
	return -1;
}

void peer_unload(struct peer *peer)
{
	if (peer->object)
		dlclose(peer->object);
	peer->object = NULL;
	peer->ops = NULL;
}

int peer_reset(struct peer *peer)
{
	if (peer->ops && peer->ops->reset) {
		peer->ops->reset();
		return 0;
	}
	peer_unload(peer);
	return peer_load(peer, peer->file);
}
