/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* answer.c - what answers are made of. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"
#include "base/memory.h"
#include "worker.h"

#define SAID_BYTES 1024u
#define PLACE "/proc/self/fd/"

/*
 * For every answer: it is of this moment, is what it says it is, and is shown in nobody's frame.
 * The pages have a policy of their own that names their script; with this one both hold.
 */
static const char *const answer_headers[][2] = {
	{"Cache-Control", "no-store"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "no-referrer"},
	{"Content-Security-Policy", "frame-ancestors 'none'"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
};

static struct MHD_Response *answer_head(struct MHD_Response *response, const char *type)
{
	size_t i;

	if (!response)
		return NULL;
	(void)MHD_add_response_header(response, "Content-Type", type);
	for (i = 0; i < sizeof(answer_headers) / sizeof(*answer_headers); i++)
		(void)MHD_add_response_header(response, answer_headers[i][0], answer_headers[i][1]);
	return response;
}

void answer_begin(struct answer *answer)
{
	*answer = (struct answer){0};
	answer->out = open_memstream(&answer->text, &answer->bytes);
	if (!answer->out)
		memory_out();
}

struct MHD_Response *answer_end(struct answer *answer, const char *type)
{
	if (fclose(answer->out))
		memory_out();
	return answer_head(
		MHD_create_response_from_buffer(answer->bytes, answer->text, MHD_RESPMEM_MUST_FREE),
		type);
}

struct MHD_Response *answer_text(const char *format, ...)
{
	struct answer answer;
	va_list list;

	answer_begin(&answer);
	va_start(list, format);
	vfprintf(answer.out, format, list);
	va_end(list);
	fputc('\n', answer.out);
	return answer_end(&answer, "text/plain; charset=utf-8");
}

/* --- jobs ------------------------------------------------------------------------------------- */

/* What it complained of, in a line: the store is called by its service. To be freed. */
static char *answer_said(const struct job *job, const char *name)
{
	char text[SAID_BYTES] = "", *at = text, *place;
	ssize_t length = job->said >= 0 ? pread(job->said, text, sizeof(text) - 1, 0) : 0;

	text[length > 0 ? length : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	place = strstr(text, PLACE);
	if (place)
		at = place + strcspn(place, ":");
	if (!*at)
		return memory_print("%s: nothing could be read", name);
	return place ? memory_print("%s%s", name, at) : memory_strdup(at);
}

static struct MHD_Response *answer_failed(const struct job *job, const char *name,
					  unsigned int *ret_code)
{
	const int status = WIFEXITED(job->wait_status) ? WEXITSTATUS(job->wait_status) : -1;
	struct MHD_Response *response;
	char *said;

	*ret_code = MHD_HTTP_SERVICE_UNAVAILABLE;
	if (job->late)
		return answer_text("%s: it took too long", name);
	if (status == WORKER_NO_MEMORY)
		return answer_text("%s: it takes more memory than --worker-memory allows", name);
	if (status < 0)
		return answer_text("%s: reading it came to an end, by signal %d", name,
				   WTERMSIG(job->wait_status));
	*ret_code = job->picture.kind >= PICTURE_FLEET ? MHD_HTTP_BAD_GATEWAY : MHD_HTTP_NOT_FOUND;
	if (status == PICTURE_GONE)
		return answer_text("%s: the store is not there any more", name);
	said = answer_said(job, name);
	response = answer_text("%s", said);
	free(said);
	return response;
}

static struct MHD_Response *answer_profile(struct MHD_Response *response, const struct job *job)
{
	static const char *const types[] = {
		[PICTURE_HEAP] = "application/octet-stream",
		[PICTURE_ALLOCS] = "application/octet-stream",
		[PICTURE_FLAME] = "text/html; charset=utf-8",
		[PICTURE_LOST] = "text/plain; charset=utf-8",
		[PICTURE_FLEET] = "application/json; charset=utf-8",
		[PICTURE_FLEET_FLAME] = "text/html; charset=utf-8",
	};
	const enum picture_kind kind = job->picture.kind;

	response = answer_head(response, types[kind]);
	if (response && (kind == PICTURE_HEAP || kind == PICTURE_ALLOCS))
		(void)MHD_add_response_header(response, "Content-Disposition",
					      "attachment; filename=\"profile.pb.gz\"");
	return response;
}

struct MHD_Response *answer_job(struct job *job, const char *name, unsigned int *ret_code)
{
	struct MHD_Response *response;
	struct stat st;

	*ret_code = MHD_HTTP_OK;
	if (job->wait_status || fstat(job->out, &st))
		return answer_failed(job, name, ret_code);
	response = MHD_create_response_from_fd((uint64_t)st.st_size, job->out);
	if (response)
		job->out = -1; /* the response closes it */
	return answer_profile(response, job);
}
