// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a kernel's functions and settings to what a capture with function_graph writes.
 *
 * In:  struct graph_request, available_filter_functions, the top level's files.
 * Out: struct graph. Reads only.
 *
 * No name of a function here is the answer to anything: system calls are found by how kernels name their
 * entries on every architecture, and the way to a device by families of names, which may well hold more.
 */
#include "capture/graph.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "capture/foreign.h"
#include "kernel/tracedir.h"

/*
 * Entries of the system calls that sockets know: __x64_sys_connect, __ia32_compat_sys_recvmsg, __arm64_sys_*,
 * __s390x_sys_*, __se_sys_*, __do_sys_* where a call has no arguments. The letter keeps ___sys_sendmsg out, which
 * is called by them.
 */
#define SYSCALL(name) "__[a-z]*_sys_" name
/* Work of io_uring that its own threads do. */
#define IO_URING_BEGINS "io_issue_sqe"
static const char *const roots[] = {
	SYSCALL("socket*"),    SYSCALL("connect"),	 SYSCALL("accept*"),
	SYSCALL("bind"),       SYSCALL("listen"),	 SYSCALL("send*"),
	SYSCALL("recv*"),      SYSCALL("read"),		 SYSCALL("readv"),
	SYSCALL("write*"),     SYSCALL("splice"),	 SYSCALL("close"),
	SYSCALL("shutdown"),   SYSCALL("[gs]etsockopt"), SYSCALL("io_uring_enter"),
	("*" IO_URING_BEGINS),
};

/*
 * What every function calls and tells nothing of sockets: locks, RCU, memory, time, random numbers, security
 * modules, and what tracing itself calls (a clock, the handler of a probe). The clock alone was 53,000 of the
 * 75,000 records that a graph of curl had on 7.2. Few words, for each makes the kernel look at all its functions.
 */
static const char *const noise[] = {
	"_raw_*",	"*rcu_*",      "*mutex_*lock*", "*cond_resched*",
	"kmem_cache_*", "*kmalloc*",   "kfree",		"*check_*object*",
	"*memcg_*",	"ktime_get*",  "read_hpet",	"acpi_pm_read*",
	"*kvm_clock*",	"chacha_*",    "irq_e*",	"*local_bh_enable_ip",
	"[kf]probe_*",	"*mod_timer*", "apparmor_*",	"aa_*",
	"tomoyo_*",	"bpf_lsm_*",   "hook_*",
};

/* fnmatch(), asked only where the first literal part of the pattern is there: there are two million questions. */
static bool matches(const char *pattern, const char *name, size_t name_len)
{
	const char *literal = pattern + (*pattern == '*');
	size_t len = strcspn(literal, "*?[");

	if (literal == pattern ? strncmp(name, literal, len) != 0 :
				 !memmem(name, name_len, literal, len))
		return false;
	return !fnmatch(pattern, name, FNM_NOESCAPE);
}

char *graph_match(const char *functions, const char *const *patterns, size_t count)
{
	bool *found = calloc(count ? count : 1, sizeof(*found));
	struct strbuf words = STRBUF_INIT;
	char name[256];
	size_t len, i;

	while (found && *functions) {
		len = strcspn(functions, " \t\n");
		snprintf(name, sizeof(name), "%.*s", (int)len, functions);
		for (i = 0; i < count; i++)
			found[i] = found[i] || matches(patterns[i], name, strlen(name));
		functions += strcspn(functions, "\n");
		functions += *functions == '\n';
	}
	for (i = 0; found && i < count; i++)
		if (found[i])
			strbuf_printf(&words, "%s%s", words.len ? " " : "", patterns[i]);
	strbuf_putc(&words, '\0');
	if (!found || words.failed)
		strbuf_free(&words);
	free(found);
	return words.data;
}

const char *graph_syscall(const char *function)
{
	const char *name;

	if (strncmp(function, "__", 2) || !islower((unsigned char)function[2]))
		return NULL;
	name = strstr(function + 2, "_sys_");
	return name && name[5] ? name + 5 : NULL;
}

