// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail check: what this kernel allows.
 *
 * In:  struct features of the running kernel, where members of its structures are, its functions.
 * Out: one line a capability, then the capture tier and its probes; or the same as one JSON object.
 */
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/capture_flows.h"
#include "cli/capture_probes.h"
#include "cli/check_probes.h"
#include "cli/cli.h"
#include "kernel/features.h"

#define LABEL_WIDTH 25

struct look {
	const char *ok;
	const char *no;
	const char *green;
	const char *red;
	const char *plain;
};

static void print_help(void)
{
	puts("Usage: skbtrail check [options]\n"
	     "Show what this kernel allows, one line a capability, each found by trying it.\n"
	     "What is made for a try is removed again; the machine's own tracing is not\n"
	     "touched.\n"
	     "\n"
	     "      --structs FILE  where members are in this kernel's structures\n"
	     "      --json          one JSON object: capabilities, events, tiers, probes\n"
	     "      --color WHEN    auto (default), always or never\n"
	     "  -h, --help          this text\n"
	     "\n"
	     "Exit status: 0 when packets can be captured; 1 when not: stderr says why.\n"
	     "\n"
	     "Examples (as root):\n"
	     "  skbtrail check                       what is there, and why not more\n"
	     "  skbtrail check --json > kernel.json  to attach to a bug report");
}

static void choose_look(struct look *look, bool color)
{
	bool utf8;

	setlocale(LC_CTYPE, "");
	utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	look->ok = utf8 ? "\u2713" : "ok";
	look->no = utf8 ? "\u2717" : "no";
	look->green = color ? "\033[32m" : "";
	look->red = color ? "\033[31m" : "";
	look->plain = color ? "\033[0m" : "";
}

static int parse_color(const char *when, bool *color, struct error *err)
{
	const char *term = getenv("TERM");
	const char *no_color = getenv("NO_COLOR");

	if (!strcmp(when, "always"))
		*color = true;
	else if (!strcmp(when, "never"))
		*color = false;
	else if (!strcmp(when, "auto"))
		*color = isatty(STDOUT_FILENO) && !(no_color && no_color[0]) && term &&
			 strcmp(term, "dumb");
	else
		return cli_usage(err, "check", "--color takes auto, always or never, not '%s'",
				 when);
	return CLI_OK;
}

static void print_text(const char *text)
{
	struct strbuf safe = STRBUF_INIT;

	strbuf_put_escaped(&safe, text, strlen(text));
	fputs(strbuf_cstr(&safe), stdout);
	strbuf_free(&safe);
}

static void print_capability(const struct features *f, enum feature id, const struct look *look)
{
	const struct capability *cap = &f->cap[id];
	const char *need = feature_need(id, cap->code);

	printf("%s%s%s %-*s ", cap->ok ? look->green : look->red, cap->ok ? look->ok : look->no,
	       look->plain, LABEL_WIDTH, feature_label(id));
	if (!cap->ok) {
		print_text(cap->path);
		fputs(cap->path[0] ? ": " : "", stdout);
		if (cap->code)
			printf("%s (%s): ", strerror(cap->code), error_name(cap->code));
	}
	print_text(cap->detail);
	if (!cap->ok && need)
		printf("; needed: %s", need);
	putchar('\n');
}

static const char *tier_state(const struct features *f, enum tier used, enum tier tier)
{
	if (tier <= used)
		return "used: ";
	if (tier == TIER_G && f->cap[FEATURE_FGRAPH_INSTANCE].ok)
		return "used in a private instance when asked for: ";
	if (tier == TIER_G && features_allow(f, tier))
		return "used at the top level when asked for, which is restored afterwards: ";
	return features_allow(f, tier) ? "allowed, but not used, see the last line; it would add " :
					 "not possible on this kernel; it would add ";
}

