// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flows on a terminal, with ncurses: see flows_terminal.h.
 *
 * Signals that end the program are blocked and come through a descriptor (cli/capture.c), so none of them finds ncurses
 * at work; those for a new size and for Ctrl-Z are ncurses' own.
 */
#include "cli/flows_terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"

#define MESSAGE_NS (10 * NSEC_PER_SEC)

struct flows_terminal {
	SCREEN *screen;
	struct flows_screen s;
	struct screen_line *line;
	int nr_lines;
	attr_t look[SCREEN_LOOKS];
	short pair[SCREEN_LOOKS];
	int stderr_fd;	/* the real one; -1: it was left alone */
	off_t told;	/* of what waits: shown so far */
	u64 message_ns; /* when that was */
};

/* For exit() from somewhere else. */
static bool is_on;

static void leave(void)
{
	if (is_on)
		endwin();
	is_on = false;
}

/* ---- standard error */

static void hold_stderr(struct flows_terminal *t)
{
	int fd;

	t->stderr_fd = -1;
	if (!isatty(STDERR_FILENO))
		return;
	fd = memfd_create("messages", MFD_CLOEXEC);
	if (fd < 0)
		return;
	t->stderr_fd = dup(STDERR_FILENO);
	if (t->stderr_fd >= 0)
		dup2(fd, STDERR_FILENO);
	close(fd);
}

static void release_stderr(struct flows_terminal *t)
{
	char text[4096];
	off_t at = 0;
	ssize_t got;

	if (t->stderr_fd < 0)
		return;
	fflush(stderr);
	while ((got = pread(STDERR_FILENO, text, sizeof(text), at)) > 0) {
		if (write(t->stderr_fd, text, (size_t)got) != got)
			break;
		at += got;
	}
	dup2(t->stderr_fd, STDERR_FILENO);
	close(t->stderr_fd);
	t->stderr_fd = -1;
}

/* The last line of what was said since the last time is the message of the screen. */
static bool take_message(struct flows_terminal *t)
{
	char text[sizeof(t->s.message)], *line;
	off_t end = t->stderr_fd < 0 ? 0 : lseek(STDERR_FILENO, 0, SEEK_END);
	off_t from = end - (off_t)sizeof(text) + 1;
	ssize_t got;

	if (end <= t->told) {
		if (!t->s.message[0] || now_ns() - t->message_ns < MESSAGE_NS)
			return false;
		t->s.message[0] = '\0';
		return true;
	}
	from = from > t->told ? from : t->told;
	got = pread(STDERR_FILENO, text, sizeof(text) - 1, from);
	t->told = end;
	if (got <= 0)
		return false;
	text[got] = '\0';
	if (text[got - 1] == '\n')
		text[got - 1] = '\0';
	line = strrchr(text, '\n');
	snprintf(t->s.message, sizeof(t->s.message), "%s", line ? line + 1 : text);
	t->message_ns = now_ns();
	return true;
}

/* ---- the terminal */

static void choose_looks(struct flows_terminal *t)
{
	t->look[SCREEN_TITLE] = A_BOLD;
	t->look[SCREEN_HEAD] = A_REVERSE;
	t->look[SCREEN_SORTED] = A_BOLD | A_UNDERLINE;
	t->look[SCREEN_OVER] = A_DIM;
	t->look[SCREEN_SELECTED] = A_STANDOUT;
	t->look[SCREEN_WARNING] = A_BOLD;
	if (getenv("NO_COLOR") || !has_colors() || start_color() == ERR)
		return;
	use_default_colors();
	init_pair(1, COLOR_RED, -1);
	init_pair(2, COLOR_CYAN, -1);
	t->pair[SCREEN_WARNING] = 1;
	t->pair[SCREEN_SORTED] = 2;
}

/* Return: NULL, or why this terminal cannot be drawn on. */
static const char *start_screen(struct flows_terminal *t)
{
	const char *cup;

	t->screen = newterm(NULL, stdout, stdin);
	if (!t->screen)
		return "there is no description of this kind of terminal";
	cup = tigetstr("cup");
	if (!cup || cup == (char *)-1) {
		endwin();
		delscreen(t->screen);
		return "its cursor cannot be placed";
	}
	is_on = true;
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	choose_looks(t);
	return NULL;
}

