/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * process.c - processes that record, as object.c of the recorder has it, without an allocator.
 *
 * The recorder's files know one process, in `recorder`. Whenever the explorer lets another thread
 * go on, that thread's is put there.
 */
#include <string.h>

#include "live_table.h"
#include "process.h"
#include "reap.h"
#include "run.h"
#include "slot.h"
#include "tally.h"
#include "trace.h"

struct run_actor run_actors[RUN_ACTORS];
struct recorder recorder;

static struct {
	struct recorder recorder;
	struct recorder_thread thread;
} processes[RUN_ACTORS];

static unsigned int self;

unsigned int run_self(void)
{
	return self;
}

void run_be(unsigned int actor)
{
	processes[self].recorder = recorder;
	self = actor;
	recorder = processes[actor].recorder;
}

void process_image_get(struct process_image *image)
{
	processes[self].recorder = recorder;
	memcpy(image->bytes, processes, sizeof(processes));
	memcpy(image->actors, run_actors, sizeof(run_actors));
}

void process_image_put(const struct process_image *image)
{
	memcpy(processes, image->bytes, sizeof(processes));
	memcpy(run_actors, image->actors, sizeof(run_actors));
	recorder = processes[self].recorder;
}

static_assert(sizeof(processes) <= sizeof(((struct process_image *)0)->bytes), "it has room");

/* The same addresses in all processes. */
static void *process_pointer(uint32_t object)
{
	return (void *)(uintptr_t)(0x10000u + 32 * object);
}

static size_t process_size(uint32_t object)
{
	return 16 * (object + 1);
}

/* What a stack is to the unwinder that stands in. */
static recorder_start process_start(uint32_t trace)
{
	return (recorder_start){.pc = trace};
}

void run_begin(void)
{
	struct run_actor *actor = &run_actors[self];
	struct recorder_thread *thread = &processes[self].thread;

	memset(thread, 0, sizeof(*thread));
	memset(&recorder, 0, sizeof(recorder));
	store_attach(&recorder);
	*actor = (struct run_actor){.alive = true, .begins = true};
	actor->unrecorded = slot_begin(STORE_FD(self), 0, NULL);
	if (actor->unrecorded)
		return;
	actor->begun = true;
	actor->serial = recorder.serial;
	thread->id = self + 1;
	thread->unwinder = unwinder_of(self);
	thread->random = 1;
	tally_begin(thread);
}

/* As object_crowded() of object.c; what others left makes room, so no object is sampled. */
static void process_crowded(struct recorder_thread *thread, void *pointer,
			    struct live_object *object)
{
	VERIFY(live_make_room(thread, live_home(pointer), object));
	VERIFY(!stackdepot_get_extra_bits(object->handle));
	VERIFY(live_insert(thread, pointer, live_home(pointer), object));
}

void run_alloc(uint32_t number, uint32_t trace)
{
	struct run_actor *actor = &run_actors[self];
	struct recorder_thread *thread = &processes[self].thread;
	const recorder_start start = process_start(trace);
	struct live_object object = {.size = process_size(number), .bare = true};
	void *pointer = process_pointer(number);
	struct stackdepot_event event;
	stackdepot_ref_t ref;

	if (actor->unrecorded)
		return;
	actor->objects[number] = RUN_COMING;
	actor->traces[number] = trace;
	actor->asked++;
	object.handle = trace_save(thread, &start, STACKDEPOT_GET, &ref);
	VERIFY(object.handle);
	trace_count(thread, object.handle, ref, object.size, 256);
	if (!live_insert(thread, pointer, live_home(pointer), &object))
		process_crowded(thread, pointer, &object);
	event = ring_event(self, number, ref, STACKDEPOT_ALLOC);
	(void)stackdepot_ring_write(recorder.depot, &thread->pen, &event);
	actor->objects[number] = RUN_LIVE;
	actor->counted++;
}

void run_free(uint32_t number)
{
	struct run_actor *actor = &run_actors[self];
	struct recorder_thread *thread = &processes[self].thread;
	const recorder_start start = process_start(actor->traces[number]);
	void *pointer = process_pointer(number);
	struct stackdepot_event event;
	struct live_object object;
	stackdepot_ref_t ref;

	if (actor->unrecorded)
		return;
	actor->objects[number] = RUN_GOING;
	VERIFY(trace_save(thread, &start, 0, &ref));
	VERIFY(live_hold(thread, pointer, live_home(pointer), &object) == LIVE_TAKEN);
	event = ring_event(self, number, ref, STACKDEPOT_FREE);
	(void)stackdepot_ring_write(recorder.depot, &thread->pen, &event);
	trace_put(thread, object.handle);
	live_clear(pointer, &object);
	actor->objects[number] = RUN_GONE;
}

void run_end(void)
{
	struct run_actor *actor = &run_actors[self];

	actor->ends = true;
	if (!actor->unrecorded) {
		stackdepot_ring_end(recorder.depot, &processes[self].thread.pen);
		tally_end(&processes[self].thread);
		store_release(&recorder.process->state, STORE_EXITING);
	}
	actor->ended = true;
	run_is_killed();
}

void run_is_killed(void)
{
	run_actors[self].alive = false;
	run_locks_drop(self);
}

void run_reap(bool fold)
{
	struct reaper reaper;

	memset(&recorder, 0, sizeof(recorder));
	store_attach(&recorder);
	store_reaper(&reaper, self);
	if (reap_begin(&reaper))
		return;
	(void)reap_close(&reaper);
	if (fold)
		(void)reap_fold(&reaper);
	reap_end(&reaper);
}

bool run_object_at(uint64_t address, uint32_t *ret_number, uint64_t *ret_size)
{
	uint32_t number;

	for (number = 0; number < RUN_OBJECTS; number++) {
		if (address != (uintptr_t)process_pointer(number))
			continue;
		*ret_number = number;
		*ret_size = process_size(number);
		return true;
	}
	return false;
}

static void process_verify_object(uint32_t number)
{
	const struct run_actor *actor = &run_actors[self];
	const bool live = actor->objects[number] == RUN_LIVE;
	struct live_object object;
	uint32_t trace;

	VERIFY(live_find(process_pointer(number), &object) == live);
	if (!live)
		return;
	VERIFY(object.size == process_size(number));
	trace = store_trace(stackdepot_set_extra_bits(object.handle, 0));
	VERIFY(trace == actor->traces[number]);
}

void run_verify_own(void)
{
	uint32_t number;

	for (number = 0; number < RUN_OBJECTS && !run_actors[self].unrecorded; number++)
		process_verify_object(number);
}
