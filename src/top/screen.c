/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* screen.c - `stackdepot top` on a terminal: a list of stacks, one stack, the help. */
#define _GNU_SOURCE
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/status.h"
#include "rows.h"
#include "screen.h"
#include "terminal.h"
#include "text/number.h"

#define LIST_TOP (TOP_HEADER_LINES + 2) /* the header, an empty line, the columns */
#define KEY_ESCAPE 27

static const char help[] = "Sort by     l  live bytes            o  live objects\n"
			   "            g  growth, bytes/s       a  bytes allocated/s\n"
			   "            n  objects allocated/s\n"
			   "\n"
			   "Move        up down PgUp PgDn Home End, or k j b f\n"
			   "Enter       the whole stack, with files and lines; q goes back\n"
			   "/           show stacks with this text in a function, file or module\n"
			   "            of any frame; an empty text shows all\n"
			   "Space       hold the picture, and go on\n"
			   "+  -        longer or shorter between looks\n"
			   "h or ?      this text\n"
			   "q           quit\n"
			   "\n"
			   "LIVE and OBJECTS are what was not freed. ALLOC/s and OBJ/s count what\n"
			   "was freed, too. Rates are of the time the header names. Of a sampled\n"
			   "process all figures are estimates: few objects, large error.\n";

enum view { VIEW_LIST, VIEW_STACK, VIEW_HELP, VIEW_FILTER };

struct screen {
	struct top *top;
	enum view view;
	size_t selected; /* row of the list */
	size_t first;	 /* row at the top of the list */
	size_t scrolled; /* lines of the text */
	uint64_t selected_id;
	char *text;					/* of the one stack */
	char before[sizeof(((struct top *)0)->filter)]; /* the filter as it was */
	bool paused;
	bool quit;
};

/* --- drawing ---------------------------------------------------------------------------------- */

/*
 * One line, cut at the margin. A character has no fewer bytes than columns, so to count bytes will
 * do, if none is cut in two.
 */
static void screen_line(int row, const char *text, size_t length, attr_t attributes)
{
	size_t columns = (size_t)(COLS > 0 ? COLS : 0);

	if (row < 0 || row >= LINES)
		return;
	if (length > columns) {
		length = columns;
		while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	(void)attrset(attributes);
	(void)mvaddnstr(row, 0, text, (int)length);
	if (attributes)
		(void)mvchgat(row, 0, -1, attributes, 0, NULL);
	(void)attrset(A_NORMAL);
}

/* Lines of the text from `skip` on, in rows from `row` to before `end`. */
static void screen_text(const char *text, size_t skip, int row, int end)
{
	while (*text && row < end) {
		size_t length = strcspn(text, "\n");

		if (skip)
			skip--;
		else
			screen_line(row++, text, length, A_NORMAL);
		text += length + (text[length] == '\n');
	}
}

static size_t screen_count_lines(const char *text)
{
	size_t nr = 0;

	for (; *text; text++)
		nr += *text == '\n';
	return nr;
}

static char *screen_print(void (*print)(FILE *out, const struct screen *screen),
			  const struct screen *screen)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		memory_out();
	print(out, screen);
	if (fclose(out))
		memory_out();
	return text;
}

static void screen_header_text(FILE *out, const struct screen *screen)
{
	top_print_header(out, screen->top);
	fputs(screen->paused ? "; held" : "", out);
}

static void screen_row_text(FILE *out, const struct screen *screen)
{
	top_print_row(out, screen->top, &screen->top->rows[screen->first]);
}

static int screen_list_rows(void)
{
	return LINES - LIST_TOP - 1 > 0 ? LINES - LIST_TOP - 1 : 1;
}

static void screen_draw_list(const struct screen *screen)
{
	struct screen at = *screen;
	int i, rows = screen_list_rows();
	char columns[128];
	FILE *out = fmemopen(columns, sizeof(columns), "w");

	if (out) {
		top_print_columns(out);
		fclose(out);
		screen_line(LIST_TOP - 1, columns, strlen(columns), A_REVERSE);
	}
	for (i = 0; i < rows && at.first < screen->top->nr; i++, at.first++) {
		char *text = screen_print(screen_row_text, &at);

		screen_line(LIST_TOP + i, text, strlen(text),
			    at.first == screen->selected ? A_BOLD | A_UNDERLINE : A_NORMAL);
		free(text);
	}
}