bool graph_begins(const char *function)
{
	const char *end = strstr(function, IO_URING_BEGINS);

	return graph_syscall(function) || (end && !end[strlen(IO_URING_BEGINS)]);
}

static bool has_option(const struct features *f, const char *option)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", f->tracing_dir, option);
	return !access(path, W_OK);
}

/* The words that the kernel's filter files get. */
static int choose_functions(struct graph *g, const struct features *f, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	const char *functions;
	char path[PATH_MAX];
	int ret;

	snprintf(path, sizeof(path), "%s/available_filter_functions", f->tracing_dir);
	ret = strbuf_read_file(&text, path, TRACEDIR_FILE_MAX);
	if (ret) {
		strbuf_free(&text);
		return error_errno(err, -ret, "cannot read %s", path);
	}
	functions = strbuf_cstr(&text);
	g->roots = graph_match(functions, roots, ARRAY_SIZE(roots));
	g->noise = graph_match(functions, noise, ARRAY_SIZE(noise));
	strbuf_free(&text);
	if (!g->roots || !g->noise)
		return error_errno(err, ENOMEM, "cannot choose functions");
	if (!g->roots[0])
		return error_set(err, ENOTSUP,
				 "none of the system calls of sockets can be traced here: %s has "
				 "none of them",
				 path);
	return 0;
}

/* All threads that the process has now. */
static int choose_threads(struct graph *g, s32 pid, struct error *err)
{
	struct strbuf words = STRBUF_INIT;
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return error_set(err, ESRCH, "there is no process %d", pid);
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			strbuf_printf(&words, "%s%s", words.len ? " " : "", entry->d_name);
	closedir(dir);
	strbuf_putc(&words, '\0');
	if (words.failed) {
		strbuf_free(&words);
		return error_errno(err, ENOMEM, "cannot list the threads of process %d", pid);
	}
	g->pids = words.data;
	return 0;
}

/* @value is copied; NULL: the file will be emptied. */
static int save(struct graph *g, const char *file, const char *value)
{
	struct graph_setting *all = reallocarray(g->saved, g->nr_saved + 1, sizeof(*all));
	struct graph_setting *one;

	if (!all)
		return -ENOMEM;
	g->saved = all;
	one = &all[g->nr_saved++];
	one->file = strdup(file);
	one->value = value ? strdup(value) : NULL;
	return one->file && (one->value || !value) ? 0 : -ENOMEM;
}

/* The current setting of a file; one that is not there needs no restoring. */
static int save_file(struct graph *g, const struct features *f, const char *file)
{
	struct strbuf text = STRBUF_INIT;
	char path[PATH_MAX], value[128];
	const char *line, *open;
	int ret;

	snprintf(path, sizeof(path), "%s/%s", f->tracing_dir, file);
	ret = strbuf_read_file(&text, path, TRACEDIR_FILE_MAX);
	if (!ret) {
		line = strbuf_cstr(&text);
		/* "local [mono] global", "7 (expanded: 1408)" */
		open = strchr(line, '[');
		if (open)
			line = open + 1;
		open = strstr(line, "(expanded: ");
		if (open)
			line = open + strlen("(expanded: ");
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(line, "])\n"), line);
		ret = save(g, file, value);
	}
	strbuf_free(&text);
	return ret == -ENOENT ? 0 : ret;
}

/* The sizes of the top level's buffers: one, or "X" and one for each CPU. */
static int save_sizes(struct graph *g, const struct features *f)
{
	struct strbuf text = STRBUF_INIT;
	char path[PATH_MAX];
	bool differ;
	int ret = 0;
	u32 cpu;

	snprintf(path, sizeof(path), "%s/buffer_size_kb", f->tracing_dir);
	differ = !strbuf_read_file(&text, path, 64) && strbuf_cstr(&text)[0] == 'X';
	strbuf_free(&text);
	if (!differ)
		return save_file(g, f, "buffer_size_kb");
	for (cpu = 0; cpu < f->cpus && !ret; cpu++) {
		snprintf(path, sizeof(path), "per_cpu/cpu%u/buffer_size_kb", cpu);
		ret = save_file(g, f, path);
	}
	return ret;
}

