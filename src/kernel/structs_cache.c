// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What slow sources told about a kernel, kept in /var/cache/skbtrail/BUILD-ID.
 *
 * The text is that of "structs --save". A build id names one build of a kernel, so nothing in here
 * grows old; but who writes here decides which memory we read, so only a directory and a file of our
 * own that nobody else may write count.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "kernel/structs_priv.h"

#define CACHE_DIR "/var/cache/skbtrail"
#define CACHE_MAX_BYTES (64U << 10)
#define NOTES_MAX_BYTES (64U << 10)

bool build_id_from_notes(const void *notes, size_t len, char *hex, size_t size)
{
	const u8 *at = notes, *desc;
	u32 name_len, desc_len, type, i;
	size_t need;

	for (; len >= 12; at += need, len -= need) {
		name_len = load_u32(at, false);
		desc_len = load_u32(at + 4, false);
		type = load_u32(at + 8, false);
		if (name_len > len || desc_len > len)
			return false;
		need = 12 + (((size_t)name_len + 3) & ~(size_t)3);
		desc = at + need;
		need += ((size_t)desc_len + 3) & ~(size_t)3;
		if (need > len)
			return false;
		if (type != NT_GNU_BUILD_ID || name_len != 4 || memcmp(at + 12, "GNU", 4))
			continue;
		if (!desc_len || desc_len * 2 >= size)
			return false;
		for (i = 0; i < desc_len; i++)
			snprintf(hex + (size_t)i * 2, 3, "%02x", desc[i]);
		return true;
	}
	return false;
}

void build_id_read(char *hex, size_t size, const char *root)
{
	struct strbuf notes = STRBUF_INIT;
	char path[PATH_MAX];

	hex[0] = '\0';
	snprintf(path, sizeof(path), "%s/sys/kernel/notes", root);
	if (strbuf_read_file(&notes, path, NOTES_MAX_BYTES) || notes.failed ||
	    !build_id_from_notes(notes.data, notes.len, hex, size))
		hex[0] = '\0';
	strbuf_free(&notes);
}

static bool is_ours(int fd, mode_t type, mode_t forbidden)
{
	struct stat st;

	return !fstat(fd, &st) && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       !(st.st_mode & forbidden);
}

static int open_dir(const char *root)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s" CACHE_DIR, root);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (is_ours(fd, S_IFDIR, 0077))
		return fd;
	close(fd);
	return -EPERM;
}

static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t got;

	while (len < size) {
		got = read(fd, text + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return (ssize_t)len;
		len += (size_t)got;
	}
	return -EFBIG;
}

static int read_at(struct layout *l, int dir, const char *build_id)
{
	static const u8 source = STRUCTS_CACHE;
	char text[CACHE_MAX_BYTES];
	struct layout kept;
	ssize_t len;
	int fd, m;

	fd = openat(dir, build_id, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = is_ours(fd, S_IFREG, 0022) ? read_all(fd, text, sizeof(text)) : -EPERM;
	close(fd);
	if (len < 0)
		return (int)len;
	if (structs_read_text(&kept, text, (size_t)len, NULL) || strcmp(kept.build_id, build_id) ||
	    kept.little_endian == HOST_BIG_ENDIAN)
		return -EINVAL;
	for (m = 0; m < MEMBER_COUNT; m++)
		if (layout_has(&kept, (enum member)m))
			kept.at[m].source = source;
	kept.source = source;
	*l = kept;
	return 0;
}

int cache_read(struct layout *l, const char *root, const char *build_id)
{
	int dir = open_dir(root);
	int ret;

	if (dir < 0)
		return dir;
	ret = read_at(l, dir, build_id);
	close(dir);
	return ret;
}

static int write_at(int dir, const char *name, const struct strbuf *text)
{
	char tmp[128];
	int ret = 0;
	int fd;

	snprintf(tmp, sizeof(tmp), ".%.70s.%d", name, (int)getpid());
	unlinkat(dir, tmp, 0);
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, text->data, text->len) != (ssize_t)text->len)
		ret = -EIO;
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && renameat(dir, tmp, dir, name))
		ret = -errno;
	if (ret)
		unlinkat(dir, tmp, 0);
	return ret;
}

int cache_write(const struct layout *l, const char *root)
{
	struct strbuf text = STRBUF_INIT;
	char path[PATH_MAX];
	int dir, ret;

	snprintf(path, sizeof(path), "%s" CACHE_DIR, root);
	mkdir(path, 0700);
	dir = open_dir(root);
	if (dir < 0)
		return dir;
	ret = structs_write_text(l, &text);
	if (!ret)
		ret = write_at(dir, l->build_id, &text);
	strbuf_free(&text);
	close(dir);
	return ret;
}
