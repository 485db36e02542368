/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What clients of the agent send: bytes of a connection, in pieces that end at each NUL. The
 * agent's server takes them from a socket, on a state whose names mean ill; workers are left out,
 * and what they would make is there at once. The first byte says whether a token is asked for.
 *
 * Whatever comes, one request at a time has a job, nothing is left of it when the client has gone,
 * and an answer, if there is one, begins as HTTP has it and gives no page to who has no token.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/jobs.h"
#include "agent/look.h"
#include "agent/options.h"
#include "agent/serve.h"
#include "base/complain.h"
#include "flame/page/page.h"
#include "fuzz.h"

#define TOKEN "sixteen-letters-and-more"
#define STEPS 50
#define ANSWER_BYTES (1u << 20)

/* For the one that is built. */
const char agent_page_head[] = "<html>";
const char agent_page_tail[] = "</html>";

/* A fuzzer's output is its own. */
void complain(const char *format, ...)
{
	(void)format;
}

/* --- what stands for the workers -------------------------------------------------------------- */

struct look {
	struct state state;
};

struct jobs {
	struct job *job; /* one connection has one */
	bool told;	 /* whoever waits for it */
};

static struct look look;
static struct jobs jobs;

const struct state *look_state(const struct look *from)
{
	return &from->state;
}

bool look_is_fresh(const struct look *from)
{
	(void)from;
	return true;
}

void look_begin(struct look *from)
{
	(void)from;
}

uint64_t look_deaths(const struct look *from)
{
	(void)from;
	return 0;
}

bool jobs_are_held(const struct jobs *from)
{
	return from->job;
}

uint64_t push_times(const struct push *from)
{
	(void)from;
	return 0;
}

uint64_t push_failures(const struct push *from)
{
	(void)from;
	return 0;
}

uint64_t jobs_deaths(const struct jobs *from)
{
	(void)from;
	return 0;
}

struct job *jobs_add(struct jobs *to, const struct picture *picture, void *owner)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job || to->job || !memchr(picture->process, '\0', sizeof(picture->process)) ||
	    picture->seconds > BOUND_SECONDS)
		abort();
	*job = (struct job){.picture = *picture, .stage = JOB_DONE, .said = -1, .owner = owner};
	job->out = memfd_create("picture", MFD_CLOEXEC);
	if (write(job->out, "picture", 7) != 7)
		abort();
	to->job = job;
	to->told = false;
	return job;
}

void jobs_drop(struct jobs *from, struct job *job)
{
	if (from->job != job)
		abort();
	if (job->out >= 0)
		(void)close(job->out);
	free(job);
	from->job = NULL;
}

/* --- the server ------------------------------------------------------------------------------- */

static void state_make(void)
{
	static const char *const names[] = {"web", "a\"b\\c</script>", "\xf0\x9f\x98\x80/x"};
	struct record record = {.kind = RECORD_STORE};
	struct state next = {0};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		record.kind = RECORD_STORE;
		record.store = (struct record_store){.inode = i, .running = 1, .told = 1};
		snprintf(record.store.path, sizeof(record.store.path), "/x/%s.stackdepot",
			 names[i]);
		if (!state_add(&next, &record))
			abort();
		record.kind = RECORD_PROCESS;
		record.process = (struct record_process){.command = "c \"d\"", .pid = 1};
		if (!state_add(&next, &record))
			abort();
	}
	state_finish(&next, &look.state, 1);
	look.state = next;
}

static struct serve *server(bool asks)
{
	static struct agent_options options[2];
	static struct serve *servers[2];
	struct sockaddr_in *address = (struct sockaddr_in *)&options[asks].address;

	if (servers[asks])
		return servers[asks];
	if (!look.state.nr)
		state_make();
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	options[asks].address_bytes = sizeof(*address);
	options[asks].rate = 1e9;
	options[asks].allow_lost = !asks;
	options[asks].interval_ns = 1;
	options[asks].token = asks ? strdup(TOKEN) : NULL;
	servers[asks] = serve_open(&options[asks], &look, &jobs, NULL);
	if (!servers[asks])
		abort();
	return servers[asks];
}

static int client(const struct serve *serve)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct linger gone = {1, 0}; /* or ports run out */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned int port = 0;

	if (sscanf(serve_address(serve), "http://127.0.0.1:%u/", &port) != 1)
		abort();
	address.sin_port = htons((uint16_t)port);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		abort();
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &gone, sizeof(gone));
	return fd;
}

static void step(struct serve *serve)
{
	struct pollfd wait = {serve_fd(serve), POLLIN, 0};

	serve_step(serve);
	if (jobs.job && !jobs.told) {
		jobs.told = true;
		serve_ready(jobs.job->owner);
	}
	if (poll(&wait, 1, 0) > 0)
		serve_step(serve);
}

/* All of the answers, until the other side ends. */
static size_t answers(struct serve *serve, int fd, char *text)
{
	size_t used = 0;
	unsigned int i;

	(void)shutdown(fd, SHUT_WR);
	for (i = 0; i < STEPS; i++) {
		ssize_t length;

		step(serve);
		length = recv(fd, text + used, ANSWER_BYTES - used, MSG_DONTWAIT);
		if (!length || (length < 0 && errno != EAGAIN))
			return used;
		used += length > 0 ? (size_t)length : 0;
		if (used == ANSWER_BYTES)
			return used;
	}
	return used; /* who stays, and says no more, is closed by the server's clock */
}

/* Is TEXT in what was sent, whose pieces are one there? */
static bool was_sent(const uint8_t *data, size_t size, const char *text)
{
	char *whole = malloc(size + 1);
	size_t i, used = 0;
	bool found;

	if (!whole)
		abort();
	for (i = 0; i < size; i++)
		if (data[i])
			whole[used++] = (char)data[i];
	found = memmem(whole, used, text, strlen(text));
	free(whole);
	return found;
}

static void judge(bool asks, const uint8_t *data, size_t size, const char *text, size_t length)
{
	static const char good[] = " 200 ";

	if (!length)
		return;
	if (length < 12 || memcmp(text, "HTTP/1.", 7) != 0)
		abort();
	if (asks && !was_sent(data, size, TOKEN) && !was_sent(data, size, "Basic") &&
	    !memcmp(text + 8, good, strlen(good)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[ANSWER_BYTES];
	const bool asks = size && *data & 1;
	struct serve *serve = server(asks);
	size_t at = size ? 1 : 0;
	int fd = client(serve);

	while (at < size) {
		const uint8_t *nul = memchr(data + at, '\0', size - at);
		size_t length = nul ? (size_t)(nul - data) - at : size - at;

		if (send(fd, data + at, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		step(serve);
		at += length + 1;
	}
	judge(asks, data, size, text, answers(serve, fd, text));
	(void)close(fd);
	step(serve);
	step(serve);
	if (jobs.job)
		abort();
	return 0;
}