static void screen_draw_stack(const struct screen *screen)
{
	const struct snapshot_stack *now = snapshot_find(&screen->top->now, screen->selected_id);
	char bytes[TEXT_BYTES], objects[TEXT_NUMBER], allocated[TEXT_BYTES], allocs[TEXT_NUMBER];
	char line[256] = "Nothing of this stack is in the store any more";

	if (now)
		snprintf(line, sizeof(line), "%s live in %s; %s in %s allocated",
			 text_bytes(now->sums.bytes, bytes),
			 text_number(now->sums.objects, "object", objects),
			 text_bytes(now->sums.alloc_bytes, allocated),
			 text_number(now->sums.allocs, "object", allocs));
	screen_line(LIST_TOP - 1, line, strlen(line), A_REVERSE);
	screen_text(screen->text, screen->scrolled, LIST_TOP, LINES - 1);
}

static void screen_draw_foot(const struct screen *screen)
{
	static const char *const feet[] = {
		[VIEW_LIST] = ("q quit  h help  Enter stack  / filter  Space hold  "
			       "sort: l live  o objects  g growth  a alloc  n count"),
		[VIEW_STACK] = "q back  up, down: scroll",
		[VIEW_HELP] = "q back  up, down: scroll",
	};
	char line[128];

	if (screen->view == VIEW_FILTER) {
		snprintf(line, sizeof(line), "filter: %s_", screen->top->filter);
		screen_line(LINES - 1, line, strlen(line), A_BOLD);
	} else {
		screen_line(LINES - 1, feet[screen->view], strlen(feet[screen->view]), A_DIM);
	}
}

static void screen_draw(const struct screen *screen)
{
	char *header = screen_print(screen_header_text, screen);

	(void)erase();
	screen_text(header, 0, 0, TOP_HEADER_LINES);
	free(header);
	if (screen->view == VIEW_HELP)
		screen_text(help, screen->scrolled, LIST_TOP - 1, LINES - 1);
	else if (screen->view == VIEW_STACK)
		screen_draw_stack(screen);
	else
		screen_draw_list(screen);
	screen_draw_foot(screen);
	(void)refresh();
}

/* --- moving ----------------------------------------------------------------------------------- */

/* The selected row is one that is there, and on the screen. */
static void screen_settle(struct screen *screen)
{
	size_t rows = (size_t)screen_list_rows(), nr = screen->top->nr;

	if (screen->selected >= nr)
		screen->selected = nr ? nr - 1 : 0;
	if (screen->first > screen->selected)
		screen->first = screen->selected;
	if (screen->first + rows <= screen->selected)
		screen->first = screen->selected - rows + 1;
	if (screen->first + rows > nr) /* no empty rows below while there are others above */
		screen->first = nr > rows ? nr - rows : 0;
	if (screen->view != VIEW_STACK)
		screen->selected_id = nr ? screen->top->rows[screen->selected].now->id : 0;
}

/* After the rows were made anew. Who stands on the first row wants to see the first one. */
static void screen_follow(struct screen *screen)
{
	size_t i;

	for (i = 0; screen->selected && i < screen->top->nr; i++)
		if (screen->top->rows[i].now->id == screen->selected_id) {
			screen->selected = i;
			break;
		}
	screen_settle(screen);
}

/* By so many places, within [0, end). */
static size_t screen_moved(size_t from, long by, size_t end)
{
	size_t back = by < 0 ? (size_t)-by : 0;

	if (back)
		return from > back ? from - back : 0;
	from += (size_t)by;
	return from < end ? from : end ? end - 1 : 0;
}

/* 0: the key does not move. */
static long screen_distance(int key)
{
	switch (key) {
	case KEY_UP:
	case 'k':
		return -1;
	case KEY_DOWN:
	case 'j':
		return 1;
	case KEY_PPAGE:
	case 'b':
		return -screen_list_rows();
	case KEY_NPAGE:
	case 'f':
		return screen_list_rows();
	case KEY_HOME:
		return -(1L << 30);
	case KEY_END:
		return 1L << 30;
	}
	return 0;
}

/* --- keys ------------------------------------------------------------------------------------- */

static void screen_stack_text(FILE *out, const struct screen *screen)
{
	text_trace(out, &screen->top->style,
		   &screen->top->rows[screen->selected].now->stack->trace);
}

static void screen_open_stack(struct screen *screen)
{
	if (screen->selected >= screen->top->nr)
		return;
	free(screen->text);
	screen->text = screen_print(screen_stack_text, screen);
	screen->scrolled = 0;
	screen->view = VIEW_STACK;
}

