/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * shapes.c - a program that allocates and frees in one of ten shapes, by a seed, and knows what it
 * had at its highest point.
 *
 * It runs twice: dry, to learn how high it comes, then with objects. Prints "top BYTES", and for
 * each of its sites the least and the most that it had while all of it was near the top, in a band
 * of 1/7: any such moment is one to be found. Sites are functions of their own. With THREADS more
 * than one, each thread does the same, and the whole is known under a lock.
 *
 * usage: shapes SEED [THREADS [MODE]]; MODE: kill, hold (until standard input ends), children
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define SITES 16
#define OBJECTS 4096
#define EVENTS 12000
#define MOST_THREADS 8
#define BAND 7

struct object {
	void *pointer;
	uint64_t bytes;
	unsigned int site;
};

struct plan {
	unsigned int shape;
	uint64_t random;
	bool real;
	struct object objects[OBJECTS];
	unsigned int nr;
	unsigned int target; /* of objects, where a shape has one */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t live, top, expected_top;
static uint64_t site_live[SITES], site_least[SITES], site_most[SITES];
static bool near_top;
static struct plan plans[MOST_THREADS];

/* --- what is known ---------------------------------------------------------------------------- */

static void account(unsigned int site, int64_t bytes, bool real)
{
	unsigned int i;

	live += (uint64_t)bytes;
	site_live[site] += (uint64_t)bytes;
	if (live > top)
		top = live;
	if (!real || live < expected_top - expected_top / BAND)
		return;
	for (i = 0; i < SITES; i++) {
		if (!near_top || site_live[i] < site_least[i])
			site_least[i] = site_live[i];
		if (!near_top || site_live[i] > site_most[i])
			site_most[i] = site_live[i];
	}
	near_top = true;
}

static void forget(void)
{
	live = top = 0;
	memset(site_live, 0, sizeof(site_live));
}

/* --- sites ------------------------------------------------------------------------------------ */

#define SITE(n)                                                 \
	static NOINLINE void *site_##n(void *old, size_t bytes) \
	{                                                       \
		void *pointer = realloc(old, bytes);            \
                                                                \
		__asm__ volatile("" ::"r"(pointer) : "memory"); \
		return pointer;                                 \
	}

SITE(0)
SITE(1)
SITE(2)
SITE(3)
SITE(4) SITE(5) SITE(6) SITE(7) SITE(8) SITE(9) SITE(10) SITE(11) SITE(12) SITE(13) SITE(14)
	SITE(15)

		static void *(*const sites[SITES])(void *, size_t) = {
			site_0, site_1, site_2,	 site_3,  site_4,  site_5,  site_6,  site_7,
			site_8, site_9, site_10, site_11, site_12, site_13, site_14, site_15};

/* --- shapes ----------------------------------------------------------------------------------- */

static unsigned int draw(struct plan *plan, unsigned int below)
{
	plan->random = plan->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)((plan->random >> 33) % below);
}

static void begin(struct plan *plan, uint64_t bytes)
{
	struct object *object = &plan->objects[plan->nr];

	if (plan->nr == OBJECTS)
		return;
	*object = (struct object){.bytes = bytes, .site = draw(plan, SITES)};
	pthread_mutex_lock(&lock);
	if (plan->real)
		object->pointer = sites[object->site](NULL, bytes);
	account(object->site, (int64_t)bytes, plan->real);
	pthread_mutex_unlock(&lock);
	plan->nr++;
}

static void end(struct plan *plan, unsigned int i)
{
	struct object object = plan->objects[i];

	plan->objects[i] = plan->objects[--plan->nr];
	pthread_mutex_lock(&lock);
	account(object.site, -(int64_t)object.bytes, plan->real);
	if (plan->real)
		free(object.pointer);
	pthread_mutex_unlock(&lock);
}

static void end_any(struct plan *plan)
{
	if (plan->nr)
		end(plan, draw(plan, plan->nr));
}

static void grow(struct plan *plan)
{
	struct object *object;
	uint64_t bytes;

	if (!plan->nr)
		return;
	object = &plan->objects[draw(plan, plan->nr)];
	bytes = object->bytes < 1u << 22 ? 2 * object->bytes : 64;
	pthread_mutex_lock(&lock);
	account(object->site, -(int64_t)object->bytes, plan->real);
	object->site = draw(plan, SITES);
	if (plan->real)
		object->pointer = sites[object->site](object->pointer, bytes);
	account(object->site, (int64_t)bytes, plan->real);
	object->bytes = bytes;
	pthread_mutex_unlock(&lock);
}

static uint64_t any_size(struct plan *plan)
{
	return 16 + draw(plan, 1u << (4 + draw(plan, 8)));
}

