// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail structs: where members are in the kernel's structures, and who says so.
 *
 * In:  the running kernel's type data, or a file that the user names.
 * Out: a line a member, or one JSON object, or a file for --structs.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/capture_probes.h"
#include "cli/cli.h"
#include "kernel/calibrate.h"
#include "kernel/structs.h"

#define NAME_WIDTH 34
#define MAX_DWARF 64

struct structs_call {
	struct structs_options options;
	const char *dwarf[MAX_DWARF];
	const char *save;
	bool json;
	struct calibration calibration;
};

static void print_help(void)
{
	puts("Usage: skbtrail structs [options]\n"
	     "Show where the members that skbtrail reads are in this kernel's structures, and\n"
	     "from where that is known. Probes fetch with these; nothing is built in.\n"
	     "\n"
	     "      --save FILE     write them to FILE (-: standard output), for --structs\n"
	     "      --structs FILE  take them from a file that --save wrote, maybe elsewhere\n"
	     "      --dwarf VMLINUX take them from debug info: of a vmlinux, a module or an\n"
	     "                      object of the same build; may be given several times\n"
	     "      --calibrate     find them out on the running kernel, with packets of known\n"
	     "                      contents in a private network; as root, about a second\n"
	     "      --no-cache      do not use and do not write /var/cache/skbtrail\n"
	     "      --json          one JSON object\n"
	     "  -h, --help          this text\n"
	     "\n"
	     "Exit status: 0; 1 when nothing is known, or a file cannot be used.\n"
	     "\n"
	     "Examples:\n"
	     "  skbtrail structs                                    what is known here\n"
	     "  skbtrail structs --calibrate                        without any type data\n"
	     "  skbtrail structs --dwarf vmlinux --save a.structs   for a kernel without BTF\n"
	     "  skbtrail trace --structs a.structs                  ... to use on it");
}

/* What would be shown less of. Several members serve one purpose; the first of them has the words. */
static const char *needed_for(enum member m)
{
	static const struct {
		enum member first;
		const char *words;
	} purposes[] = {
		{ SKB_DEV, "devices of hops" },
		{ SKB_SK, "sockets, processes and netns of packets that are sent" },
		{ SKB_REFDST, "device and netns of packets that have a route but no device yet" },
		{ SKB_LEN, "lengths" },
		{ SKB_MARK, "marks" },
		{ SKB_PROTOCOL, "headers of packets" },
		{ SKB_TAIL, "headers of packets" },
		{ SKB_IIF, "the device that a packet came in by" },
		{ SKB_VLAN_TCI, "VLAN tags that are not in the packet's bytes" },
		{ DEV_NAME, "names of devices" },
		{ DEV_IFINDEX, "devices that have the same name" },
		{ DEV_NET, "netns of devices" },
		{ DST_DEV, "device and netns of packets that have a route but no device yet" },
		{ SOCK_FAMILY, "addresses and netns of sockets" },
		{ SOCKET_SK, "which process a packet belongs to" },
		{ NFSTATE_HOOK, "netfilter hooks" },
		{ NFENTRIES_HOOKS, "which netfilter hook decided" },
		{ XT_TABLE_NAME, "names of iptables tables" },
		{ NFT_PKT_SKB, "packets in nft chains" },
		{ NFT_CHAIN_NAME, "names of nft chains" },
		{ NFT_CHAIN_TABLE, "names of nft tables" },
	};
	size_t i = ARRAY_SIZE(purposes);

	while (i && purposes[i - 1].first > m)
		i--;
	return i ? purposes[i - 1].words : "";
}

/* What calibration said of a member it did not find; NULL when the layout is not from there now. */
static const struct cal_finding *finding_of(const struct structs_call *call, enum member m)
{
	return call->options.calibrate ? &call->calibration.of[m] : NULL;
}

static const char *why_unknown(const struct structs_call *call, const struct layout *l,
			       enum member m)
{
	const struct cal_finding *finding = finding_of(call, m);

	if (finding)
		return finding->why;
	if (l->tried & LAYOUT_TRIED)
		return "calibration did not find it";
	if (l->source == STRUCTS_BTF && member_module(m))
		return "its module is not loaded, or brings no BTF";
	if (l->source == STRUCTS_NONE)
		return "this kernel has no BTF (--calibrate may find it)";
	return l->source == STRUCTS_BTF ? "not in BTF, or not in one place only" :
					  "not in that file";
}

static void print_escaped(const char *text)
{
	struct strbuf safe = STRBUF_INIT;

	strbuf_put_escaped(&safe, text, strlen(text));
	fputs(strbuf_cstr(&safe), stdout);
	strbuf_free(&safe);
}