static void screen_sort(struct screen *screen, enum top_order order)
{
	screen->top->order = order;
	screen->selected = screen->first = 0;
	top_select(screen->top);
	screen_settle(screen);
}

static void screen_interval(struct screen *screen, double times)
{
	double interval = screen->top->interval * times;

	if (interval >= 0.1 && interval <= 3600)
		screen->top->interval = interval;
}

static void screen_key_list(struct screen *screen, int key)
{
	static const char orders[] = "logan"; /* as enum top_order has them */
	const char *order = key > 0 && key < 256 ? strchr(orders, key) : NULL;

	if (order) {
		screen_sort(screen, (enum top_order)(order - orders));
	} else if (key == '\n' || key == '\r' || key == KEY_ENTER) {
		screen_open_stack(screen);
	} else if (key == '/') {
		strcpy(screen->before, screen->top->filter);
		screen->top->filter[0] = '\0';
		screen->view = VIEW_FILTER;
	} else if (key == 'h' || key == '?') {
		screen->scrolled = 0;
		screen->view = VIEW_HELP;
	} else if (key == 'q') {
		screen->quit = true;
	} else {
		screen->selected =
			screen_moved(screen->selected, screen_distance(key), screen->top->nr);
		screen_settle(screen);
	}
}

static void screen_key_filter(struct screen *screen, int key)
{
	char *filter = screen->top->filter;
	size_t used = strlen(filter);

	if (key == KEY_ESCAPE)
		strcpy(filter, screen->before);
	if (key == KEY_ESCAPE || key == '\n' || key == '\r' || key == KEY_ENTER)
		screen->view = VIEW_LIST;
	else if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && used)
		filter[used - 1] = '\0';
	else if (key >= ' ' && key < 127 && used + 1 < sizeof(screen->top->filter))
		filter[used] = (char)key, filter[used + 1] = '\0';
	top_select(screen->top);
	screen->selected = screen->first = 0;
	screen_settle(screen);
}

static void screen_key_text(struct screen *screen, int key)
{
	const char *text = screen->view == VIEW_HELP ? help : screen->text;

	if (key == 'q' || key == KEY_ESCAPE || key == '\n')
		screen->view = VIEW_LIST;
	else
		screen->scrolled = screen_moved(screen->scrolled, screen_distance(key),
						screen_count_lines(text));
	screen_follow(screen);
}

static void screen_key(struct screen *screen, int key)
{
	if (key == KEY_RESIZE)
		screen_settle(screen);
	else if (screen->view == VIEW_FILTER)
		screen_key_filter(screen, key);
	else if (key == ' ')
		screen->paused = !screen->paused;
	else if (key == '+')
		screen_interval(screen, 2);
	else if (key == '-')
		screen_interval(screen, 0.5);
	else if (screen->view == VIEW_LIST)
		screen_key_list(screen, key);
	else
		screen_key_text(screen, key);
}

/* --- the loop --------------------------------------------------------------------------------- */

static double screen_clock(void)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What has ended does not change; its last picture stays. */
static bool screen_is_still(const struct screen *screen)
{
	return screen->paused || screen->top->ended;
}

/* Milliseconds to wait for a key; 0: it is time to look again. */
static int screen_patience(const struct screen *screen, double since)
{
	double left = since + screen->top->interval - screen_clock();

	if (screen_is_still(screen))
		left = 0.5;
	return left <= 0 ? 0 : left > 0.5 ? 500 : (int)(left * 1000) + 1;
}

/* Keys, until it is time to look again: those that are there in any case, however long a look
 * takes.
 */
static void screen_wait(struct screen *screen, double since)
{
	int key, patience;

	do {
		patience = screen_patience(screen, since);
		timeout(patience);
		key = getch();
		if (terminal_pause())
			screen_draw(screen);
		if (key == ERR)
			continue;
		screen_key(screen, key);
		screen_draw(screen);
	} while (!screen->quit && (patience || key != ERR));
}

int top_screen(struct top *top)
{
	struct screen screen = {.top = top};
	unsigned int done = 0;
	bool fine = terminal_enter();

	if (!fine)
		return STATUS_FAILED;
	for (;;) {
		double since = screen_clock();

		screen_follow(&screen);
		screen_draw(&screen);
		if (++done == top->times)
			break;
		screen_wait(&screen, since);
		if (screen.quit || !(fine = top_look(top)))
			break;
	}
	terminal_leave();
	free(screen.text);
	return fine ? STATUS_CLEAN : STATUS_FAILED;
}