/* To a number of objects, then to another one. */
static void towards(struct plan *plan, unsigned int most)
{
	if (plan->nr == plan->target)
		plan->target = draw(plan, most);
	if (plan->nr < plan->target)
		begin(plan, any_size(plan));
	else if (plan->nr > plan->target)
		end_any(plan);
}

static void event(struct plan *plan, unsigned int number)
{
	switch (plan->shape) {
	case 0: /* any way */
		draw(plan, 2) ? begin(plan, any_size(plan)) : end_any(plan);
		break;
	case 1: /* saw teeth of any height */
		towards(plan, OBJECTS);
		break;
	case 2: /* upwards only */
		if (!(number % 16))
			begin(plan, any_size(plan));
		break;
	case 3: /* up, then all the way down */
		number < EVENTS / 2 ? begin(plan, any_size(plan)) : end_any(plan);
		break;
	case 4: /* a large one among many, freed at once */
		if (number % 3000 == 1500)
			begin(plan, (1u << 20) + draw(plan, 1u << 24));
		else if (number % 3000 == 1600)
			end(plan, plan->nr - 1);
		else if (number % 3000 < 1500 || number % 3000 > 1600)
			towards(plan, 1000);
		break;
	case 5: /* buffers that double */
		if (plan->nr < 20)
			begin(plan, 64);
		else
			draw(plan, 100) ? grow(plan) : end_any(plan);
		break;
	case 6: /* a plateau whose objects change */
		plan->nr < 500 ? begin(plan, any_size(plan)) : end_any(plan);
		break;
	case 7: /* as a stack, in bursts */
		if (plan->nr == plan->target)
			plan->target = draw(plan, draw(plan, 4) ? 100 : 3000);
		if (plan->nr < plan->target)
			begin(plan, any_size(plan));
		else if (plan->nr)
			end(plan, plan->nr - 1);
		break;
	case 8: /* small ones */
		draw(plan, 100) < 55 ? begin(plan, 1 + draw(plan, 64)) : end_any(plan);
		break;
	default: /* sizes of all magnitudes */
		draw(plan, 100) < 52 ? begin(plan, 1ull << draw(plan, 22)) : end_any(plan);
		break;
	}
}

static void *run(void *argument)
{
	struct plan *plan = argument;
	unsigned int number;

	for (number = 0; number < EVENTS; number++)
		event(plan, number);
	return NULL;
}

static void make(struct plan *plan, unsigned int seed, unsigned int number, bool real)
{
	memset(plan, 0, sizeof(*plan));
	plan->shape = seed % 10;
	plan->random = seed * 1000003ull + number;
	plan->real = real;
}

/* --- what it prints --------------------------------------------------------------------------- */

static void say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(1);
}

static void tell(void)
{
	char line[128];
	unsigned int i;

	snprintf(line, sizeof(line), "top %llu\n", (unsigned long long)top);
	say(line);
	for (i = 0; i < SITES; i++) {
		snprintf(line, sizeof(line), "site %u %llu %llu\n", i,
			 (unsigned long long)site_least[i], (unsigned long long)site_most[i]);
		say(line);
	}
}

static void all(unsigned int seed, unsigned int threads)
{
	pthread_t thread[MOST_THREADS];
	unsigned int i;

	if (threads == 1) {
		make(&plans[0], seed, 0, false);
		run(&plans[0]);
		expected_top = top;
		forget();
	}
	for (i = 0; i < threads; i++)
		make(&plans[i], seed, i, true);
	for (i = 1; i < threads; i++)
		pthread_create(&thread[i], NULL, run, &plans[i]);
	run(&plans[0]);
	for (i = 1; i < threads; i++)
		pthread_join(thread[i], NULL);
}

static void children(unsigned int seed)
{
	unsigned int i;

	for (i = 1; i < 4; i++) {
		pid_t pid = fork();

		if (!pid) {
			all(seed + i, 1);
			tell();
			_exit(0);
		}
		(void)waitpid(pid, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	const unsigned int seed = argc > 1 ? (unsigned int)atoi(argv[1]) : 0;
	const unsigned int threads = argc > 2 ? (unsigned int)atoi(argv[2]) : 1;
	const char *mode = argc > 3 ? argv[3] : "";
	char byte;

	if (!strcmp(mode, "children"))
		children(seed);
	all(seed, threads < MOST_THREADS ? threads : MOST_THREADS);
	tell();
	if (!strcmp(mode, "kill"))
		raise(SIGKILL);
	while (!strcmp(mode, "hold") && read(STDIN_FILENO, &byte, 1) == 1) {
		make(&plans[0], 8, 1, true);
		run(&plans[0]);
		say("again\n");
	}
	return 0;
}
