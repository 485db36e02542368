/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * terminal.c - the terminal is given back whatever happens.
 *
 * A signal that ends the process may come at any instruction, when ncurses cannot be called. So the
 * modes and what has to be written are noted beforehand, and the handler needs write() and
 * tcsetattr() only; then the signal does what it would have done. A signal to stop can wait for the
 * main loop, which may call ncurses.
 */
#define _GNU_SOURCE
#include <curses.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "terminal.h"

static struct {
	struct termios modes;
	char farewell[256];
	size_t farewell_bytes;
	volatile sig_atomic_t taken; /* it is ours now */
	volatile sig_atomic_t stop;
	volatile sig_atomic_t redraw;
	SCREEN *screen;
} terminal;

static void terminal_fatal(int signal_number)
{
	if (terminal.taken && tcgetpgrp(STDIN_FILENO) == getpgrp()) {
		terminal.taken = 0;
		if (write(STDOUT_FILENO, terminal.farewell, terminal.farewell_bytes) >= 0)
			(void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal.modes);
	}
	(void)raise(signal_number); /* its action is the default again */
}

static void terminal_stop(int signal_number)
{
	(void)signal_number;
	terminal.stop = 1;
}

static void terminal_continue(int signal_number)
{
	(void)signal_number;
	terminal.redraw = 1;
}

/* A signal that was ignored, by nohup(1) say, stays ignored. */
static void terminal_catch(int signal_number, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags}, old;

	if (!sigaction(signal_number, NULL, &old) && old.sa_handler == SIG_IGN)
		return;
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(signal_number, &action, NULL);
}

static void terminal_catch_all(void)
{
	static const int fatal[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGSEGV, SIGBUS,
				    SIGFPE,  SIGILL,  SIGABRT, SIGPIPE, SIGALRM, SIGUSR1,
				    SIGUSR2, SIGTRAP, SIGSYS,  SIGXCPU};
	static char stack[32 << 10]; /* the usual one may be what has overflowed */
	stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
	size_t i;

	(void)sigaltstack(&other, NULL);
	for (i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		terminal_catch(fatal[i], terminal_fatal, SA_RESETHAND | SA_NODEFER | SA_ONSTACK);
	terminal_catch(SIGTSTP, terminal_stop, 0);
	terminal_catch(SIGCONT, terminal_continue, 0);
}

static void terminal_note(const char *capability)
{
	const char *text = tigetstr(capability);
	size_t length = text && text != (char *)-1 ? strlen(text) : 0;

	if (!length || terminal.farewell_bytes + length > sizeof(terminal.farewell))
		return;
	memcpy(terminal.farewell + terminal.farewell_bytes, text, length);
	terminal.farewell_bytes += length;
}

bool terminal_enter(void)
{
	const char *type = getenv("TERM");

	if (tcgetattr(STDIN_FILENO, &terminal.modes)) {
		complain("the terminal: %s", strerror(errno));
		return false;
	}
	terminal.screen = newterm(NULL, stdout, stdin);
	if (!terminal.screen) {
		complain("a terminal of type '%s' cannot be used; --batch needs none",
			 type ? type : "");
		return false;
	}
	terminal.taken = 1;
	terminal_note("sgr0");
	terminal_note("rmkx");
	terminal_note("cnorm");
	terminal_note("rmcup");
	terminal_catch_all();
	(void)atexit(terminal_leave);
	memory_end_by(terminal_leave, NULL);
	(void)cbreak();
	(void)noecho();
	(void)keypad(stdscr, TRUE);
	(void)curs_set(0);
	(void)set_escdelay(50);
	return true;
}

void terminal_leave(void)
{
	if (!terminal.taken)
		return;
	(void)endwin();
	terminal.taken = 0;
}

bool terminal_pause(void)
{
	if (terminal.stop) {
		terminal.stop = 0;
		(void)endwin();
		terminal.taken = 0;
		(void)signal(SIGTSTP, SIG_DFL);
		(void)raise(SIGTSTP);
		terminal_catch(SIGTSTP, terminal_stop, 0);
		terminal.redraw = 1;
	}
	if (!terminal.redraw)
		return false;
	terminal.redraw = 0;
	(void)reset_prog_mode();
	terminal.taken = 1;
	(void)clearok(stdscr, TRUE);
	return true;
}
