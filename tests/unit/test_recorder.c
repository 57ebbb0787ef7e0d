// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A recording, from an instance's buffers to the file: all of it is there, whatever goes wrong.
 *
 * The instance is a folder of plain files: trace_pipe_raw of each CPU holds sub-buffers, and a read
 * at its end says "empty", as the kernel's does. More can be appended, as if traced meanwhile.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "subbuf_builder.h"
#include "trace/recorder.h"
#include "trace/stream.h"
#include "tree.h"

#define NR_CPUS 3

static const struct subbuf_format format = { 4096, sizeof(long), HOST_BIG_ENDIAN };
static const u32 cpus[NR_CPUS] = { 0, 1, 5 };

struct fake {
	char *root;
	char *file; /* the recording */
	struct dathead head;
	struct live *live;
	u32 pages[NR_CPUS];
};

/* The content of page @n of a CPU. */
static u8 *page_of(u32 cpu_index, u32 n)
{
	struct subbuf b;
	u32 i;

	subbuf_begin(&b, &format, 1000 + n * 1000 + cpu_index);
	for (i = 0; i < 20; i++)
		subbuf_record(&b, 7, (u16)(1 + n), 40);
	return subbuf_end(&b, 0, 0);
}

/* The kernel traces: @count more sub-buffers for a CPU. */
static void trace_more(struct fake *f, u32 cpu_index, u32 count)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/instance/per_cpu/cpu%u/trace_pipe_raw", f->root,
		 cpus[cpu_index]);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
	assert_true(fd >= 0);
	while (count--) {
		u8 *page = page_of(cpu_index, f->pages[cpu_index]++);

		assert_int_equal(write(fd, page, format.size), format.size);
		free(page);
	}
	close(fd);
}

static void fake_init(struct fake *f)
{
	struct strbuf page = STRBUF_INIT;
	char path[512];
	u32 i;

	memset(f, 0, sizeof(*f));
	f->root = tree_new();
	assert_true(asprintf(&f->file, "%s/out/trace.dat", f->root) > 0);
	tree_dir(f->root, "out");
	subbuf_header_page(&format, &page);
	tree_file(f->root, "instance/events/header_page", strbuf_cstr(&page));
	strbuf_put(&f->head.header_page, page.data, page.len);
	strbuf_free(&page);
	/* What is no CPU does not disturb. */
	tree_file(f->root, "instance/per_cpu/cpux/trace_pipe_raw", "");
	tree_file(f->root, "instance/per_cpu/readme", "");
	for (i = 0; i < NR_CPUS; i++) {
		snprintf(path, sizeof(path), "instance/per_cpu/cpu%u/trace_pipe_raw", cpus[i]);
		tree_file(f->root, path, "");
	}
	strbuf_puts(&f->head.header_event, "# compressed entry header\n");
	strbuf_puts(&f->head.kallsyms, "ffffffff81000000 T _text\n");
	strbuf_puts(&f->head.meta, "{\"skbtrail\": true}");
	f->head.page_size = format.size;
	f->head.nr_cpus = cpus[NR_CPUS - 1] + 1;
	snprintf(f->head.uname, sizeof(f->head.uname), "Linux test");
	snprintf(f->head.version, sizeof(f->head.version), "skbtrail test");
	snprintf(f->head.clock, sizeof(f->head.clock), "mono");
	f->head.trace_id = 0x1122334455667788;
	snprintf(path, sizeof(path), "%s/instance", f->root);
	assert_int_equal(live_open(&f->live, path, NULL), 0);
	assert_int_equal(live_cpus(f->live), NR_CPUS);
	for (i = 0; i < NR_CPUS; i++)
		assert_int_equal(live_cpu(f->live, i), cpus[i]);
}

static void fake_end(struct fake *f)
{
	live_close(f->live);
	dathead_free(&f->head);
	tree_free(f->root);
	free(f->file);
}

