// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The events and clocks this kernel has, by reading directories and one file.
 *
 * In:  <tracing_dir>/events and the text of trace_clock.
 * Out: sorted "system:event" names; per group of network tracepoints how many there are and which
 *      important ones are absent; the names of clocks.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "kernel/features_priv.h"

/* Groups that are reported, each with the events worth telling when they are absent. */
static const struct {
	enum feature id;
	const char *system;
	const char *important[12];
} groups[] = {
	{ FEATURE_TP_NET,
	  "net",
	  { "net_dev_queue", "net_dev_start_xmit", "net_dev_xmit", "netif_rx", "netif_receive_skb",
	    "netif_rx_entry", "netif_receive_skb_entry", "netif_receive_skb_list_entry",
	    "napi_gro_receive_entry", "napi_gro_frags_entry" } },
	{ FEATURE_TP_SKB, "skb", { "kfree_skb", "consume_skb", "skb_copy_datagram_iovec" } },
	{ FEATURE_TP_SOCK, "sock", { "inet_sock_set_state" } },
	{ FEATURE_TP_TCP, "tcp", { "tcp_retransmit_skb" } },
	{ FEATURE_TP_UDP, "udp", { "udp_fail_queue_rcv_skb" } },
	{ FEATURE_TP_ICMP, "icmp", { "icmp_send" } },
	{ FEATURE_TP_NAPI, "napi", { "napi_poll" } },
	{ FEATURE_TP_QDISC, "qdisc", { "qdisc_dequeue", "qdisc_drop" } },
	{ FEATURE_TP_NEIGH, "neigh", { NULL } },
	{ FEATURE_TP_FIB, "fib", { "fib_table_lookup" } },
	{ FEATURE_TP_BRIDGE, "bridge", { NULL } },
};

struct name_list {
	char **names;
	size_t count;
	size_t room;
};

static int list_add(struct name_list *list, char *name)
{
	size_t room = list->room ? list->room * 2 : 64;
	char **names;

	if (!name)
		return -ENOMEM;
	if (list->count == list->room) {
		names = reallocarray(list->names, room, sizeof(*names));
		if (!names) {
			free(name);
			return -ENOMEM;
		}
		list->names = names;
		list->room = room;
	}
	list->names[list->count++] = name;
	return 0;
}

static bool entry_is_dir(DIR *dir, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_name[0] == '.')
		return false;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return !fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
}

static int list_system(struct name_list *list, DIR *events, const char *system)
{
	struct dirent *entry;
	int ret = 0;
	char *name;
	DIR *dir;
	int fd;

	fd = openat(dirfd(events), system, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!ret && (entry = readdir(dir))) {
		if (!entry_is_dir(dir, entry))
			continue;
		if (asprintf(&name, "%s:%s", system, entry->d_name) < 0)
			name = NULL;
		ret = list_add(list, name);
	}
	closedir(dir);
	return ret;
}

static void report_group(struct features *f, size_t at)
{
	const char *system = groups[at].system;
	char without[160] = "";
	size_t prefix = strlen(system);
	char path[FEATURES_PATH_MAX];
	size_t count = 0;
	size_t used = 0;
	size_t i;

	for (i = 0; i < f->event_count; i++)
		count += !strncmp(f->events[i], system, prefix) && f->events[i][prefix] == ':';
	snprintf(path, sizeof(path), "%s/events/%s", f->tracing_dir, system);
	if (!count) {
		if (access(path, R_OK | X_OK))
			features_refused(f, groups[at].id, errno, path);
		else
			features_no(f, groups[at].id, 0, path, "there is no event in it");
		return;
	}
	for (i = 0; groups[at].important[i] && used < sizeof(without) - 1; i++)
		if (!features_has_event(f, system, groups[at].important[i]))
			used += (size_t)snprintf(without + used, sizeof(without) - used, "%s %s",
						 used ? "" : "; without", groups[at].important[i]);
	features_yes(f, groups[at].id, "%zu event%s%s", count, count == 1 ? "" : "s", without);
}

int features_list_events(struct features *f)
{
	struct name_list list = { NULL, 0, 0 };
	char path[FEATURES_PATH_MAX];
	struct dirent *entry;
	int ret = 0;
	DIR *events;
	size_t i;

	snprintf(path, sizeof(path), "%s/events", f->tracing_dir);
	events = opendir(path);
	if (events) {
		/* events/ftrace describes record types that cannot be switched on */
		while (!ret && (entry = readdir(events)))
			if (entry_is_dir(events, entry) && strcmp(entry->d_name, "ftrace"))
				ret = list_system(&list, events, entry->d_name);
		closedir(events);
	}
	if (list.count)
		qsort(list.names, list.count, sizeof(*list.names), compare_strings);
	f->events = list.names;
	f->event_count = list.count;
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		report_group(f, i);
	return ret;
}

int features_parse_clocks(struct features *f, char *text)
{
	struct name_list list = { NULL, 0, 0 };
	char *save = NULL;
	int ret = 0;
	char *token;

	for (token = strtok_r(text, " \t\n", &save); token && !ret;
	     token = strtok_r(NULL, " \t\n", &save)) {
		if (token[0] == '[') {
			token++;
			token[strcspn(token, "]")] = '\0';
			snprintf(f->clock, sizeof(f->clock), "%s", token);
		}
		if (token[0])
			ret = list_add(&list, strdup(token));
	}
	f->clocks = list.names;
	f->clock_count = list.count;
	return ret;
}
