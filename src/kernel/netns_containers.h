/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What containers are called, as the runtimes' own files tell.
 *
 * In:  Docker's, containerd's (Kubernetes, nerdctl), Podman's and CRI-O's state below /run and /var/lib.
 * Out: for each container its name, a process and perhaps a file of its netns.
 *
 * Only files are read, no runtime is asked. What a container's owner may choose is a stranger's: files
 * are bounded in size and number, symbolic links below the runtimes' folders are not followed, a netns
 * is only looked for where runtimes keep such files. Anything odd is passed over; nothing here fails.
 */
#ifndef SKBTRAIL_KERNEL_NETNS_CONTAINERS_H
#define SKBTRAIL_KERNEL_NETNS_CONTAINERS_H

#include "base/types.h"

#define CONTAINERS_MAX 1024U /* folders of containers that are looked at, all runtimes */
#define CONTAINERS_BYTES_MAX (32U << 20) /* of all files read together */

struct container {
	char *name; /* of the container or its pod ("namespace/pod"); raw bytes: escape before showing */
	char *id;    /* the runtime's */
	char *netns; /* a file in /run/netns or /run/docker/netns, with the root; NULL: not said */
	s32 pid;     /* first process; 0 not known. May be gone, and its number be another's */
};

struct containers {
	struct container *list;
	size_t nr;
	size_t cap;
	u32 looked_at;	/* folders */
	u32 bytes_left; /* that may be read */
};

/**
 * containers_find - read what the runtimes left about running containers
 * @root: "" or, for tests, a directory that stands for /
 *
 * Layouts: Docker 17 to 28 (daemon/config), containerd's runtime v2 (bundle folders with an OCI
 * config.json), containers/storage (Podman 3 to 5, CRI-O). Rootless runtimes and data roots elsewhere
 * are not found.
 */
void containers_find(struct containers *c, const char *root);
void containers_free(struct containers *c);

/**
 * container_owns - whether /proc/PID/cgroup's text speaks of a container with this id
 *
 * Runtimes put each container into a control group named after it; a process id of a container that has
 * ended may be another process by now.
 */
bool container_owns(const char *id, const char *cgroup_text);

#endif
