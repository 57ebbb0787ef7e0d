// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What flows says on stderr: what was lost, what is not told, counters. See flowsink.h.
 */
#include <stdio.h>

#include "cli/flowsink.h"
#include "cli/flowsink_internal.h"

/* Without headers calls cannot be joined with what they sent. */
void flowsink_tell_unmeasured(const struct flowsink *sink)
{
	bool begins = false, readable = false;
	u32 i;

	for (i = 1; i < sink->schema.nr; i++) {
		begins |= sink->schema.type[i].kind == SOCK_EVENT_BEGIN ||
			  (sink->schema.type[i].kind == SOCK_EVENT_ENTER &&
			   !sink->schema.type[i].receives);
		readable |= sink->schema.type[i].kind == SOCK_EVENT_READABLE;
	}
	if (sink->o.quiet)
		return;
	if (!begins || !sink->packets.has_headers)
		fputs("skbtrail: latency from a send call to a device is not told: it takes probes and packets' "
		      "headers (tier T1)\n",
		      stderr);
	if (!readable || !sink->packets.has_headers)
		fputs("skbtrail: latency from a device to a socket's queue is not told: it takes probes and packets' "
		      "headers (tier T1)\n",
		      stderr);
}

static void tell_counters(const struct stream *s, const struct flows_stats *flows,
			  const struct sockcalls_stats *calls)
{
	fprintf(stderr,
		"skbtrail: %llu records, %llu sockets, %llu calls paired, %llu within others, %llu "
		"returns without entry (%llu bytes), %u under way; %llu superseded, %llu ambiguous\n",
		(unsigned long long)s->stats.records, (unsigned long long)flows->sockets,
		(unsigned long long)calls->calls, (unsigned long long)calls->nested,
		(unsigned long long)calls->no_entry, (unsigned long long)calls->no_entry_bytes,
		calls->open, (unsigned long long)flows->superseded,
		(unsigned long long)flows->ambiguous);
}

static void tell_packets(const struct flowpkts *bytes)
{
	struct flowpkts_stats st;

	flowpkts_stats(bytes, &st);
	fprintf(stderr,
		"skbtrail: %llu frames; bytes of TCP seen again: %llu, of no known socket: %llu; %llu datagrams seen on "
		"another device, %llu frames cut, %llu events let go early\n",
		(unsigned long long)st.frames, (unsigned long long)st.repeated_bytes,
		(unsigned long long)st.nobodys_bytes, (unsigned long long)st.elsewhere,
		(unsigned long long)st.unread, (unsigned long long)st.hurried);
}

static void tell_latency(const struct flowlat *latency)
{
	struct flowlat_stats st;

	flowlat_stats(latency, &st);
	fprintf(stderr,
		"skbtrail: latency measured (and not): send calls %llu (%llu), queues %llu (%llu), receive calls %llu "
		"(%llu); %llu of sockets that there was no room for\n",
		(unsigned long long)st.joined[FLOWLAT_SEND],
		(unsigned long long)st.unjoined[FLOWLAT_SEND],
		(unsigned long long)st.joined[FLOWLAT_QUEUE],
		(unsigned long long)st.unjoined[FLOWLAT_QUEUE],
		(unsigned long long)st.joined[FLOWLAT_READ],
		(unsigned long long)st.unjoined[FLOWLAT_READ], (unsigned long long)st.no_room);
}

static void tell_sums(const struct flowsink *sink)
{
	struct flowhist_stats h;

	flowhist_stats(sink->hist, &h);
	if (h.dropped + h.refused + h.bad)
		fprintf(stderr,
			"skbtrail: the kernel's tables were full: %llu calls were not counted, sums are lower "
			"bounds (--aggregate no); %llu of its lines had no room here, %llu made no sense\n",
			(unsigned long long)h.dropped, (unsigned long long)h.refused,
			(unsigned long long)h.bad);
	if (sink->late_sums)
		fprintf(stderr,
			"skbtrail: %llu times a table of the kernel's was emptied too late: calls may be missing\n",
			(unsigned long long)sink->late_sums);
	if (h.unsure)
		fprintf(stderr,
			"skbtrail: %llu times bytes may be another's, which soon had the same address (--aggregate no)\n",
			(unsigned long long)h.unsure);
	if (sink->o.verbose)
		fprintf(stderr,
			"skbtrail: %llu sums of a task and a socket; tables were emptied %llu times; %u times one did not rest that should have\n",
			(unsigned long long)h.entries, (unsigned long long)h.cleared,
			sink->sums_doubts);
}

void flowsink_tell(const struct flowsink *sink, const struct stream *s, u64 lost, u64 missed)
{
	struct sockcalls_stats calls;
	struct flows_stats flows;

	if (sink->o.quiet)
		return;
	sockcalls_stats(sink->calls, &calls);
	flows_stats(sink->flows, &flows);
	if (s->stats.lost + s->stats.lost_uncounted + lost)
		fprintf(stderr,
			"skbtrail: %llu records were lost: sums are lower bounds; %llu bytes of calls "
			"around were not counted (larger buffers: -b)\n",
			(unsigned long long)(lost ? lost : s->stats.lost),
			(unsigned long long)calls.unsure_bytes);
	if (missed || calls.no_return)
		fprintf(stderr,
			"skbtrail: returns of %llu calls were not seen: their bytes are not counted\n",
			(unsigned long long)(calls.no_return > missed ? calls.no_return : missed));
	if (sink->unseen)
		fprintf(stderr,
			"skbtrail: %llu calls were under way when tracing began: what they returned is not counted; sums of "
			"%llu sockets are lower bounds (>)\n",
			(unsigned long long)sink->unseen, (unsigned long long)sink->unseen_sockets);
	if (sink->hist)
		tell_sums(sink);
	if (flows.evicted_live + flows.evicted_over)
		fprintf(stderr,
			"skbtrail: %llu sockets were forgotten, there was no room for more\n",
			(unsigned long long)(flows.evicted_live + flows.evicted_over));
	if (sink->o.verbose)
		tell_counters(s, &flows, &calls);
	if (sink->latency)
		tell_latency(sink->latency);
	if (sink->bytes && sink->o.verbose)
		tell_packets(sink->bytes);
}
