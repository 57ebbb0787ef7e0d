// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads and their processes: see tasks.h. One slot for each hash value: what has the same one is looked up anew.
 */
#include "kernel/tasks.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS 16384U
#define FRESH_NS NSEC_PER_SEC

struct slot {
	struct task_name name;
	u64 read_ns;
};

struct tasks {
	char root[192];
	struct slot slot[SLOTS];
};

struct tasks *tasks_new(const char *root)
{
	struct tasks *tasks = calloc(1, sizeof(*tasks));

	if (tasks)
		snprintf(tasks->root, sizeof(tasks->root), "%s", root);
	return tasks;
}

void tasks_free(struct tasks *tasks)
{
	free(tasks);
}

static ssize_t read_proc(const char *root, s32 id, const char *name, char *text, size_t size)
{
	char path[256];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/proc/%d/%s", root, (int)id, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, size - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return len;
}

bool task_look_up(const char *root, struct task_name *name)
{
	char text[1024], comm[sizeof(name->comm) + 1];
	const char *tgid, *parent;

	if (read_proc(root, name->tid, "status", text, sizeof(text)) <= 0)
		return false;
	tgid = strstr(text, "\nTgid:");
	if (tgid && atoi(tgid + 6) > 0)
		name->pid = atoi(tgid + 6);
	parent = strstr(text, "\nPPid:");
	if (parent && atoi(parent + 6) > 0)
		name->parent = atoi(parent + 6);
	if (read_proc(root, name->pid, "comm", comm, sizeof(comm)) <= 0)
		return true;
	comm[strcspn(comm, "\n")] = '\0';
	memset(name->comm, 0, sizeof(name->comm));
	memcpy(name->comm, comm, strnlen(comm, sizeof(name->comm) - 1));
	return true;
}

const struct task_name *tasks_find(struct tasks *tasks, s32 tid, u64 now_ns)
{
	struct slot *slot = &tasks->slot[(u32)tid % SLOTS];

	if (slot->name.tid != tid) {
		memset(slot, 0, sizeof(*slot));
		slot->name.tid = slot->name.pid = tid;
	} else if (slot->read_ns && now_ns - slot->read_ns < FRESH_NS) {
		return &slot->name;
	}
	task_look_up(tasks->root, &slot->name);
	slot->read_ns = now_ns ? now_ns : 1;
	return &slot->name;
}
