// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which network namespaces there are: see netns_targets.h.
 *
 * The places are looked through in the order of how good their names are; the first name stays.
 */
#include "kernel/netns_targets.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "kernel/netns_containers.h"

#define COMM_SIZE 16

static void targets_clear(struct netns_targets *targets)
{
	for (; targets->nr; targets->nr--) {
		free(targets->list[targets->nr - 1].path);
		free(targets->list[targets->nr - 1].name);
	}
}

void netns_targets_free(struct netns_targets *targets)
{
	targets_clear(targets);
	free(targets->list);
	*targets = (struct netns_targets){ 0 };
}

/* The place of the first target that is not below @inum. */
static size_t target_place(const struct netns_targets *targets, u64 inum)
{
	size_t low = 0;
	size_t high = targets->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (targets->list[mid].inum < inum)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct netns_target *netns_targets_get(const struct netns_targets *targets, u64 inum)
{
	size_t place = target_place(targets, inum);

	return place < targets->nr && targets->list[place].inum == inum ? &targets->list[place] :
									  NULL;
}

static bool targets_grow(struct netns_targets *targets)
{
	size_t cap = targets->cap ? targets->cap * 2 : 64;
	struct netns_target *list;

	if (targets->nr < targets->cap)
		return true;
	list = reallocarray(targets->list, cap, sizeof(*list));
	if (!list)
		return false;
	targets->list = list;
	targets->cap = cap;
	return true;
}

/* The target of an inode, made if it is new; NULL when memory ran out (remembered). */
static struct netns_target *target_add(struct netns_targets *targets, u64 inum, const char *path)
{
	size_t place = target_place(targets, inum);
	struct netns_target *target;
	char *copy;

	if (place < targets->nr && targets->list[place].inum == inum)
		return &targets->list[place];
	copy = strdup(path);
	if (!copy || !targets_grow(targets)) {
		free(copy);
		targets->no_memory = true;
		return NULL;
	}
	target = &targets->list[place];
	memmove(target + 1, target, (targets->nr - place) * sizeof(*target));
	*target = (struct netns_target){ .inum = inum, .path = copy };
	targets->nr++;
	return target;
}

/* Bytes that no terminal or file name would like become '?', a long name ends after 255 bytes. */
static void target_name(struct netns_targets *targets, struct netns_target *target,
			const char *name)
{
	char *c;

	if (!target || target->name || !name || !name[0])
		return;
	target->name = strndup(name, NETNS_NAME_MAX);
	if (!target->name) {
		targets->no_memory = true;
		return;
	}
	for (c = target->name; *c; c++)
		if ((u8)*c < ' ' || (u8)*c >= 0x7f)
			*c = '?';
}

/* Open what should be a netns; the inode number is that of the netns. */
static int open_checked(const char *path, u64 *inum)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int type;

	if (fd < 0)
		return -errno;
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type != CLONE_NEWNET || fstat(fd, &st)) {
		close(fd);
		return -EINVAL;
	}
	*inum = st.st_ino;
	return fd;
}

int netns_targets_open(const struct netns_targets *targets, u64 inum)
{
	const struct netns_target *target = netns_targets_get(targets, inum);
	u64 found;
	int fd;

	if (!target)
		return -ENOENT;
	fd = open_checked(target->path, &found);
	if (fd >= 0 && found != inum) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

static int add_self(struct netns_targets *targets, pid_t caller, struct error *err)
{
	struct netns_target *target;
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/ns/net", (int)caller);
	if (stat(path, &st))
		return error_errno(err, errno, "cannot look at %s", path);
	targets->device = st.st_dev;
	targets->self_inum = st.st_ino;
	target = target_add(targets, st.st_ino, path);
	if (target)
		target->first = true;
	return 0;
}

static int add_held(struct netns_targets *targets, const struct netns_held *held, struct error *err)
{
	struct netns_target *target;
	char path[64];
	u64 inum;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", held->fd);
	fd = open_checked(path, &inum);
	if (fd < 0)
		return error_errno(err, -fd, "descriptor %d is no network namespace", held->fd);
	close(fd);
	target = target_add(targets, inum, path);
	if (target)
		target->first = true;
	target_name(targets, target, held->name);
	return 0;
}

static bool all_hex(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") >= len;
}

/* "cni-UUID", "netns-UUID", "UUID": made by a container runtime, no name that says anything. */
static bool is_made_up(const char *name)
{
	static const u8 groups[] = { 8, 4, 4, 4, 12 };
	size_t i;

	if (!strncmp(name, "cni-", 4))
		name += 4;
	else if (!strncmp(name, "netns-", 6))
		name += 6;
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		if (!all_hex(name, groups[i]))
			return false;
		name += groups[i];
		if (i + 1 < ARRAY_SIZE(groups) && *name++ != '-')
			return false;
	}
	return !*name;
}

/*
 * Files that "ip netns add" and container runtimes made; what is only left over of one is a plain
 * empty file.
 * @made_up: take names that no person gave, too
 * @prefix: put before a name
 */
