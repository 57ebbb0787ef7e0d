// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which process has a socket open: by the inode number in the links of /proc/PID/fd.
 *
 * A socket may be open in many processes; the one with the lowest id is told. One that is open nowhere is the
 * kernel's own, on its way to another process, or in a process that may not be looked at.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/sockdiag.h"

/* Entries by inode: chains through ->next, by place + 1. */
struct by_inode {
	struct sockdiag *diag;
	u32 *bucket, *next;
	u32 mask;
};

static int index_inodes(struct by_inode *index, struct sockdiag *diag)
{
	u32 size = 1, i, *bucket;

	while (size < diag->nr)
		size *= 2;
	index->diag = diag;
	index->mask = size - 1;
	index->bucket = calloc(size, sizeof(*index->bucket));
	index->next = calloc(diag->nr + 1, sizeof(*index->next));
	if (!index->bucket || !index->next)
		return -ENOMEM;
	for (i = 0; i < diag->nr; i++) {
		if (!diag->entry[i].inode)
			continue;
		bucket = &index->bucket[diag->entry[i].inode & index->mask];
		index->next[i] = *bucket;
		*bucket = i + 1;
	}
	return 0;
}

static struct sockdiag_entry *find_inode(const struct by_inode *index, u32 inode)
{
	u32 at;

	for (at = index->bucket[inode & index->mask]; at; at = index->next[at - 1])
		if (index->diag->entry[at - 1].inode == inode)
			return &index->diag->entry[at - 1];
	return NULL;
}

static void read_comm(int proc, const char *pid, char *comm, size_t size)
{
	char path[64];
	ssize_t len = 0;
	int fd;

	snprintf(path, sizeof(path), "%.20s/comm", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, comm, size - 1);
		close(fd);
	}
	comm[len > 0 ? len : 0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
}

u32 sockdiag_socket_of(int dir, const char *path)
{
	unsigned long inode;
	char link[64];
	ssize_t len;

	len = readlinkat(dir, path, link, sizeof(link) - 1);
	if (len <= 0)
		return 0;
	link[len] = '\0';
	if (strncmp(link, "socket:[", 8))
		return 0;
	inode = strtoul(link + 8, NULL, 10);
	return inode <= UINT32_MAX ? (u32)inode : 0;
}

static void look_at_file(struct by_inode *index, int proc, int fds, const char *name,
			 const char *pid)
{
	u32 inode = sockdiag_socket_of(fds, name);
	struct sockdiag_entry *entry = inode ? find_inode(index, inode) : NULL;
	s32 number = (s32)strtol(pid, NULL, 10);

	if (!entry || (entry->pid && entry->pid <= number))
		return;
	entry->pid = number;
	read_comm(proc, pid, entry->comm, sizeof(entry->comm));
}

static void look_at_process(struct by_inode *index, int proc, const char *pid)
{
	struct dirent *file;
	char path[64];
	DIR *fds;
	int fd;

	snprintf(path, sizeof(path), "%.20s/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		index->diag->hidden += errno == EACCES || errno == EPERM;
		return;
	}
	fds = fdopendir(fd);
	if (!fds) {
		close(fd);
		return;
	}
	while ((file = readdir(fds)))
		if (isdigit((u8)file->d_name[0]))
			look_at_file(index, proc, dirfd(fds), file->d_name, pid);
	closedir(fds);
}

/* Only where nobody's files were hidden is "nobody has it" known. */
static void mark_no_owner(struct sockdiag *diag)
{
	size_t i;

	for (i = 0; i < diag->nr; i++)
		diag->entry[i].no_owner = diag->entry[i].inode && !diag->entry[i].pid &&
					  !diag->hidden;
}

int sockdiag_owners(struct sockdiag *diag, const char *root)
{
	struct by_inode index = { 0 };
	struct dirent *process;
	char path[PATH_MAX];
	DIR *proc = NULL;
	int ret;

	diag->hidden = 0;
	ret = index_inodes(&index, diag);
	snprintf(path, sizeof(path), "%.4000s/proc", root);
	if (!ret)
		proc = opendir(path);
	while (proc && (process = readdir(proc)))
		if (isdigit((u8)process->d_name[0]))
			look_at_process(&index, dirfd(proc), process->d_name);
	if (proc)
		mark_no_owner(diag);
	if (proc)
		closedir(proc);
	free(index.bucket);
	free(index.next);
	return ret;
}