static int take_size(struct flows_terminal *t)
{
	int lines, columns, i;
	struct screen_line *grown;

	getmaxyx(stdscr, lines, columns);
	t->s.lines = lines;
	t->s.columns = columns;
	if (lines <= t->nr_lines)
		return 0;
	grown = reallocarray(t->line, (size_t)lines, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	for (i = t->nr_lines; i < lines; i++)
		memset(&grown[i], 0, sizeof(grown[i]));
	t->line = grown;
	t->nr_lines = lines;
	return 0;
}

static int draw(struct flows_terminal *t)
{
	struct screen_line *line;
	int i, cursor, ret;

	ret = flows_screen_draw(&t->s, t->line);
	if (ret)
		return ret;
	erase();
	for (i = 0; i < t->s.lines; i++) {
		line = &t->line[i];
		attr_set(t->look[line->look], t->pair[line->look], NULL);
		mvaddnstr(i, 0, strbuf_cstr(&line->text), (int)line->text.len);
		if (line->mark_to > line->mark_from)
			mvchgat(i, line->mark_from, line->mark_to - line->mark_from,
				t->look[line->mark], t->pair[line->mark], NULL);
	}
	attr_set(A_NORMAL, 0, NULL);
	cursor = flows_screen_cursor(&t->s);
	curs_set(cursor >= 0);
	move(t->s.lines - 1, cursor >= 0 ? cursor : 0);
	refresh();
	return 0;
}

int flows_terminal_open(struct flows_terminal **out, enum flows_by by, u64 refresh_ns, bool quiet,
			struct error *err)
{
	struct flows_terminal *t;
	const char *why, *term = getenv("TERM");

	*out = NULL;
	/* in the background the terminal is another one's */
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetpgrp(STDIN_FILENO) != getpgrp())
		return 0;
	t = calloc(1, sizeof(*t));
	if (!t)
		return error_errno(err, ENOMEM, "cannot draw the screen");
	why = start_screen(t);
	if (why) {
		if (!quiet)
			fprintf(stderr, "skbtrail: lines instead of a screen: TERM=%s: %s\n",
				term ? term : "", why);
		free(t);
		return 0;
	}
	atexit(leave);
	hold_stderr(t);
	t->s.by = by;
	t->s.sort = FLOWS_SORT_TOTAL;
	t->s.refresh_ns = refresh_ns;
	t->s.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (take_size(t) || draw(t)) {
		flows_terminal_close(t);
		return error_errno(err, ENOMEM, "cannot draw the screen");
	}
	*out = t;
	return 0;
}

void flows_terminal_close(struct flows_terminal *t)
{
	int i;

	if (!t)
		return;
	leave();
	delscreen(t->screen);
	release_stderr(t);
	for (i = 0; i < t->nr_lines; i++)
		strbuf_free(&t->line[i].text);
	free(t->line);
	flows_screen_free(&t->s);
	free(t);
}

int flows_terminal_rows(struct flows_terminal *t, const struct flow_row *row, size_t nr, u64 now_ns,
			u64 interval_ns, u64 lost)
{
	int ret = flows_screen_rows(&t->s, row, nr, now_ns, interval_ns);

	t->s.lost = lost;
	take_message(t);
	return ret ? ret : draw(t);
}

/* ---- keys */

static const struct key {
	int from, to;
} keys[] = {
	{ KEY_UP, SCREEN_KEY_UP },
	{ KEY_DOWN, SCREEN_KEY_DOWN },
	{ KEY_PPAGE, SCREEN_KEY_PAGE_UP },
	{ KEY_NPAGE, SCREEN_KEY_PAGE_DOWN },
	{ KEY_HOME, SCREEN_KEY_HOME },
	{ KEY_END, SCREEN_KEY_END },
	{ KEY_LEFT, SCREEN_KEY_LEFT },
	{ KEY_RIGHT, SCREEN_KEY_RIGHT },
	{ KEY_ENTER, SCREEN_KEY_ENTER },
	{ '\r', SCREEN_KEY_ENTER },
	{ '\n', SCREEN_KEY_ENTER },
	{ '\033', SCREEN_KEY_ESCAPE },
	{ KEY_BACKSPACE, SCREEN_KEY_BACKSPACE },
	{ 0x7f, SCREEN_KEY_BACKSPACE },
	{ '\b', SCREEN_KEY_BACKSPACE },
};

/* Return: 0 for one that means nothing here. */
static int key_of(int c)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].from == c)
			return keys[i].to;
	return c < KEY_MIN ? c : 0;
}

static int take_key(struct flows_terminal *t, int c)
{
	if (c == KEY_RESIZE)
		return take_size(t) ? -ENOMEM : SCREEN_REDRAW;
	if (c == 'L' - '@') {
		clearok(stdscr, TRUE);
		return SCREEN_REDRAW;
	}
	return flows_screen_key(&t->s, key_of(c));
}

int flows_terminal_keys(struct flows_terminal *t, enum flows_by *by)
{
	int action = take_message(t) ? SCREEN_REDRAW : SCREEN_NOTHING;
	int c, one, ret;

	while ((c = getch()) != ERR) {
		one = take_key(t, c);
		if (one < 0 || one == SCREEN_QUIT)
			return one;
		action = one > action ? one : action;
	}
	*by = t->s.by;
	if (action == SCREEN_NOTHING)
		return action;
	ret = draw(t);
	return ret ? ret : action;
}
