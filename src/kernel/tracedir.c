// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Thin access to tracefs: see tracedir.h for the rules of ownership.
 */
#include "kernel/tracedir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"

#define RETRY_MS 20
#define REMOVE_TIMEOUT_MS 1000
#define LOCK_TIMEOUT_MS 5000

static void sleep_ms(long ms)
{
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

static int write_line(const char *path, int flags, const char *value)
{
	struct strbuf line = STRBUF_INIT;
	ssize_t written;
	int ret = 0;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	if (fd < 0)
		return -errno;
	if (*value)
		strbuf_puts(&line, value);
	strbuf_putc(&line, '\n');
	if (line.failed) {
		ret = -ENOMEM;
		goto out;
	}
	do {
		written = write(fd, line.data, line.len);
	} while (written < 0 && errno == EINTR);
	if (written < 0)
		ret = -errno;
	else if ((size_t)written != line.len)
		ret = -EIO;
out:
	strbuf_free(&line);
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

int tracedir_write(const char *path, const char *value)
{
	return write_line(path, 0, value);
}

int tracedir_append(const char *path, const char *value)
{
	return write_line(path, O_APPEND, value);
}

int tracedir_clear(const char *path)
{
	return write_line(path, O_TRUNC, "");
}

int tracedir_write_words(const char *path, const char *words)
{
	size_t at = 0, len = strlen(words);
	ssize_t written;
	int ret = 0;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (at < len && !ret) {
		written = write(fd, words + at, len - at);
		if (written > 0)
			at += (size_t)written;
		else if (!written || errno != EINTR)
			ret = written ? -errno : -EIO;
	}
	/* what is behind the last word ends it */
	if (!ret && len && write(fd, "\n", 1) < 0)
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

int tracedir_can_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int tracedir_has_word(const char *path, const char *word)
{
	struct strbuf text = STRBUF_INIT;
	char *save = NULL;
	int found = 0;
	char *token;
	int ret;

	ret = strbuf_read_file(&text, path, TRACEDIR_FILE_MAX);
	strbuf_putc(&text, '\0');
	if (!ret && text.failed)
		ret = -ENOMEM;
	if (ret)
		goto out;
	for (token = strtok_r(text.data, " \t\n[]", &save); token && !found;
	     token = strtok_r(NULL, " \t\n[]", &save))
		found = !strcmp(token, word);
out:
	strbuf_free(&text);
	return ret ? ret : found;
}

int tracedir_lock(const char *dir, int operation, int timeout_ms)
{
	int waited_ms = 0;
	int ret;
	int fd;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (flock(fd, operation | LOCK_NB)) {
		ret = -errno;
		if (ret == -EINTR)
			continue;
		if (ret != -EWOULDBLOCK || waited_ms >= timeout_ms) {
			close(fd);
			return ret;
		}
		sleep_ms(RETRY_MS);
		waited_ms += RETRY_MS;
	}
	return fd;
}

static int create_locked(const char *dir, struct error *err)
{
	int fd;

	if (mkdir(dir, 0750)) {
		if (errno == EEXIST)
			return error_set(err, EEXIST,
					 "%s exists already: in use by another skbtrail, "
					 "or left over (then run: skbtrail clean)",
					 dir);
		return error_errno(err, errno, "cannot create the private instance %s", dir);
	}
	fd = tracedir_lock(dir, LOCK_EX, 0);
	if (fd < 0) {
		error_errno(err, -fd, "cannot lock %s", dir);
		instance_remove(dir);
	}
	return fd;
}

int instances_lock(const char *tracing_dir, int operation, struct error *err)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/instances", tracing_dir) >= PATH_MAX)
		return error_errno(err, ENAMETOOLONG, "cannot use %.200s...", tracing_dir);
	fd = tracedir_lock(path, operation, LOCK_TIMEOUT_MS);
	if (fd == -EWOULDBLOCK)
		return error_set(err, EBUSY,
				 "%s stays locked: another skbtrail is starting or cleaning "
				 "up there",
				 path);
	if (fd < 0)
		return error_errno(err, -fd, "cannot open %s", path);
	return fd;
}

int instance_create(const char *tracing_dir, const char *dir, struct error *err)
{
	int lock = instances_lock(tracing_dir, LOCK_SH, err);
	int fd;

	if (lock < 0)
		return lock;
	fd = create_locked(dir, err);
	close(lock);
	return fd;
}

int instance_create_over(const char *tracing_dir, const char *dir, struct error *err)
{
	int fd = instance_create(tracing_dir, dir, err);

	if (fd == -EEXIST && !instance_reap(tracing_dir, dir, err))
		fd = instance_create(tracing_dir, dir, err);
	return fd;
}

int instance_remove(const char *dir)
{
	int waited_ms = 0;

	while (rmdir(dir)) {
		if (errno == ENOENT)
			return 0;
		if (errno != EBUSY || waited_ms >= REMOVE_TIMEOUT_MS)
			return -errno;
		sleep_ms(RETRY_MS);
		waited_ms += RETRY_MS;
	}
	return 0;
}

int instance_owner_alive(const char *dir)
{
	int fd = tracedir_lock(dir, LOCK_EX, 0);

	if (fd == -EWOULDBLOCK)
		return 1;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	close(fd);
	return 0;
}

static int write_below(const char *dir, const char *file, const char *value)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= PATH_MAX)
		return -ENAMETOOLONG;
	return tracedir_write(path, value);
}

int instance_reap(const char *tracing_dir, const char *dir, struct error *err)
{
	int lock = instances_lock(tracing_dir, LOCK_EX, err);
	int ret;
	int fd;

	if (lock < 0)
		return lock;
	fd = tracedir_lock(dir, LOCK_EX, 0);
	if (fd == -EWOULDBLOCK) {
		ret = error_set(err, EWOULDBLOCK, "%s is in use by another skbtrail", dir);
	} else if (fd < 0) {
		ret = fd == -ENOENT ? 0 : error_errno(err, -fd, "cannot open %s", dir);
	} else {
		/* rmdir does the same; this helps when it has to wait for a reader */
		write_below(dir, "tracing_on", "0");
		write_below(dir, "events/enable", "0");
		ret = instance_remove(dir);
		if (ret)
			error_errno(err, -ret, "cannot remove %s%s", dir,
				    ret == -EBUSY ? " (some process still has a file in it open)" :
						    "");
		close(fd);
	}
	close(lock);
	return ret;
}