static void print_place(const char *name, const struct member_place *place)
{
	printf("%-*s %6u ", NAME_WIDTH, name, place->offset);
	if (place->is_bit)
		printf("bit %u", place->bit);
	else
		printf("%5u", place->size);
	printf("  %s\n", structs_source_name(place->source));
}

static void print_unknown(const struct structs_call *call, const struct layout *l, enum member m)
{
	const struct cal_finding *finding = finding_of(call, m);
	u32 i;

	printf("%-*s %s; %s", NAME_WIDTH, member_name(m), needed_for(m), why_unknown(call, l, m));
	for (i = 0; finding && i < finding->nr && i < CAL_CANDIDATES_MAX; i++)
		printf("%s%u", i ? " " : ": ", finding->candidates[i]);
	puts(finding && finding->nr > CAL_CANDIDATES_MAX ? " ..." : "");
}

static void print_members(const struct structs_call *call, const struct layout *l)
{
	const struct member_place *place;
	int m;

	printf("kernel ");
	print_escaped(l->kernel[0] ? l->kernel : "unknown");
	printf(", structures from %s", structs_source_name(l->source));
	if (l->from[0]) {
		printf(": ");
		print_escaped(l->from);
	}
	printf("\n\n%-*s %6s %5s  source\n", NAME_WIDTH, "member", "offset", "size");
	for (m = 0; m < MEMBER_COUNT; m++) {
		place = &l->at[m];
		if (layout_has(l, (enum member)m))
			print_place(member_name((enum member)m), place);
	}
	if (l->skb_size)
		printf("%-*s %6s %5u  %s\n", NAME_WIDTH, "sk_buff", "-", l->skb_size,
		       structs_source_name(l->source));
	if (layout_known(l) == MEMBER_COUNT)
		return;
	printf("\nnot known%*s missed for\n", NAME_WIDTH - 9, "");
	for (m = 0; m < MEMBER_COUNT; m++)
		if (!layout_has(l, (enum member)m))
			print_unknown(call, l, (enum member)m);
	if (call->options.calibrate)
		printf("\ncalibration: %u packets in %u rounds, %llu ms\n",
		       call->calibration.packets, call->calibration.rounds,
		       (unsigned long long)(call->calibration.took_ns / NSEC_PER_MSEC));
}

static void add_candidates(struct json_object *object, const struct cal_finding *finding)
{
	struct json_object *list = json_object_new_array();
	u32 i;

	for (i = 0; i < finding->nr && i < CAL_CANDIDATES_MAX; i++)
		json_object_array_add(list, json_object_new_int((int)finding->candidates[i]));
	json_object_object_add(object, "candidates", list);
}

static struct json_object *member_json(const struct structs_call *call, const struct layout *l,
				       enum member m)
{
	const struct cal_finding *finding = finding_of(call, m);
	struct json_object *object = json_object_new_object();
	const struct member_place *place = &l->at[m];

	json_object_object_add(object, "known", json_object_new_boolean(layout_has(l, m)));
	if (layout_has(l, m)) {
		json_object_object_add(object, "offset", json_object_new_int((int)place->offset));
		json_object_object_add(object, "size", json_object_new_int((int)place->size));
		if (place->is_bit)
			json_object_object_add(object, "bit", json_object_new_int(place->bit));
		json_object_object_add(object, "source",
				       json_object_new_string(structs_source_name(place->source)));
	} else {
		json_object_object_add(object, "missed_for", json_object_new_string(needed_for(m)));
		json_object_object_add(object, "reason",
				       json_object_new_string(why_unknown(call, l, m)));
		if (finding && finding->nr)
			add_candidates(object, finding);
	}
	return object;
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	struct strbuf safe = STRBUF_INIT;

	strbuf_put_escaped(&safe, text, strlen(text));
	if (text[0])
		json_object_object_add(object, key, json_object_new_string(strbuf_cstr(&safe)));
	strbuf_free(&safe);
}

static void print_json(const struct structs_call *call, const struct layout *l)
{
	struct json_object *object = json_object_new_object();
	struct json_object *members = json_object_new_object();
	int m;

	add_text(object, "kernel", l->kernel);
	add_text(object, "build_id", l->build_id);
	add_text(object, "source", structs_source_name(l->source));
	add_text(object, "from", l->from);
	if (l->long_size) {
		json_object_object_add(object, "long_size", json_object_new_int(l->long_size));
		add_text(object, "byte_order", l->little_endian ? "little" : "big");
	}
	if (l->skb_size)
		json_object_object_add(object, "skb_size", json_object_new_int((int)l->skb_size));
	for (m = 0; m < MEMBER_COUNT; m++)
		json_object_object_add(members, member_name((enum member)m),
				       member_json(call, l, (enum member)m));
	json_object_object_add(object, "members", members);
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

/* Write to a file of another name, then give it its name: nobody reads a half one. */
static int replace_file(const char *path, const struct strbuf *text)
{
	char tmp[PATH_MAX];
	int ret = 0;
	int fd;

	if (snprintf(tmp, sizeof(tmp), "%s.%d", path, (int)getpid()) >= PATH_MAX)
		return -ENAMETOOLONG;
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (write(fd, text->data, text->len) != (ssize_t)text->len)
		ret = -EIO;
	if (!ret && fchmod(fd, 0644))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && rename(tmp, path))
		ret = -errno;
	if (ret)
		unlink(tmp);
	return ret;
}

