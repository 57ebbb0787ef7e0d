// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Command names by pid: an open hash table that only grows.
 */
#include "decode/comms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void comms_free(struct comms *c)
{
	free(c->slot);
	memset(c, 0, sizeof(*c));
}

static struct comm *find_slot(struct comm *slot, u32 mask, s32 pid)
{
	u32 at = (u32)pid * 0x9e3779b1u & mask;

	while (slot[at].pid && slot[at].pid != pid)
		at = (at + 1) & mask;
	return &slot[at];
}

static int grow(struct comms *c)
{
	u32 mask = c->mask ? c->mask * 2 + 1 : 255, i;
	struct comm *slot = calloc((size_t)mask + 1, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (i = 0; c->slot && i <= c->mask; i++)
		if (c->slot[i].pid)
			*find_slot(slot, mask, c->slot[i].pid) = c->slot[i];
	free(c->slot);
	c->slot = slot;
	c->mask = mask;
	return 0;
}

int comms_add(struct comms *c, s32 pid, const char *name, size_t len)
{
	struct comm *comm;

	if (pid <= 0 || !len)
		return 0;
	if ((!c->slot || c->nr * 2 >= c->mask) && grow(c))
		return -ENOMEM;
	comm = find_slot(c->slot, c->mask, pid);
	if (comm->pid)
		return 0;
	comm->pid = pid;
	if (len > COMM_SIZE - 1)
		len = COMM_SIZE - 1;
	memcpy(comm->name, name, len);
	comm->name[len] = '\0';
	c->nr++;
	return 0;
}

int comms_add_text(struct comms *c, const char *text, size_t len)
{
	const char *end = text + len, *at = text, *nl;
	long pid;

	while (at < end) {
		nl = memchr(at, '\n', (size_t)(end - at));
		if (!nl)
			nl = end;
		for (pid = 0; at < nl && *at >= '0' && *at <= '9' && pid < INT32_MAX / 16; at++)
			pid = pid * 10 + (*at - '0');
		/* "<...>" is how the kernel writes "forgotten". */
		if (nl - at > 1 && *at == ' ' && at[1] != '<' &&
		    comms_add(c, (s32)pid, at + 1, (size_t)(nl - at - 1)))
			return -ENOMEM;
		at = nl + 1;
	}
	return 0;
}

const char *comms_find(const struct comms *c, s32 pid)
{
	const struct comm *comm;

	if (!c->slot || pid <= 0)
		return NULL;
	comm = find_slot(c->slot, c->mask, pid);
	return comm->pid ? comm->name : NULL;
}
