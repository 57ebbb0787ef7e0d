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

int capture_probes(const struct probe_request *rq, const struct features *f, const char *structs,
		   struct layout *layout, struct pushdown *down, struct probes *out,
		   struct error *err)
{
	struct structs_options options = { .file = structs };
	struct probe_request full = *rq;
	struct kallsyms *symbols = NULL;
	bool wanted = rq->max_tier != TIER_T0 && f->cap[FEATURE_KPROBE_EVENTS].ok;
	int ret;

	memset(out, 0, sizeof(*out));
	memset(layout, 0, sizeof(*layout));
	full.pid = (unsigned int)getpid();
	full.argument = argument_of;
	if (wanted || structs) {
		ret = structs_load(layout, &options, err);
		if (ret)
			return ret;
	}
	if (wanted)
		symbols = read_symbols(&full);
	ret = down ? pushdown_prepare(down, symbols, layout, err) : 0;
	if (!ret) {
		full.push = down ? down->filter : NULL;
		ret = probes_choose(&full, f, symbols, layout, out, err);
	}
	kallsyms_free(symbols);
	return ret;
}