static int save_options(struct graph *g, const struct features *f)
{
	static const char *const options[] = { "options/funcgraph-irqs", "options/funcgraph-args",
					       "options/funcgraph-retval",
					       "options/funcgraph-retaddr" };
	size_t i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(options) && !ret; i++)
		ret = save_file(g, f, options[i]);
	if (!ret)
		ret = save_file(g, f, "max_graph_depth");
	return ret;
}

/* In the order of the restoring: first what makes the machine slow, tracing itself last. */
static int save_top(struct graph *g, const struct features *f)
{
	static const char *const emptied[] = { "set_graph_function", "set_ftrace_filter",
					       "set_ftrace_notrace", "set_ftrace_pid" };
	size_t i;
	int ret = save(g, "current_tracer", "nop");

	for (i = 0; i < ARRAY_SIZE(emptied) && !ret; i++)
		ret = save(g, emptied[i], NULL);
	if (!ret)
		ret = save_options(g, f);
	if (!ret)
		ret = save_file(g, f, "options/function-fork");
	if (!ret)
		ret = save(g, "trace", NULL);
	if (!ret)
		ret = save_file(g, f, "trace_clock");
	if (!ret)
		ret = save_file(g, f, "buffer_percent");
	if (!ret)
		ret = save_sizes(g, f);
	return ret ? ret : save_file(g, f, "tracing_on");
}

/* What a graph in an instance of ours changes elsewhere. */
static int save_shared(struct graph *g, const struct features *f)
{
	int ret = save(g, "set_graph_function", NULL);

	return ret ? ret : save_options(g, f);
}

/* Which place it is, and that nobody else is there. */
static int choose_place(struct graph *g, const struct features *f, struct error *err)
{
	const struct capability *instance = &f->cap[FEATURE_FGRAPH_INSTANCE];
	const struct capability *top = &f->cap[FEATURE_FGRAPH_TOP];
	int ret;

	g->top = !instance->ok;
	if (g->top && !top->ok)
		return error_set(err, ENOTSUP,
				 "this kernel has no function_graph: %s: %s; needed: %s", top->path,
				 top->detail, feature_need(FEATURE_FGRAPH_TOP, top->code));
	ret = g->top ? foreign_top_level(f->tracing_dir, err) : foreign_graph(f->tracing_dir, err);
	if (ret)
		return ret;
	ret = g->top ? save_top(g, f) : save_shared(g, f);
	return ret ? error_errno(err, -ret, "cannot read how %s is set", f->tracing_dir) : 0;
}

static int prepare(struct graph *g, const struct graph_request *rq, const struct features *f,
		   struct error *err)
{
	int ret = choose_place(g, f, err);

	g->max_depth = rq->max_depth ? rq->max_depth : GRAPH_DEPTH_DEFAULT;
	g->irqs = has_option(f, "options/funcgraph-irqs");
	g->args = has_option(f, "options/funcgraph-args");
	g->retval = has_option(f, "options/funcgraph-retval");
	g->retaddr = has_option(f, "options/funcgraph-retaddr");
	g->depth = has_option(f, "max_graph_depth");
	g->fork = has_option(f, "options/function-fork");
	if (!ret && rq->pid)
		ret = choose_threads(g, rq->pid, err);
	return ret ? ret : choose_functions(g, f, err);
}

int graph_prepare(struct graph *g, const struct graph_request *rq, const struct features *f,
		  struct error *err)
{
	int ret;

	memset(g, 0, sizeof(*g));
	g->on = true;
	ret = prepare(g, rq, f, err);
	if (ret)
		graph_free(g);
	return ret;
}

void graph_free(struct graph *g)
{
	size_t i;

	for (i = 0; i < g->nr_saved; i++) {
		free(g->saved[i].file);
		free(g->saved[i].value);
	}
	free(g->saved);
	free(g->roots);
	free(g->noise);
	free(g->pids);
	memset(g, 0, sizeof(*g));
}