/* Where a link leads is replaced, not the link; what is no file (/dev/null) is written to. */
static int save_text(const char *path, const struct strbuf *text)
{
	char *target = realpath(path, NULL);
	struct stat st;
	int ret = 0;
	int fd;

	if (target && !stat(target, &st) && !S_ISREG(st.st_mode)) {
		fd = open(target, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			ret = -errno;
		else if (write(fd, text->data, text->len) != (ssize_t)text->len)
			ret = -EIO;
		if (fd >= 0)
			close(fd);
	} else {
		ret = replace_file(target ? target : path, text);
	}
	free(target);
	return ret;
}

static int save(const struct layout *l, const char *path, struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	int ret = structs_write_text(l, &text);

	if (!ret && !strcmp(path, "-"))
		fwrite(text.data, 1, text.len, stdout);
	else if (!ret)
		ret = save_text(path, &text);
	strbuf_free(&text);
	if (ret)
		error_errno(err, -ret, "cannot write %s", path);
	return ret ? CLI_FAILURE : CLI_OK;
}

static int show(struct structs_call *call, struct error *err)
{
	struct layout l;

	call->options.calibration = &call->calibration;
	call->options.progress = capture_calibrating;
	if (structs_load(&l, &call->options, err)) {
		if (call->options.calibrate)
			error_prepend(err, "cannot calibrate: ");
		return CLI_FAILURE;
	}
	if (!call->save && call->json)
		print_json(call, &l);
	else if (!call->save)
		print_members(call, &l);
	if (!layout_known(&l)) {
		error_set(
			err, ENODATA,
			"nothing is known of this kernel's structures: it has no BTF "
			"(/sys/kernel/btf/vmlinux); needed: --calibrate on it as root, --dwarf with "
			"a vmlinux of its build that has debug info, or a file that --save made");
		return CLI_FAILURE;
	}
	return call->save ? save(&l, call->save, err) : CLI_OK;
}

static int take_option(struct structs_call *call, int opt, struct error *err)
{
	switch (opt) {
	case 's':
		call->save = optarg;
		break;
	case 'f':
		call->options.file = optarg;
		break;
	case 'd':
		if (call->options.nr_dwarf == MAX_DWARF)
			return cli_usage(err, "structs", "--dwarf may be given %d times",
					 MAX_DWARF);
		call->dwarf[call->options.nr_dwarf++] = optarg;
		break;
	case 'c':
		call->options.calibrate = STRUCTS_CALIBRATE_ALWAYS;
		break;
	case 'n':
		call->options.no_cache = true;
		break;
	case 'j':
		call->json = true;
		break;
	}
	return CLI_OK;
}

static int check_call(const struct structs_call *call, struct error *err)
{
	if (call->options.file && call->options.nr_dwarf)
		return cli_usage(err, "structs", "--structs and --dwarf exclude each other");
	if (call->options.calibrate && (call->options.file || call->options.nr_dwarf))
		return cli_usage(err, "structs", "--calibrate excludes --structs and --dwarf");
	if (call->save && call->json)
		return cli_usage(err, "structs", "--save and --json exclude each other");
	return CLI_OK;
}

int cmd_structs(int argc, char **argv, struct error *err)
{
	static const struct option options[] = {
		{ "save", required_argument, NULL, 's' },
		{ "structs", required_argument, NULL, 'f' },
		{ "dwarf", required_argument, NULL, 'd' },
		{ "calibrate", no_argument, NULL, 'c' },
		{ "no-cache", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct structs_call call = { .options.any_kernel = true };
	int status;
	int opt;

	call.options.dwarf = call.dwarf;
	opterr = 0;
	optind = 0;
	while ((opt = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		switch (opt) {
		case 'h':
			print_help();
			return CLI_OK;
		case ':':
			return cli_usage(err, "structs", "%s needs a value", argv[optind - 1]);
		case '?':
			return cli_usage(err, "structs", "there is no option '%s'",
					 argv[optind - 1]);
		}
		status = take_option(&call, opt, err);
		if (status != CLI_OK)
			return status;
	}
	if (optind < argc)
		return cli_usage(err, "structs", "structs takes no arguments, not '%s'",
				 argv[optind]);
	status = check_call(&call, err);
	return status == CLI_OK ? show(&call, err) : status;
}
