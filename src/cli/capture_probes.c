// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Layout and symbols of the running kernel, and from them the probe events.
 */
#include "cli/capture_probes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/kallsyms.h"

static int argument_of(const char *function, bool *by_reference)
{
	return structs_skb_argument("", function, by_reference);
}

/* Once, when it takes long enough for a person to wonder. */
void capture_calibrating(void *arg, u64 since_ns)
{
	static bool told;

	(void)arg;
	if (told || since_ns < 2 * NSEC_PER_SEC || !isatty(STDERR_FILENO))
		return;
	told = true;
	fputs("skbtrail: this kernel does not say where members of its structures are; finding "
	      "out, once\n",
	      stderr);
}

static struct kallsyms *read_symbols(const struct probe_request *rq)
{
	struct kallsyms *symbols = NULL;
	const char **names, **all;
	size_t nr = probes_symbols(rq, &names);

	all = reallocarray(names, nr + nr_pushdown_symbols, sizeof(*all));
	if (all) {
		names = all;
		memcpy(names + nr, pushdown_symbols, nr_pushdown_symbols * sizeof(*names));
		nr += nr_pushdown_symbols;
	}
	if (nr && kallsyms_read(&symbols, "", names, nr, NULL)) {
		kallsyms_free(symbols);
		symbols = NULL;
	}
	free(names);
	return symbols;
}

/* Whether probes are asked for and this kernel has them. */
static bool wants_probes(const struct probe_request *rq, const struct features *f)
{
	return rq->max_tier != TIER_T0 && f->cap[FEATURE_KPROBE_EVENTS].ok;
}

int capture_layout(const struct probe_request *rq, const struct features *f, const char *structs,
		   bool calibrate, struct layout *layout, struct error *err)
{
	struct structs_options options = {
		.file = structs,
		.calibrate = calibrate ? STRUCTS_CALIBRATE_NEEDED : STRUCTS_CALIBRATE_NEVER,
		.progress = capture_calibrating,
	};

	memset(layout, 0, sizeof(*layout));
	return wants_probes(rq, f) || structs ? structs_load(layout, &options, err) : 0;
}

int capture_probes(const struct probe_request *rq, const struct features *f,
		   const struct layout *layout, struct pushdown *down, struct probes *out,
		   struct error *err)
{
	struct probe_request full = *rq;
	struct kallsyms *symbols = NULL;
	int ret;

	memset(out, 0, sizeof(*out));
	full.pid = (unsigned int)getpid();
	full.argument = argument_of;
	if (wants_probes(rq, f))
		symbols = read_symbols(&full);
	ret = down ? pushdown_prepare(down, symbols, layout, err) : 0;
	if (!ret) {
		full.push = down ? down->filter : NULL;
		ret = probes_choose(&full, f, symbols, layout, out, err);
	}
	kallsyms_free(symbols);
	return ret;
}