static void add_directory(struct netns_targets *targets, const char *folder, bool made_up,
			  const char *prefix)
{
	struct netns_target *target;
	struct dirent **entries;
	char path[600], text[600];
	u64 inum;
	int i, fd, nr;

	snprintf(path, sizeof(path), "%s%s", targets->root, folder);
	nr = scandir(path, &entries, NULL, alphasort);
	for (i = 0; i < nr; i++) {
		const char *name = entries[i]->d_name;

		snprintf(path, sizeof(path), "%s%s/%s", targets->root, folder, name);
		fd = name[0] == '.' ? -1 : open_checked(path, &inum);
		if (fd >= 0) {
			target = target_add(targets, inum, path);
			snprintf(text, sizeof(text), "%s%s", prefix, name);
			if (made_up || !is_made_up(name))
				target_name(targets, target, text);
			close(fd);
		}
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
}

static void name_container(struct netns_targets *targets, const char *path, const char *name)
{
	u64 inum;
	int fd = open_checked(path, &inum);

	if (fd < 0)
		return;
	target_name(targets, target_add(targets, inum, path), name);
	close(fd);
}

/* A container's process, if it is still that container's. */
static void name_container_of(struct netns_targets *targets, const struct container *c)
{
	struct strbuf groups = STRBUF_INIT;
	char path[300];

	snprintf(path, sizeof(path), "%s/proc/%d/cgroup", targets->root, c->pid);
	if (!strbuf_read_file(&groups, path, 65536) &&
	    container_owns(c->id, strbuf_cstr(&groups))) {
		snprintf(path, sizeof(path), "%s/proc/%d/ns/net", targets->root, c->pid);
		name_container(targets, path, c->name);
	}
	strbuf_free(&groups);
}

/* Those that a netns was made for come before those that joined one. */
static void add_containers(struct netns_targets *targets)
{
	struct containers c;
	size_t i;

	containers_find(&c, targets->root);
	for (i = 0; i < c.nr; i++)
		if (c.list[i].netns)
			name_container(targets, c.list[i].netns, c.list[i].name);
	for (i = 0; i < c.nr; i++)
		if (c.list[i].pid)
			name_container_of(targets, &c.list[i]);
	containers_free(&c);
}

static void read_comm(const char *root, const char *pid, char *comm, int size)
{
	char path[600];
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/%s/comm", root, pid);
	comm[0] = '\0';
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(comm, size, file))
		comm[0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	fclose(file);
}

static void name_after_process(struct netns_targets *targets, struct netns_target *target,
			       const char *pid)
{
	char comm[COMM_SIZE + 1], name[320];

	read_comm(targets->root, pid, comm, sizeof(comm));
	snprintf(name, sizeof(name), "pid:%s(%s)", pid, comm);
	target_name(targets, target, name);
}

/*
 * The netns of pid 1. A security module may hide that process even from root; the father of all
 * kernel threads is in the same netns and lies open.
 */
static void add_host(struct netns_targets *targets)
{
	struct netns_target *target;
	char comm[COMM_SIZE + 1], path[300];
	struct stat st;

	snprintf(path, sizeof(path), "%s/proc/1/ns/net", targets->root);
	if (stat(path, &st)) {
		read_comm(targets->root, "2", comm, sizeof(comm));
		snprintf(path, sizeof(path), "%s/proc/2/ns/net", targets->root);
		if (strcmp(comm, "kthreadd") || stat(path, &st))
			return;
	}
	target = target_add(targets, st.st_ino, path);
	if (target)
		target->first = true;
	target_name(targets, target, "host");
}

/* The kernel lists processes by ascending pid: the lowest in a netns gives its name. */
static void add_processes(struct netns_targets *targets)
{
	struct netns_target *target;
	struct dirent *entry;
	struct stat st;
	char path[600];
	DIR *proc;

	snprintf(path, sizeof(path), "%s/proc", targets->root);
	proc = opendir(path);
	while (proc && (entry = readdir(proc))) {
		if (!isdigit((u8)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%s/proc/%s/ns/net", targets->root, entry->d_name);
		if (stat(path, &st)) {
			targets->hidden += errno == EACCES || errno == EPERM;
			continue;
		}
		if (st.st_dev != targets->device)
			continue;
		target = target_add(targets, st.st_ino, path);
		if (target && !target->name)
			name_after_process(targets, target, entry->d_name);
	}
	if (proc)
		closedir(proc);
}

int netns_targets_find(struct netns_targets *targets, pid_t caller,
		       const struct netns_take_options *options, struct error *err)
{
	size_t i;
	int ret;

	if (options && options->root)
		snprintf(targets->root, sizeof(targets->root), "%s", options->root);
	ret = add_self(targets, caller, err);
	if (ret)
		return ret;
	if (options && options->only_held) {
		/* the caller's own was looked up only for its number */
		targets_clear(targets);
	}
	for (i = 0; options && i < options->nr_held; i++) {
		ret = add_held(targets, &options->held[i], err);
		if (ret)
			return ret;
	}
	if (!options || !options->only_held) {
		add_host(targets);
		add_directory(targets, "/run/netns", false, "");
		add_directory(targets, "/var/run/netns", false, "");
		add_containers(targets);
		add_directory(targets, "/run/netns", true, "");
		add_directory(targets, "/var/run/netns", true, "");
		add_processes(targets);
		/* its networks' own, in which no process lives */
		add_directory(targets, "/run/docker/netns", true, "docker:");
	}
	if (targets->no_memory)
		return error_errno(err, ENOMEM, "cannot list the network namespaces");
	return 0;
}
