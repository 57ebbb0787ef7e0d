// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding out what the running kernel allows: where tracefs is, and everything that reading alone
 * can tell. Tries that create something are in features_probe.c, which is called from here.
 *
 * In:  /proc, /sys and tracefs, all below f->root.
 * Out: struct features. A "no" of one file never keeps another from being looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel/features_priv.h"
#include "kernel/tracedir.h"

#define TRACEFS_HOME "/sys/kernel/tracing"
#define MOUNT_LINE "mount -t tracefs nodev " TRACEFS_HOME

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Where tracefs is mounted; the usual place wins over others, debugfs's own copy comes last. */
static bool find_mount(char *dir, size_t size)
{
	char debugfs[256] = "";
	struct mntent *entry;
	bool found = false;
	FILE *mounts;

	mounts = setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return false;
	while ((entry = getmntent(mounts))) {
		if (!strcmp(entry->mnt_type, "tracefs") && strlen(entry->mnt_dir) < size &&
		    (!found || !strcmp(entry->mnt_dir, TRACEFS_HOME))) {
			snprintf(dir, size, "%s", entry->mnt_dir);
			found = true;
		}
		if (!strcmp(entry->mnt_type, "debugfs") && strlen(entry->mnt_dir) < 200)
			snprintf(debugfs, sizeof(debugfs), "%.200s/tracing/events", entry->mnt_dir);
	}
	endmntent(mounts);
	if (!found && debugfs[0] && is_dir(debugfs)) {
		snprintf(dir, size, "%.*s", (int)(strlen(debugfs) - strlen("/events")), debugfs);
		found = true;
	}
	return found;
}

int features_find_tracefs(char *dir, size_t size, struct error *err)
{
	if (find_mount(dir, size))
		return 0;
	return error_set(err, ENOENT, "tracefs is not mounted; run as root: " MOUNT_LINE);
}

static void mount_tracefs(struct features *f)
{
	if (geteuid()) {
		features_no(
			f, FEATURE_TRACEFS, EPERM, TRACEFS_HOME,
			"tracefs is not mounted and only root may mount it; run: sudo " MOUNT_LINE);
		return;
	}
	if (mount("nodev", TRACEFS_HOME, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)) {
		if (errno == EPERM || errno == EACCES)
			features_no(f, FEATURE_TRACEFS, errno, TRACEFS_HOME,
				    "tracefs is not mounted and this root may not mount it (a "
				    "container?); run outside of it: " MOUNT_LINE);
		else
			features_refused(f, FEATURE_TRACEFS, errno, TRACEFS_HOME);
		return;
	}
	snprintf(f->tracing_dir, sizeof(f->tracing_dir), "%s", TRACEFS_HOME);
	f->mounted_now = true;
}

static void detect_tracefs(struct features *f)
{
	char events[FEATURES_PATH_MAX];

	if (f->root[0]) {
		snprintf(f->tracing_dir, sizeof(f->tracing_dir), "%s" TRACEFS_HOME, f->root);
		if (!is_dir(f->tracing_dir)) {
			features_refused(f, FEATURE_TRACEFS, ENOENT, f->tracing_dir);
			f->tracing_dir[0] = '\0';
		}
	} else if (!find_mount(f->tracing_dir, sizeof(f->tracing_dir))) {
		mount_tracefs(f);
	}
	if (!f->tracing_dir[0])
		return;
	snprintf(events, sizeof(events), "%s/events", f->tracing_dir);
	if (access(events, R_OK | X_OK))
		features_refused(f, FEATURE_TRACEFS, errno, events);
	else
		features_yes(f, FEATURE_TRACEFS, "%s at %s",
			     f->mounted_now ? "was not mounted; mounted now" : "mounted",
			     f->tracing_dir);
}

static void detect_lockdown(struct features *f)
{
	struct strbuf text = STRBUF_INIT;
	char path[FEATURES_PATH_MAX];
	const char *state;
	char *end;
	int ret;

	snprintf(path, sizeof(path), "%s/sys/kernel/security/lockdown", f->root);
	ret = strbuf_read_file(&text, path, TRACEDIR_FILE_MAX);
	state = strchr(strbuf_cstr(&text), '[');
	if (ret == -ENOENT) {
		features_yes(f, FEATURE_LOCKDOWN,
			     "%s is absent: not built in, or securityfs is not "
			     "mounted",
			     path + strlen(f->root));
	} else if (ret) {
		features_refused(f, FEATURE_LOCKDOWN, -ret, path);
	} else if (!state || !(end = strchr(state, ']'))) {
		features_no(f, FEATURE_LOCKDOWN, 0, path, "not understood: no [state] in it");
	} else if (!strncmp(state, "[confidentiality]", 17)) {
		features_no(f, FEATURE_LOCKDOWN, 0, path, "confidentiality: tracing is refused");
	} else {
		features_yes(f, FEATURE_LOCKDOWN, "%.*s: tracing is allowed",
			     (int)(end - state - 1), state + 1);
	}
	strbuf_free(&text);
}

static void detect_btf_file(struct features *f)
{
	static const unsigned char little[2] = { 0x9f, 0xeb }, big[2] = { 0xeb, 0x9f };
	char path[FEATURES_PATH_MAX];
	unsigned char magic[2] = { 0 };
	struct stat st;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/sys/kernel/btf/vmlinux", f->root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		features_refused(f, FEATURE_BTF_FILE, errno, path);
		return;
	}
	got = read(fd, magic, sizeof(magic));
	if (got < 0)
		features_refused(f, FEATURE_BTF_FILE, errno, path);
	else if (got != 2 || (memcmp(magic, little, 2) && memcmp(magic, big, 2)))
		features_no(f, FEATURE_BTF_FILE, 0, path, "does not begin as BTF does");
	else
		features_yes(f, FEATURE_BTF_FILE, "%s, %lld KiB", path + strlen(f->root),
			     fstat(fd, &st) ? 0LL : (long long)st.st_size / 1024);
	close(fd);
}

