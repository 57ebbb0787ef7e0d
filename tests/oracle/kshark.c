// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trace.dat as KernelShark sees it, through libkshark: for each event, in time order, a line
 * "TIME_NS CPU SYSTEM/EVENT INFO". Nothing of skbtrail is linked.
 */
#include <stdio.h>
#include <stdlib.h>

#include <libkshark.h>

static void print_entry(const struct kshark_entry *entry)
{
	char *name = kshark_get_event_name(entry), *info = kshark_get_info(entry);

	printf("%lld %d %s %s\n", (long long)entry->ts, entry->cpu, name ? name : "?",
	       info ? info : "");
	free(name);
	free(info);
}

int main(int argc, char **argv)
{
	struct kshark_context *context = NULL;
	struct kshark_entry **rows = NULL;
	ssize_t count, i;
	int stream;

	if (argc != 2 || !kshark_instance(&context)) {
		fprintf(stderr, "Usage: kshark FILE\n");
		return 1;
	}
	stream = kshark_open(context, argv[1]);
	if (stream < 0) {
		fprintf(stderr, "%s: libkshark cannot open it: %d\n", argv[1], stream);
		return 1;
	}
	count = kshark_load_entries(context, stream, &rows);
	if (count < 0) {
		fprintf(stderr, "%s: libkshark cannot load it: %zd\n", argv[1], count);
		return 1;
	}
	for (i = 0; i < count; i++) {
		/* Its own marks, such as lost events, have a negative number. */
		if (rows[i]->event_id >= 0)
			print_entry(rows[i]);
		free(rows[i]);
	}
	free(rows);
	kshark_free(context);
	return 0;
}
