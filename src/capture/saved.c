// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file that remembers what the top level looked like.
 *
 * In:  writes; the file of a dead owner.
 * Out: the file; the writes done.
 *
 * Its first line names the owner, then there is a line for each write: "w PATH VALUE", or "c PATH" for
 * a file to be emptied; the last is "end". A lock is worth nothing on a file that was removed meanwhile, so
 * after locking it is looked whether it is still the one of that name.
 */
#include "capture/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/tracedir.h"

#define HEAD "skbtrail 1 "
#define TAIL "end\n"
#define FILE_MAX (1u << 20)
#define LOCK_TRIES 10

void saved_put(struct strbuf *text, const char *path, const char *value)
{
	strbuf_printf(text, "%c %s", value ? 'w' : 'c', path);
	if (value)
		strbuf_printf(text, " %s", value);
	strbuf_putc(text, '\n');
}

static int make_folder(const char *file, struct error *err)
{
	char folder[256];
	struct stat st;

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(file, '/') - file), file);
	if (mkdir(folder, 0700) && errno != EEXIST)
		return error_errno(err, errno, "cannot make %s", folder);
	if (lstat(folder, &st))
		return error_errno(err, errno, "cannot look at %s", folder);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 022)
		return error_set(err, EPERM, "%s is not a folder that is ours alone", folder);
	return 0;
}

/* Open and lock; the descriptor, -EWOULDBLOCK when it is somebody's, -errno. */
static int open_locked(const char *file, int flags)
{
	struct stat opened, named;
	int tries, fd, ret;

	for (tries = 0; tries < LOCK_TRIES; tries++) {
		fd = open(file, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			ret = -errno;
			close(fd);
			return ret;
		}
		if (!fstat(fd, &opened) && !lstat(file, &named) && opened.st_ino == named.st_ino &&
		    opened.st_dev == named.st_dev) {
			if (S_ISREG(opened.st_mode) && opened.st_uid == geteuid() &&
			    !(opened.st_mode & 077))
				return fd;
			close(fd);
			return -EPERM;
		}
		close(fd);
	}
	return -EAGAIN;
}

static int read_all(int fd, struct strbuf *text)
{
	ssize_t got;

	do {
		if (!strbuf_reserve(text, 4096) || text->len > FILE_MAX)
			return -ENOMEM;
		got = pread(fd, text->data + text->len, 4096, (off_t)text->len);
		if (got > 0)
			text->len += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	return got < 0 ? -errno : 0;
}

static pid_t read_pid(const char *file)
{
	struct strbuf text = STRBUF_INIT;
	pid_t pid = 0;

	if (!strbuf_read_file(&text, file, FILE_MAX) &&
	    !strncmp(strbuf_cstr(&text), HEAD, strlen(HEAD)))
		pid = (pid_t)atoi(strbuf_cstr(&text) + strlen(HEAD));
	strbuf_free(&text);
	return pid > 0 ? pid : 0;
}

static int write_all(int fd, struct strbuf *text)
{
	size_t at = 0;
	ssize_t written;

	while (at < text->len) {
		written = write(fd, text->data + at, text->len - at);
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0)
			at += (size_t)written;
	}
	return 0;
}

static int write_state(int fd, const struct strbuf *text)
{
	struct strbuf all = STRBUF_INIT;
	int ret;

	strbuf_printf(&all, HEAD "%d\n", (int)getpid());
	strbuf_put(&all, text->data, text->len);
	strbuf_puts(&all, TAIL);
	ret = all.failed || text->failed ? -ENOMEM : write_all(fd, &all);
	strbuf_free(&all);
	return ret;
}

int saved_create(const char *file, const struct strbuf *text, struct error *err)
{
	struct stat st;
	int ret = make_folder(file, err);
	int fd;

	if (ret)
		return ret;
	fd = open_locked(file, O_CREAT);
	if (fd == -EWOULDBLOCK)
		return error_set(err, EBUSY,
				 "another skbtrail (process %d) uses function_graph, which this "
				 "kernel has but once",
				 (int)read_pid(file));
	if (fd < 0)
		return error_errno(err, -fd, "cannot keep what is to be restored in %s", file);
	if (!fstat(fd, &st) && st.st_size) {
		close(fd);
		return error_set(err, EEXIST,
				 "%s is left of a killed skbtrail; run: skbtrail clean", file);
	}
	ret = write_state(fd, text);
	if (ret) {
		saved_remove(file, fd);
		return error_errno(err, -ret, "cannot keep what is to be restored in %s", file);
	}
	return fd;
}

void saved_remove(const char *file, int fd)
{
	if (fd < 0)
		return;
	unlink(file);
	close(fd);
}

int saved_owner(const char *file, pid_t *pid)
{
	int fd = open_locked(file, 0);

	*pid = read_pid(file);
	if (fd == -EWOULDBLOCK)
		return 1;
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* One line; @line ends with a zero and may be written to. */
static int restore_line(char *line, const char *tracing_dir, struct error *err)
{
	size_t len = strlen(tracing_dir);
	char *path = line + 2, *value = NULL;
	int ret;

	if ((line[0] != 'w' && line[0] != 'c') || line[1] != ' ')
		return error_set(err, EINVAL, "a line of it is not understood: '%.40s'", line);
	if (line[0] == 'w') {
		value = strchr(path, ' ');
		if (!value)
			return error_set(err, EINVAL, "a line of it has no value: '%.40s'", line);
		*value++ = '\0';
	}
	if (strncmp(path, tracing_dir, len) || path[len] != '/' || strstr(path, "/.."))
		return error_set(err, EINVAL, "it names %.200s, which is not in %s", path,
				 tracing_dir);
	ret = value ? tracedir_write(path, value) : tracedir_clear(path);
	return ret ? error_errno(err, -ret, "cannot restore %s", path) : 0;
}

/* All of the lines, whatever becomes of one; the first failure is returned. */
static int restore_text(char *text, const char *tracing_dir, struct error *err)
{
	char *line, *next;
	int first = 0, ret;

	for (line = strchr(text, '\n'); line && line[1]; line = next) {
		line++;
		next = strchr(line, '\n');
		if (!next || !strcmp(line, TAIL))
			break;
		*next = '\0';
		ret = restore_line(line, tracing_dir, first ? NULL : err);
		if (ret && !first)
			first = ret;
	}
	return first;
}

int saved_restore(const char *file, const char *tracing_dir, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	int fd = open_locked(file, 0);
	size_t tail = strlen(TAIL);
	int ret;

	if (fd == -EWOULDBLOCK)
		return error_set(err, EWOULDBLOCK, "%s is in use by another skbtrail", file);
	if (fd < 0)
		return fd == -ENOENT ? 0 : error_errno(err, -fd, "cannot use %s", file);
	ret = read_all(fd, &text);
	if (ret) {
		error_errno(err, -ret, "cannot read %s", file);
	} else if (text.len > tail && !memcmp(text.data + text.len - tail, TAIL, tail) &&
		   !strncmp(strbuf_cstr(&text), HEAD, strlen(HEAD))) {
		ret = restore_text(text.data, tracing_dir, err);
		if (ret && err)
			error_prepend(err, "%s: ", file);
	}
	if (ret)
		close(fd);
	else
		saved_remove(file, fd);
	strbuf_free(&text);
	return ret;
}