static void print_tiers(const struct features *f, const struct probes *probes)
{
	const struct tier_info *info;
	int tier;

	if (!features_allow(f, TIER_T0)) {
		puts("\ncapture tier: none");
		return;
	}
	info = tier_describe((enum tier)probes->tier);
	printf("\ncapture tier: %s (%s)\n", info->name, info->needs);
	for (tier = TIER_T0; tier < TIER_COUNT; tier++) {
		info = tier_describe((enum tier)tier);
		printf("  %-2s (%s): %s%s\n", info->name, info->needs,
		       tier_state(f, (enum tier)probes->tier, (enum tier)tier), info->adds);
	}
	if (probes->why_not_higher[0]) {
		fputs("  not higher: ", stdout);
		print_text(probes->why_not_higher);
		putchar('\n');
	}
}

static void print_features(const struct features *f, const struct layout *layout,
			   const struct probes *probes, const struct flowprobes *flows, bool color)
{
	struct look look;
	int id;

	choose_look(&look, color);
	printf("kernel %s %s, %u CPU%s\n\n", f->release, f->machine, f->cpus,
	       f->cpus == 1 ? "" : "s");
	for (id = 0; id < FEATURE_COUNT; id++)
		print_capability(f, (enum feature)id, &look);
	if (features_allow(f, TIER_T0))
		check_print_probes(layout, probes);
	if (features_allow(f, TIER_T0))
		check_print_tap(layout, probes);
	if (features_allow(f, TIER_T0))
		check_print_flows(flows);
	print_tiers(f, probes);
}

static int print_json(const struct features *f, const struct layout *layout,
		      const struct probes *probes, const struct flowprobes *flows,
		      struct error *err)
{
	struct strbuf out = STRBUF_INIT;
	int ret = features_to_json(f, &out);

	if (!ret)
		ret = check_add_json(&out, layout, probes, flows);
	if (ret)
		error_errno(err, -ret, "cannot write the description of this kernel");
	else
		fwrite(out.data, 1, out.len, stdout);
	strbuf_free(&out);
	return ret ? CLI_FAILURE : CLI_OK;
}

static int check(bool json, bool color, const char *structs, struct error *err)
{
	struct probe_request rq = { .hops = HOPS_DEFAULT };
	struct probes probes = { 0 };
	struct flowprobes_request flows_rq = { .latency = true };
	struct flowprobes flows = { 0 };
	struct layout layout = { 0 };
	struct features f;
	int status = CLI_OK;

	if (features_detect(&f, err)) {
		features_free(&f);
		return CLI_FAILURE;
	}
	if (capture_layout(&rq, &f, structs, false, &layout, err) ||
	    capture_probes(&rq, &f, &layout, NULL, &probes, err) ||
	    capture_flows_choose(&f, &layout, &flows_rq, &flows, err))
		status = CLI_FAILURE;
	else if (json)
		status = print_json(&f, &layout, &probes, &flows, err);
	else
		print_features(&f, &layout, &probes, &flows, color);
	if (status == CLI_OK && features_require_t0(&f, err))
		status = CLI_FAILURE;
	flowprobes_free(&flows);
	probes_free(&probes);
	features_free(&f);
	return status;
}

int cmd_check(int argc, char **argv, struct error *err)
{
	enum { OPT_JSON = 256, OPT_COLOR, OPT_STRUCTS_FILE };
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ "color", required_argument, NULL, OPT_COLOR },
		{ "structs", required_argument, NULL, OPT_STRUCTS_FILE },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *when = "auto";
	const char *structs = NULL;
	bool json = false;
	bool color = false;
	int status;
	int opt;

	opterr = 0;
	optind = 0;
	while ((opt = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		switch (opt) {
		case OPT_JSON:
			json = true;
			break;
		case OPT_COLOR:
			when = optarg;
			break;
		case OPT_STRUCTS_FILE:
			structs = optarg;
			break;
		case 'h':
			print_help();
			return CLI_OK;
		case ':':
			return cli_usage(err, "check", "%s needs a value", argv[optind - 1]);
		default:
			return cli_usage(err, "check", "there is no option '%s'", argv[optind - 1]);
		}
	}
	if (optind < argc)
		return cli_usage(err, "check", "check takes no arguments, not '%s'", argv[optind]);
	status = parse_color(when, &color, err);
	return status == CLI_OK ? check(json, color, structs, err) : status;
}