/* What only the end knows. */
static void complete_head(struct fake *f)
{
	strbuf_puts(&f->head.cmdlines, "77 ping\n");
	f->head.cpustat = calloc(1, sizeof(*f->head.cpustat));
	strbuf_puts(&f->head.cpustat[0], "CPU: 0\noverrun: 4\n");
	f->head.nr_cpustat = 1;
}

static struct recorder *start(struct fake *f)
{
	struct error err = { 0 };
	struct recorder *r;

	if (recorder_open(&r, f->file, &f->head, f->live, &err))
		fail_msg("%s", err.text);
	return r;
}

/* The data of a CPU in the file is what was traced, byte by byte, up to @pages sub-buffers. */
static void expect_pages(struct datfile *df, int fd, u32 cpu_index, u32 pages)
{
	u8 got[4096], *want;
	u32 c, e, n = 0;
	u64 at;

	for (c = 0; c < df->buffers[0].nr_cpus; c++) {
		const struct datfile_cpu *cpu = &df->buffers[0].cpus[c];

		if (cpu->cpu != cpus[cpu_index])
			continue;
		for (e = 0; e < cpu->nr_extents; e++)
			for (at = 0; at < cpu->extents[e].size; at += format.size) {
				want = page_of(cpu_index, n++);
				assert_int_equal(pread(fd, got, sizeof(got),
						       (off_t)(cpu->extents[e].offset + at)),
						 sizeof(got));
				assert_memory_equal(got, want, sizeof(got));
				free(want);
			}
	}
	assert_int_equal(n, pages);
}

static void expect_file(struct fake *f, const char *path, bool finished)
{
	struct datfile *df;
	struct error err = { 0 };
	struct stream *s;
	u32 i, total = 0;
	int fd;

	if (datfile_open(&df, path, &err))
		fail_msg("%s", err.text);
	fd = open(path, O_RDONLY);
	assert_int_equal(df->version, 7);
	assert_int_equal(df->unfinished, !finished);
	assert_false(df->cut_off);
	assert_int_equal(df->nr_buffers, 1);
	assert_string_equal(df->buffers[0].name, "");
	assert_string_equal(df->buffers[0].clock, "mono");
	assert_string_equal(strbuf_cstr(&df->meta), "{\"skbtrail\": true}");
	assert_string_equal(df->uname, "Linux test");
	for (i = 0; i < NR_CPUS; i++) {
		expect_pages(df, fd, i, f->pages[i]);
		total += f->pages[i];
	}
	assert_int_equal(stream_file(&s, df, &df->buffers[0], &err), 0);
	while (stream_next(s, STREAM_NO_LIMIT))
		;
	assert_int_equal(s->stats.records, total * 20);
	assert_int_equal(s->stats.damaged, 0);
	stream_close(s);
	datfile_close(df);
	close(fd);
}

/* The folder holds the recording and nothing forgotten. */
static void expect_no_litter(struct fake *f)
{
	char command[600];

	snprintf(command, sizeof(command), "test $(ls -A %s/out | wc -l) = 1", f->root);
	assert_int_equal(system(command), 0);
}