/* The first symbols may be per-CPU offsets that really are small, so look at more than one line. */
static void detect_kallsyms(struct features *f)
{
	char path[FEATURES_PATH_MAX];
	char line[512];
	bool seen = false;
	int lines = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/kallsyms", f->root);
	file = fopen(path, "re");
	if (!file) {
		features_refused(f, FEATURE_KALLSYMS, errno, path);
		return;
	}
	while (!seen && lines++ < 20000 && fgets(line, sizeof(line), file))
		seen = strtoull(line, NULL, 16) > 0xffffff;
	fclose(file);
	if (seen)
		features_yes(f, FEATURE_KALLSYMS, "readable in %s", path + strlen(f->root));
	else
		features_no(f, FEATURE_KALLSYMS, 0, path,
			    "all addresses read as 0 (see /proc/sys/kernel/kptr_restrict)");
}

static void detect_field(struct features *f, enum feature id, const char *system, const char *event,
			 const char *field)
{
	struct strbuf text = STRBUF_INIT;
	char path[FEATURES_PATH_MAX];
	char pattern[64];
	int ret;

	snprintf(path, sizeof(path), "%s/events/%s/%s/format", f->tracing_dir, system, event);
	snprintf(pattern, sizeof(pattern), " %s;", field);
	ret = f->tracing_dir[0] ? strbuf_read_file(&text, path, TRACEDIR_FILE_MAX) : -ENOENT;
	if (ret)
		features_no(f, id, -ret, path, "the format of %s:%s cannot be read", system, event);
	else if (strstr(strbuf_cstr(&text), pattern))
		features_yes(f, id, "%s:%s has the field '%s'", system, event, field);
	else
		features_refused(f, id, EINVAL, path);
	if (!ret && !f->cap[id].ok)
		f->cap[id].code = 0;
	strbuf_free(&text);
}

static void detect_machine(struct features *f)
{
	struct strbuf text = STRBUF_INIT;
	char path[FEATURES_PATH_MAX];
	const char *line;
	struct utsname names;
	long cpus;

	if (!uname(&names)) {
		snprintf(f->release, sizeof(f->release), "%s", names.release);
		snprintf(f->machine, sizeof(f->machine), "%.31s", names.machine);
	}
	cpus = sysconf(_SC_NPROCESSORS_CONF);
	f->cpus = cpus > 0 ? (u32)cpus : 1;
	snprintf(path, sizeof(path), "%s/proc/meminfo", f->root);
	if (!strbuf_read_file(&text, path, TRACEDIR_FILE_MAX)) {
		line = strstr(strbuf_cstr(&text), "MemAvailable:");
		if (line)
			f->mem_available_kb = strtoull(line + strlen("MemAvailable:"), NULL, 10);
	}
	strbuf_free(&text);
}

static int detect_clocks(struct features *f)
{
	struct strbuf text = STRBUF_INIT;
	char path[FEATURES_PATH_MAX];
	int ret = 0;

	snprintf(path, sizeof(path), "%s/trace_clock", f->tracing_dir);
	if (!strbuf_read_file(&text, path, TRACEDIR_FILE_MAX)) {
		strbuf_putc(&text, '\0');
		ret = text.failed ? -ENOMEM : features_parse_clocks(f, text.data);
	}
	strbuf_free(&text);
	return ret;
}

static int detect(struct features *f, void (*probe)(struct features *f))
{
	int ret = 0;

	detect_machine(f);
	detect_lockdown(f);
	detect_tracefs(f);
	detect_btf_file(f);
	detect_kallsyms(f);
	if (f->tracing_dir[0]) {
		ret = features_list_events(f);
		if (!ret)
			ret = detect_clocks(f);
	}
	detect_field(f, FEATURE_DROP_REASON, "skb", "kfree_skb", "reason");
	detect_field(f, FEATURE_NET_COOKIE, "net", "net_dev_queue", "net_cookie");
	if (!ret)
		probe(f);
	return ret;
}

/* Signals that end us wait until what a try made is gone; @before is what was blocked. */
static void hold_signals(sigset_t *before)
{
	static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	sigset_t block;
	size_t i;

	sigemptyset(&block);
	for (i = 0; i < ARRAY_SIZE(held); i++)
		sigaddset(&block, held[i]);
	sigprocmask(SIG_BLOCK, &block, before);
}

void features_try_graph(struct features *f)
{
	sigset_t before;

	hold_signals(&before);
	features_probe_graph(f);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static int detect_unbroken(struct features *f, const char *root, void (*probe)(struct features *f),
			   struct error *err)
{
	sigset_t before;
	int ret;

	memset(f, 0, sizeof(*f));
	if (strlen(root) >= sizeof(f->root))
		return error_set(err, ENAMETOOLONG, "the name of the directory %s is too long",
				 root);
	snprintf(f->root, sizeof(f->root), "%s", root);
	hold_signals(&before);
	ret = detect(f, probe);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (ret)
		return error_errno(err, -ret, "cannot look at tracefs in %s", f->tracing_dir);
	return 0;
}

int features_detect_at(struct features *f, const char *root, struct error *err)
{
	return detect_unbroken(f, root, features_probe, err);
}

int features_detect(struct features *f, struct error *err)
{
	return features_detect_at(f, "", err);
}

int features_read_at(struct features *f, const char *root, struct error *err)
{
	return detect_unbroken(f, root, features_assume, err);
}

int features_read(struct features *f, struct error *err)
{
	return features_read_at(f, "", err);
}
