/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * threads.c - threads that hand objects to each other, right and wrong.
 *
 * threads NAME says what it read, and OK at its end. What is wrong is told of by the stacks of
 * several threads.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../bugs/bug.h"

#define THREADS 4u
#define ROOM 32u
#define ROUNDS 800u

static bug_function void release(void *object)
{
	free(object);
}

static bug_function int read_at(const volatile char *object, long offset)
{
	return object[offset];
}

static void start(pthread_t *thread, void *(*run)(void *), void *with)
{
	if (pthread_create(thread, NULL, run, with))
		exit(3);
}

static void in_thread(void *(*run)(void *), void *with)
{
	pthread_t thread;

	start(&thread, run, with);
	pthread_join(thread, NULL);
}

/* --- right ------------------------------------------------------------------------------------ */

struct object {
	unsigned int size;
	unsigned char fill;
	unsigned char bytes[];
};

struct mailbox {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct object *objects[ROOM];
	unsigned int first, nr;
};

static struct mailbox boxes[THREADS];
static unsigned int wrong;

static void put(struct mailbox *box, struct object *object)
{
	pthread_mutex_lock(&box->lock);
	while (box->nr == ROOM)
		pthread_cond_wait(&box->changed, &box->lock);
	box->objects[(box->first + box->nr++) % ROOM] = object;
	pthread_cond_broadcast(&box->changed);
	pthread_mutex_unlock(&box->lock);
}

static struct object *get(struct mailbox *box)
{
	struct object *object;

	pthread_mutex_lock(&box->lock);
	while (!box->nr)
		pthread_cond_wait(&box->changed, &box->lock);
	object = box->objects[box->first++ % ROOM];
	box->nr--;
	pthread_cond_broadcast(&box->changed);
	pthread_mutex_unlock(&box->lock);
	return object;
}

static struct object *make(unsigned int size, unsigned char fill)
{
	struct object *object = allocate(sizeof(*object) + size);

	object->size = size;
	object->fill = fill;
	memset(object->bytes, fill, size);
	return object;
}

static void look(const struct object *object)
{
	unsigned int i;

	for (i = 0; i < object->size; i++)
		if (object->bytes[i] != object->fill)
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

/* Each gives to the next one, and ends what the one before gave. */
static void *give_on(void *with)
{
	const unsigned int self = (unsigned int)(uintptr_t)with;
	struct object *object;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		put(&boxes[(self + 1) % THREADS], make(i * 37 % 900, (unsigned char)(i + self)));
		object = get(&boxes[self]);
		look(object);
		if (i % 3 == 0) {
			object = hidden(realloc(object, sizeof(*object) + 2 * object->size + 1));
			look(object);
		}
		release(object);
	}
	return NULL;
}

static void exchange(void)
{
	pthread_t threads[THREADS];
	uintptr_t i;

	for (i = 0; i < THREADS; i++) {
		pthread_mutex_init(&boxes[i].lock, NULL);
		pthread_cond_init(&boxes[i].changed, NULL);
	}
	for (i = 0; i < THREADS; i++)
		start(&threads[i], give_on, (void *)i);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("read %u wrong\n", wrong);
}

static void *make_some(void *with)
{
	struct object **objects = with;
	unsigned int i;

	for (i = 0; i < 20; i++)
		objects[i] = make(i * 50, 's');
	return NULL;
}

/* What threads leave behind the first one ends; their stacks and arenas are used again. */
static void come_and_go(void)
{
	static struct object *objects[THREADS][20];
	pthread_t threads[THREADS];
	unsigned int round, i, j;

	for (round = 0; round < 15; round++) {
		for (i = 0; i < THREADS; i++)
			start(&threads[i], make_some, objects[i]);
		for (i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		for (i = 0; i < THREADS; i++) {
			for (j = 0; j < 20; j++) {
				look(objects[i][j]);
				release(objects[i][j]);
			}
		}
	}
	printf("read %u wrong\n", wrong);
}

static int busy = 1;

static void *make_and_end(void *with)
{
	unsigned int i = 0;

	(void)with;
	while (__atomic_load_n(&busy, __ATOMIC_RELAXED))
		release(make(i++ % 500, 'm'));
	return NULL;
}

/* A child has one thread, and the objects of all. */
static void fork_among_them(void)
{
	struct object *object = make(100, 'p');
	unsigned int i, good = 0;
	pthread_t threads[2];
	int status;
	pid_t child;

	for (i = 0; i < 2; i++)
		start(&threads[i], make_and_end, NULL);
	for (i = 0; i < 20; i++) {
		child = fork();
		if (!child) {
			look(object);
			release(object);
			object = make(200, 'c');
			look(object);
			release(object);
			_exit(wrong ? 1 : 7);
		}
		waitpid(child, &status, 0);
		good += WIFEXITED(status) && WEXITSTATUS(status) == 7;
	}
	__atomic_store_n(&busy, 0, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	release(object);
	printf("read %u of 20\n", good);
}

static pthread_key_t key;

static void end_of_thread(void *object)
{
	look(object);
	release(object);
}

static void *keep_own(void *with)
{
	(void)with;
	pthread_setspecific(key, make(300, 'k'));
	return NULL;
}

static void own_of_each(void)
{
	unsigned int i;

	pthread_key_create(&key, end_of_thread);
	for (i = 0; i < 20; i++)
		in_thread(keep_own, NULL);
	printf("read %u wrong\n", wrong);
}

/* --- wrong ------------------------------------------------------------------------------------ */

static void *release_there(void *object)
{
	release(object);
	return NULL;
}

static void *read_there(void *object)
{
	(void)read_at(hidden(object), 37);
	return NULL;
}

static void *read_beyond(void *object)
{
	(void)read_at(hidden(object), 64);
	return NULL;
}

static void read_freed_by_another(void)
{
	char *object = allocate(100);

	in_thread(release_there, object);
	in_thread(read_there, object);
}

static void free_again_by_another(void)
{
	char *object = allocate(100);

	in_thread(release_there, object);
	in_thread(release_there, hidden(object));
}

static void read_beyond_in_each(void)
{
	pthread_t threads[THREADS];
	char *objects[THREADS];
	unsigned int i;

	for (i = 0; i < THREADS; i++) {
		objects[i] = allocate(64);
		start(&threads[i], read_beyond, objects[i]);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		release(objects[i]);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{"exchange", exchange},
	{"come_and_go", come_and_go},
	{"fork_among_them", fork_among_them},
	{"own_of_each", own_of_each},
	{"read_freed_by_another", read_freed_by_another},
	{"free_again_by_another", free_again_by_another},
	{"read_beyond_in_each", read_beyond_in_each},
};

int main(int argc, char **argv)
{
	unsigned int i;

	for (i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[1], kinds[i].name))
			continue;
		kinds[i].run();
		puts("OK");
		return 0;
	}
	return 2;
}