static void what_is_recorded_is_read_back_byte_by_byte(void **state)
{
	struct error err = { 0 };
	struct strbuf names = STRBUF_INIT;
	struct recorder *r;
	struct datfile *df;
	struct stat st;
	struct fake f;

	(void)state;
	fake_init(&f);
	trace_more(&f, 0, 3);
	r = start(&f);
	assert_int_equal(recorder_drain(r, &err), 3 * 4096);
	trace_more(&f, 0, 2);
	trace_more(&f, 2, 700);
	assert_int_equal(recorder_drain(r, &err), 702 * 4096);
	assert_int_equal(recorder_drain(r, &err), 0);
	trace_more(&f, 2, 1);
	assert_int_equal(recorder_drain(r, &err), 4096);
	assert_int_equal(recorder_bytes(r), 706 * 4096);
	/* Readable while it is made. */
	expect_file(&f, f.file, false);
	complete_head(&f);
	assert_int_equal(recorder_finish(r, &err), 0);
	recorder_free(r);
	expect_file(&f, f.file, true);
	assert_int_equal(datfile_open(&df, f.file, &err), 0);
	assert_int_equal(datfile_read_cmdlines(df, &names, &err), 0);
	assert_string_equal(strbuf_cstr(&names), "77 ping\n");
	assert_non_null(strstr(strbuf_cstr(&df->cpustats), "overrun: 4"));
	datfile_close(df);
	strbuf_free(&names);
	assert_int_equal(stat(f.file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	expect_no_litter(&f);
	fake_end(&f);
}

static void an_empty_recording_is_a_recording(void **state)
{
	struct error err = { 0 };
	struct recorder *r;
	struct fake f;

	(void)state;
	fake_init(&f);
	r = start(&f);
	assert_int_equal(recorder_drain(r, &err), 0);
	expect_file(&f, f.file, false);
	assert_int_equal(recorder_finish(r, &err), 0);
	recorder_free(r);
	expect_file(&f, f.file, true);
	fake_end(&f);
}

static void a_file_that_others_could_read_is_closed_to_them(void **state)
{
	struct recorder *r;
	struct stat st;
	struct fake f;

	(void)state;
	fake_init(&f);
	tree_file(f.root, "out/trace.dat", "what was there before, longer than nothing");
	assert_int_equal(chmod(f.file, 0644), 0);
	r = start(&f);
	assert_int_equal(stat(f.file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	recorder_free(r);
	expect_file(&f, f.file, false);
	fake_end(&f);
}

static void a_link_still_leads_to_the_recording(void **state)
{
	struct error err = { 0 };
	struct recorder *r;
	char target[600];
	struct stat st;
	struct fake f;

	(void)state;
	fake_init(&f);
	snprintf(target, sizeof(target), "%s/elsewhere.dat", f.root);
	assert_int_equal(symlink(target, f.file), 0);
	trace_more(&f, 1, 2);
	r = start(&f);
	assert_int_equal(recorder_drain(r, &err), 2 * 4096);
	assert_int_equal(recorder_finish(r, &err), 0);
	recorder_free(r);
	assert_int_equal(lstat(f.file, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	expect_file(&f, target, true);
	fake_end(&f);
}

static void a_killed_recorder_leaves_a_readable_file(void **state)
{
	struct fake f;
	pid_t pid;
	int status;

	(void)state;
	fake_init(&f);
	trace_more(&f, 0, 9);
	trace_more(&f, 1, 300);
	pid = fork();
	if (!pid) {
		struct recorder *r;

		if (recorder_open(&r, f.file, &f.head, f.live, NULL) ||
		    recorder_drain(r, NULL) != 309 * 4096)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	expect_file(&f, f.file, false);
	fake_end(&f);
}

/* Drains until it fails; returns the message. Whatever was read from the buffers is what is lost. */
static void drain_until_full(struct fake *f, struct recorder *r, struct error *err)
{
	s64 moved = 0;
	u32 i;

	for (i = 0; i < 64 && moved >= 0; i++) {
		trace_more(f, 1, 16);
		moved = recorder_drain(r, err);
	}
	assert_true(moved < 0);
	assert_non_null(strstr(err->text, "whole and kept"));
	/* From now on it takes nothing more, and says nothing more. */
	assert_int_equal(recorder_drain(r, err), 0);
	f->pages[1] = (u32)(recorder_bytes(r) / format.size);
}

static void a_full_disk_keeps_what_is_whole(void **state)
{
	const struct rlimit small = { 300000, RLIM_INFINITY };
	struct rlimit before;
	struct error err = { 0 };
	struct recorder *r;
	struct fake f;

	(void)state;
	fake_init(&f);
	r = start(&f);
	getrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_IGN);
	/* The buffers are files here and may not be cut: each stays below the limit. */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	trace_more(&f, 0, 40);
	trace_more(&f, 1, 20);
	assert_int_equal(recorder_drain(r, &err), 60 * 4096);
	trace_more(&f, 2, 30);
	assert_int_equal(recorder_drain(r, &err), -EFBIG);
	assert_non_null(strstr(err.text, "whole and kept"));
	f.pages[2] = 0;
	assert_int_equal(recorder_bytes(r), 60 * 4096);
	expect_file(&f, f.file, false);
	/* Room enough to finish it. */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	complete_head(&f);
	assert_int_equal(recorder_finish(r, &err), 0);
	recorder_free(r);
	expect_file(&f, f.file, true);
	expect_no_litter(&f);
	fake_end(&f);
}

static void a_full_file_system_keeps_what_is_whole(void **state)
{
	struct error err = { 0 };
	struct recorder *r;
	char command[600];
	struct fake f;

	(void)state;
	if (geteuid())
		skip();
	fake_init(&f);
	tree_dir(f.root, "small");
	snprintf(command, sizeof(command), "mount -t tmpfs -o size=600k none %s/small 2>/dev/null",
		 f.root);
	if (system(command)) {
		fake_end(&f);
		skip();
	}
	free(f.file);
	assert_true(asprintf(&f.file, "%s/small/out.dat", f.root) > 0);
	r = start(&f);
	drain_until_full(&f, r, &err);
	expect_file(&f, f.file, false);
	/* No room for the copy that finishing makes: the file stays as it is. */
	assert_true(recorder_finish(r, &err) < 0);
	assert_non_null(strstr(err.text, "keeps all"));
	recorder_free(r);
	expect_file(&f, f.file, false);
	snprintf(command, sizeof(command),
		 "n=$(ls -A %s/small | wc -l); umount %s/small && test $n = 1", f.root, f.root);
	assert_int_equal(system(command), 0);
	fake_end(&f);
}

static void a_recording_into_a_pipe_can_be_read(void **state)
{
	struct error err = { 0 };
	char fifo[512], copy[512], command[1200];
	struct recorder *r;
	struct fake f;
	pid_t pid;
	int status;

	(void)state;
	fake_init(&f);
	snprintf(fifo, sizeof(fifo), "%s/fifo", f.root);
	snprintf(copy, sizeof(copy), "%s/copy.dat", f.root);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	pid = fork();
	if (!pid) {
		snprintf(command, sizeof(command), "cat %s > %s", fifo, copy);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(1);
	}
	free(f.file);
	f.file = strdup(fifo);
	trace_more(&f, 0, 30);
	r = start(&f);
	assert_int_equal(recorder_drain(r, &err), 30 * 4096);
	trace_more(&f, 2, 7);
	assert_int_equal(recorder_drain(r, &err), 7 * 4096);
	complete_head(&f);
	assert_int_equal(recorder_finish(r, &err), 0);
	recorder_free(r);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	expect_file(&f, copy, true);
	fake_end(&f);
}

static void a_reader_that_goes_away_is_an_error_not_a_crash(void **state)
{
	struct error err = { 0 };
	struct recorder *r;
	char fifo[512];
	struct fake f;
	int fd;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	fake_init(&f);
	snprintf(fifo, sizeof(fifo), "%s/fifo", f.root);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_RDONLY | O_NONBLOCK);
	free(f.file);
	f.file = strdup(fifo);
	r = start(&f);
	close(fd);
	trace_more(&f, 0, 30);
	assert_int_equal(recorder_drain(r, &err), -EPIPE);
	assert_int_equal(recorder_finish(r, &err), 0);
	recorder_free(r);
	fake_end(&f);
}

static void a_place_that_cannot_be_written_is_named(void **state)
{
	struct error err = { 0 };
	struct recorder *r = NULL;
	struct fake f;

	(void)state;
	fake_init(&f);
	assert_int_equal(recorder_open(&r, "/nowhere/at/all.dat", &f.head, f.live, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at/all.dat"));
	assert_true(recorder_open(&r, f.root, &f.head, f.live, &err) < 0);
	fake_end(&f);
}

static void an_instance_without_buffers_is_an_error(void **state)
{
	char *root = tree_new(), path[512];
	struct strbuf page = STRBUF_INIT;
	struct error err = { 0 };
	struct live *live;

	(void)state;
	assert_int_equal(live_open(&live, root, &err), -ENOENT);
	tree_file(root, "events/header_page", "nonsense\n");
	assert_int_equal(live_open(&live, root, &err), -EINVAL);
	subbuf_header_page(&format, &page);
	tree_file(root, "events/header_page", strbuf_cstr(&page));
	strbuf_free(&page);
	assert_int_equal(live_open(&live, root, &err), -ENOENT);
	tree_dir(root, "per_cpu");
	assert_int_equal(live_open(&live, root, &err), -ENOENT);
	tree_dir(root, "per_cpu/cpu0");
	assert_int_equal(live_open(&live, root, &err), -ENOENT);
	snprintf(path, sizeof(path), "%s/per_cpu/cpu0/trace_pipe_raw", root);
	assert_non_null(strstr(err.text, path));
	tree_free(root);
}

/* Older kernels describe the sub-buffer at the top level only. */
static void the_top_levels_description_will_do(void **state)
{
	char *root = tree_new(), path[512];
	struct strbuf page = STRBUF_INIT;
	struct live *live;

	(void)state;
	subbuf_header_page(&format, &page);
	tree_file(root, "events/header_page", strbuf_cstr(&page));
	strbuf_free(&page);
	tree_file(root, "instances/a/per_cpu/cpu0/trace_pipe_raw", "");
	snprintf(path, sizeof(path), "%s/instances/a", root);
	assert_int_equal(live_open(&live, path, NULL), 0);
	assert_int_equal(live_layout(live)->size, format.size);
	live_close(live);
	tree_free(root);
}

static void live_buffers_are_a_stream_that_goes_on(void **state)
{
	const struct record *rec;
	struct feeder *feeder;
	struct stream *s;
	struct fake f;
	u64 last = 0;
	u32 n = 0;

	(void)state;
	fake_init(&f);
	trace_more(&f, 0, 200);
	trace_more(&f, 1, 3);
	assert_int_equal(live_feeder(&feeder, f.live, NULL), 0);
	assert_int_equal(stream_open(&s, feeder, live_layout(f.live), NULL), 0);
	for (; (rec = stream_next(s, STREAM_NO_LIMIT)); n++) {
		assert_true(rec->ts_ns >= last);
		last = rec->ts_ns;
	}
	assert_int_equal(n, 203 * 20);
	trace_more(&f, 2, 300);
	stream_resume(s);
	for (; (rec = stream_next(s, STREAM_NO_LIMIT)); n++)
		assert_int_equal(rec->cpu, 5);
	assert_int_equal(n, 503 * 20);
	stream_close(s);
	fake_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_recorded_is_read_back_byte_by_byte),
		cmocka_unit_test(an_empty_recording_is_a_recording),
		cmocka_unit_test(a_file_that_others_could_read_is_closed_to_them),
		cmocka_unit_test(a_link_still_leads_to_the_recording),
		cmocka_unit_test(a_killed_recorder_leaves_a_readable_file),
		cmocka_unit_test(a_full_disk_keeps_what_is_whole),
		cmocka_unit_test(a_full_file_system_keeps_what_is_whole),
		cmocka_unit_test(a_recording_into_a_pipe_can_be_read),
		cmocka_unit_test(a_reader_that_goes_away_is_an_error_not_a_crash),
		cmocka_unit_test(a_place_that_cannot_be_written_is_named),
		cmocka_unit_test(an_instance_without_buffers_is_an_error),
		cmocka_unit_test(the_top_levels_description_will_do),
		cmocka_unit_test(live_buffers_are_a_stream_that_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
