// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counters of an instance's ring buffers.
 *
 * In:  the text of <instance>/per_cpu/cpuN/stats, "name: number" a line.
 * Out: struct session_stats, by rising CPU number. Unknown lines are skipped, absent ones are 0.
 */
#include "capture/session.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/tracedir.h"

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
	{ "entries: ", offsetof(struct session_cpu_stats, entries) },
	{ "overrun: ", offsetof(struct session_cpu_stats, overrun) },
	{ "commit overrun: ", offsetof(struct session_cpu_stats, commit_overrun) },
	{ "bytes: ", offsetof(struct session_cpu_stats, bytes) },
	{ "dropped events: ", offsetof(struct session_cpu_stats, dropped) },
	{ "read events: ", offsetof(struct session_cpu_stats, read) },
};

static void parse_line(const char *line, struct session_cpu_stats *cpu)
{
	size_t len;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counters); i++) {
		len = strlen(counters[i].name);
		if (!strncmp(line, counters[i].name, len))
			*(u64 *)((char *)cpu + counters[i].offset) = strtoull(line + len, NULL, 10);
	}
}

static int read_cpu(const char *dir, const char *name, struct session_cpu_stats *cpu)
{
	struct strbuf text = STRBUF_INIT;
	char path[PATH_MAX];
	char *save = NULL;
	char *line;
	int ret;

	if (snprintf(path, sizeof(path), "%s/per_cpu/%s/stats", dir, name) >= PATH_MAX)
		return -ENAMETOOLONG;
	ret = strbuf_read_file(&text, path, TRACEDIR_FILE_MAX);
	strbuf_putc(&text, '\0');
	if (!ret && text.failed)
		ret = -ENOMEM;
	if (!ret)
		for (line = strtok_r(text.data, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			parse_line(line, cpu);
	strbuf_free(&text);
	return ret;
}

static int add_cpu(const char *dir, const char *name, struct session_stats *stats)
{
	struct session_cpu_stats *grown;
	struct session_cpu_stats *cpu;
	unsigned int number;
	char rest;
	int ret;

	if (sscanf(name, "cpu%u%c", &number, &rest) != 1)
		return 0;
	grown = reallocarray(stats->cpus, stats->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	stats->cpus = grown;
	cpu = &grown[stats->count];
	memset(cpu, 0, sizeof(*cpu));
	cpu->cpu = number;
	ret = read_cpu(dir, name, cpu);
	if (ret)
		return ret;
	stats->count++;
	stats->lost += cpu->overrun + cpu->commit_overrun + cpu->dropped;
	return 0;
}

static int compare_cpus(const void *a, const void *b)
{
	u32 x = ((const struct session_cpu_stats *)a)->cpu;
	u32 y = ((const struct session_cpu_stats *)b)->cpu;

	return x < y ? -1 : x > y;
}

/* Whether the plan has a probe event of this name. */
static bool has_probe(const struct plan *plan, const char *name)
{
	size_t group = strlen(plan->group), i;

	for (i = 0; group && i < plan->event_count; i++)
		if (!strncmp(plan->events[i], plan->group, group) &&
		    plan->events[i][group] == ':' && !strcmp(plan->events[i] + group + 1, name))
			return true;
	return false;
}

/*
 * Whether a miss that the kernel counted for this probe can only be one: see faults_are_misses. All probes
 * of a function share the count of one of them.
 */
static bool counts_misses(const struct probes *probes, const char *name)
{
	const char *function = "";
	size_t i;

	if (!probes->faults_are_misses)
		return true;
	for (i = 0; i < probes->nr; i++)
		if (!strcmp(probes->probe[i].name, name))
			function = probes->probe[i].function;
	for (i = 0; i < probes->nr; i++)
		if (!strcmp(probes->probe[i].function, function) &&
		    strchr(probes->probe[i].definition, '('))
			return false;
	return true;
}

/* Lines of kprobe_profile: event name, hits, misses. A kernel without the file has no kprobes. */
static u64 count_missed(const struct plan *plan)
{
	unsigned long long hits, misses;
	struct strbuf text = STRBUF_INIT;
	char path[PATH_MAX], name[64];
	char *line, *save = NULL;
	u64 sum = 0;

	snprintf(path, sizeof(path), "%s/kprobe_profile", plan->tracing_dir);
	if (!strbuf_read_file(&text, path, TRACEDIR_FILE_MAX) && text.len && strbuf_cstr(&text)[0])
		for (line = strtok_r(text.data, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			if (sscanf(line, " %63s %llu %llu", name, &hits, &misses) == 3 && misses &&
			    has_probe(plan, name) && counts_misses(plan->probes, name))
				sum += misses;
	strbuf_free(&text);
	return sum;
}

int session_stats(const struct session *session, struct session_stats *stats, struct error *err)
{
	const char *dir = session_dir(session);
	char path[PATH_MAX];
	struct dirent *entry;
	int ret = 0;
	DIR *cpus;

	memset(stats, 0, sizeof(*stats));
	if (snprintf(path, sizeof(path), "%s/per_cpu", dir) >= PATH_MAX)
		return error_errno(err, ENAMETOOLONG, "cannot use %.200s...", dir);
	cpus = opendir(path);
	if (!cpus)
		return error_errno(err, errno, "cannot open %s", path);
	while (!ret && (entry = readdir(cpus)))
		ret = add_cpu(dir, entry->d_name, stats);
	closedir(cpus);
	if (session_plan(session)->tier > TIER_T0)
		stats->missed = count_missed(session_plan(session));
	if (stats->count)
		qsort(stats->cpus, stats->count, sizeof(*stats->cpus), compare_cpus);
	return ret ? error_errno(err, -ret, "cannot read the counters in %s", path) : 0;
}

u64 session_cpu_stats_written(const struct session_cpu_stats *cpu)
{
	return cpu->entries + cpu->overrun + cpu->commit_overrun + cpu->dropped + cpu->read;
}

int session_cpu_written(const struct session *session, u32 cpu, u64 *records)
{
	struct session_cpu_stats stats = { 0 };
	char name[32];
	int ret;

	snprintf(name, sizeof(name), "cpu%u", cpu);
	ret = read_cpu(session_dir(session), name, &stats);
	*records = session_cpu_stats_written(&stats);
	return ret;
}

void session_stats_free(struct session_stats *stats)
{
	free(stats->cpus);
	memset(stats, 0, sizeof(*stats));
}
