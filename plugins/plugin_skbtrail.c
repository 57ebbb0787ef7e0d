// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libtraceevent plugin: skbtrail's probe events as text, for trace-cmd and KernelShark.
 *
 * In:  records of events in groups skbtrail_<pid>, with the fields that src/capture/probes.h lists.
 * Out: "10.0.2.1 > 10.0.2.2 ICMP echo request id 205 seq 1 len 84, netns 4026532215, veth1".
 *
 * An event of another group, or with a field that is not as we know it (of a newer skbtrail, or
 * hostile), is left to the kernel's print format: the handler returns -1. Plugins are loaded with
 * RTLD_GLOBAL and the sizes in a format are a stranger's: no symbol is exported but the loader's two,
 * no byte is read that is not in the record.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>

#include <event-parse.h>
#include <trace-seq.h>

#include "base/strbuf.h"
#include "decode/packet_text.h"
#include "decode/probe_names.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int TEP_PLUGIN_LOADER(struct tep_handle *tep);
EXPORTED void TEP_PLUGIN_UNLOADER(struct tep_handle *tep);

enum {
	/*
	 * A registered handler is used up by the first event of its name, whatever its group: that may
	 * be the kernel's own tracepoint, or another session's. So there are some.
	 */
	HANDLERS_EACH = 4,
	WINDOW_BEFORE_MAX = 4096,
};

enum field {
	SKBADDR,
	HEAD,
	DATA,
	NETWORK,
	MAC,
	TRANSPORT,
	LEN,
	PROTOCOL,
	MARK,
	DEV,
	DEV_NAME,
	DEV_NETNS,
	SOCK,
	SOCK_NETNS,
	DST,
	TAG,
	TAG_TYPE,
	TAG_PRESENT,
	DST_DEV0,
	DST_DEV1,
	DST_NETNS0,
	DST_NETNS1,
	HOOK,
	HOOK_PF,
	HOOK_NET,
	HOOK_NETNS,
	IN_DEV,
	IN_NAME,
	OUT_DEV,
	OUT_NAME,
	HOOK_FUNCTION,
	TABLE_ADDRESS,
	TABLE,
	CHAIN_ADDRESS,
	CHAIN,
	INTO,
	RET,
	NEW,
	NR_FIELDS,
};

/* Sizes that a field may have; TEXT for a string. */
enum {
	TEXT = 0x80,
	U8 = 1,
	U16 = 2,
	U32 = 4,
	U64 = 8,
};

static const struct {
	const char *name;
	u8 sizes;
} fields[NR_FIELDS] = {
	[SKBADDR] = { "skbaddr", U64 },	 [HEAD] = { "h", U64 },
	[DATA] = { "d", U64 },		 [NETWORK] = { "nh", U16 },
	[MAC] = { "mh", U16 },		 [TRANSPORT] = { "th", U16 },
	[LEN] = { "len", U32 },		 [PROTOCOL] = { "p", U16 },
	[MARK] = { "m", U32 },		 [TAG] = { "vt", U16 },
	[TAG_TYPE] = { "vp", U16 },	 [TAG_PRESENT] = { "vb", U8 | U32 },
	[DEV] = { "dv", U64 },		 [DEV_NAME] = { "name", TEXT },
	[DEV_NETNS] = { "ns", U32 },	 [SOCK] = { "sk", U64 },
	[SOCK_NETNS] = { "sns", U32 },	 [DST] = { "rd", U64 },
	[DST_DEV0] = { "dd0", U64 },	 [DST_DEV1] = { "dd1", U64 },
	[DST_NETNS0] = { "dn0", U32 },	 [DST_NETNS1] = { "dn1", U32 },
	[HOOK] = { "hook", U8 | U32 },	 [HOOK_PF] = { "pf", U8 },
	[HOOK_NET] = { "nn", U64 },	 [HOOK_NETNS] = { "nns", U32 },
	[IN_DEV] = { "ind", U64 },	 [IN_NAME] = { "in", TEXT },
	[OUT_DEV] = { "outd", U64 },	 [OUT_NAME] = { "out", TEXT },
	[HOOK_FUNCTION] = { "hf", U64 }, [TABLE_ADDRESS] = { "tb", U64 },
	[TABLE] = { "table", TEXT },	 [CHAIN_ADDRESS] = { "cb", U64 },
	[CHAIN] = { "chain", TEXT },	 [INTO] = { "into", U64 },
	[RET] = { "ret", U32 },		 [NEW] = { "new", U64 },
};

/* A record, and where its fields are. */
struct row {
	struct tep_handle *tep;
	const u8 *data;
	u32 size;
	const struct tep_format_field *field[NR_FIELDS];
	const u8 *window; /* NULL: none */
	u32 window_bytes, window_before;
};

/* -- fields --------------------------------------------------------------------------------------- */

/* The bytes of a field, or those that its __data_loc points at; NULL when they are not in the record. */
static const u8 *field_bytes(const struct row *r, const struct tep_format_field *f, u32 *bytes)
{
	u64 at, len, loc;

	if (f->offset < 0 || f->size <= 0 || (u64)f->offset + (u64)f->size > r->size)
		return NULL;
	at = (u64)f->offset;
	len = (u64)f->size;
	if (f->flags & TEP_FIELD_IS_DYNAMIC) {
		if (len != 4)
			return NULL;
		loc = tep_read_number(r->tep, r->data + at, 4);
		at = (loc & 0xffff) + (f->flags & TEP_FIELD_IS_RELATIVE ? at + len : 0);
		len = loc >> 16;
		if (at + len > r->size)
			return NULL;
	}
	*bytes = (u32)len;
	return r->data + at;
}

static bool has(const struct row *r, enum field which)
{
	return r->field[which];
}

/* A field's number; 0 when the event does not have it. */
static u64 number(const struct row *r, enum field which)
{
	const struct tep_format_field *f = r->field[which];

	return f ? tep_read_number(r->tep, r->data + f->offset, f->size) : 0;
}

static bool set_field(struct row *r, enum field which, const struct tep_format_field *f)
{
	u32 bytes;

	if (r->field[which] || !field_bytes(r, f, &bytes))
		return false;
	if (fields[which].sizes != TEXT &&
	    ((f->flags & (TEP_FIELD_IS_DYNAMIC | TEP_FIELD_IS_ARRAY)) || f->size > 8 ||
	     !(f->size & fields[which].sizes) || f->size & (f->size - 1)))
		return false;
	if (fields[which].sizes == TEXT && !(f->flags & TEP_FIELD_IS_DYNAMIC))
		return false;
	r->field[which] = f;
	return true;
}

/* "w64": 64 bytes before skb->data. Return: whether that is what @name says. */
static bool is_window(const char *name, u32 *before)
{
	char *end;
	unsigned long value;

	if (name[0] != 'w' || name[1] < '0' || name[1] > '9')
		return false;
	value = strtoul(name + 1, &end, 10);
	*before = (u32)value;
	return !*end && value <= WINDOW_BEFORE_MAX;
}

/* Whether all fields that we know by name are as we know them. */
static bool row_read(struct row *r, struct tep_event *event, const struct tep_record *record)
{
	const struct tep_format_field *f;
	u32 before;
	int i;

	memset(r, 0, sizeof(*r));
	if (!record->data || record->size <= 0)
		return false;
	r->tep = event->tep;
	r->data = record->data;
	r->size = (u32)record->size;
	for (f = event->format.fields; f; f = f->next) {
		if (!f->name)
			return false;
		for (i = 0; i < NR_FIELDS && strcmp(fields[i].name, f->name); i++)
			;
		if (i < NR_FIELDS && !set_field(r, (enum field)i, f))
			return false;
		if (i < NR_FIELDS || !is_window(f->name, &before))
			continue;
		if (r->window || !(f->flags & TEP_FIELD_IS_ARRAY))
			return false;
		r->window = field_bytes(r, f, &r->window_bytes);
		r->window_before = before;
		if (!r->window)
			return false;
	}
	return has(r, SKBADDR) || has(r, RET) || has(r, NEW);
}

/* -- words ---------------------------------------------------------------------------------------- */

static void put_comma(struct strbuf *sb)
{
	if (sb->len)
		strbuf_puts(sb, ", ");
}

/* A string of the record: a stranger's. */
static void put_string(struct strbuf *sb, const struct row *r, enum field which)
{
	const u8 *text;
	u32 len;

	text = field_bytes(r, r->field[which], &len);
	if (!text)
		return;
	strbuf_put_escaped(sb, (const char *)text, strnlen((const char *)text, len));
}

/* " WORD NAME", when the object that has the name is there. */
static void put_named(struct strbuf *sb, const struct row *r, const char *word, enum field object,
		      enum field name)
{
	if (!has(r, name) || (has(r, object) && !number(r, object)))
		return;
	strbuf_puts(sb, word);
	put_string(sb, r, name);
}

static const char *family_name(u64 pf)
{
	static const char *const names[] = { [1] = "inet",   [2] = "ipv4",   [3] = "arp",
					     [5] = "netdev", [7] = "bridge", [10] = "ipv6" };

	return pf < ARRAY_SIZE(names) ? names[pf] : NULL;
}

/* linux/netfilter.h, linux/netfilter_arp.h, linux/netfilter_bridge.h */
static const char *hook_name(u64 pf, u64 hook)
{
	static const char *const ip[] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT",
					  "POSTROUTING" };
	static const char *const arp[] = { "INPUT", "OUTPUT", "FORWARD" };
	static const char *const device[] = { "INGRESS", "EGRESS" };

	if (pf == 3)
		return hook < ARRAY_SIZE(arp) ? arp[hook] : NULL;
	if (pf == 5)
		return hook < ARRAY_SIZE(device) ? device[hook] : NULL;
	if (hook == 5 && (pf == 1 || pf == 7))
		return pf == 1 ? "INGRESS" : "BROUTING";
	return hook < ARRAY_SIZE(ip) ? ip[hook] : NULL;
}

static void put_name_or_number(struct strbuf *sb, const char *name, const char *word, u64 value)
{
	if (name)
		strbuf_puts(sb, name);
	else
		strbuf_printf(sb, "%s %llu", word, (unsigned long long)value);
}

static void put_hook(struct strbuf *sb, const struct row *r)
{
	u64 hook = number(r, HOOK), pf = number(r, HOOK_PF), address = number(r, HOOK_FUNCTION);
	const char *function;

	if (!has(r, HOOK) || !has(r, HOOK_PF))
		return;
	put_name_or_number(sb, hook_name(pf, hook), "hook", hook);
	strbuf_putc(sb, ' ');
	put_name_or_number(sb, family_name(pf), "family", pf);
	put_named(sb, r, " in ", IN_DEV, IN_NAME);
	put_named(sb, r, " out ", OUT_DEV, OUT_NAME);
	if (!address)
		return;
	function = tep_find_function(r->tep, address);
	strbuf_puts(sb, " first hook ");
	if (function)
		strbuf_put_escaped(sb, function, strlen(function));
	else
		strbuf_put_hex(sb, address);
}

static void put_table(struct strbuf *sb, const struct row *r)
{
	if (has(r, TABLE) && number(r, TABLE_ADDRESS)) {
		put_comma(sb);
		put_named(sb, r, "table ", TABLE_ADDRESS, TABLE);
	}
	if (has(r, CHAIN) && number(r, CHAIN_ADDRESS)) {
		put_comma(sb);
		put_named(sb, r, "chain ", CHAIN_ADDRESS, CHAIN);
	}
}

/* skb->protocol is in network byte order in memory, and the field is a copy of that memory. */
static u16 protocol(const struct row *r)
{
	const struct tep_format_field *f = r->field[PROTOCOL];

	return f ? (u16)(r->data[f->offset] << 8 | r->data[f->offset + 1]) : 0;
}

static u16 offset(const struct row *r, enum field which)
{
	return has(r, which) ? (u16)number(r, which) : 0xffff;
}

static void put_packet(struct strbuf *sb, const struct row *r, u8 at)
{
	struct skb_window w = {
		.bytes = r->window,
		.len_bytes = r->window_bytes,
		.before = r->window_before,
		.head = number(r, HEAD),
		.data = number(r, DATA),
		.network = offset(r, NETWORK),
		.mac = offset(r, MAC),
		.transport = offset(r, TRANSPORT),
		.protocol = protocol(r),
		.skb_len = (u32)number(r, LEN),
		.at = at,
		.tag_known = has(r, TAG) && has(r, TAG_PRESENT),
		.tagged = number(r, TAG_PRESENT),
		.tag = (u16)number(r, TAG),
	};
	struct packet packet;

	if (!r->window || !w.data)
		return;
	put_comma(sb);
	packet_parse(&packet, &w);
	packet_describe(sb, &packet);
}

/*
 * The netns where the event is: of the hook's state, else of the device, else of the socket, which
 * is the sender's, else of the route's device. 0: not known.
 */
static u64 netns(const struct row *r)
{
	bool noref = number(r, DST) & 1;

	if (number(r, HOOK_NET) && number(r, HOOK_NETNS))
		return number(r, HOOK_NETNS);
	if (number(r, DEV) && number(r, DEV_NETNS))
		return number(r, DEV_NETNS);
	if (number(r, SOCK) && number(r, SOCK_NETNS))
		return number(r, SOCK_NETNS);
	if (number(r, DST) && number(r, noref ? DST_DEV1 : DST_DEV0))
		return number(r, noref ? DST_NETNS1 : DST_NETNS0);
	return 0;
}

static void put_where(struct strbuf *sb, const struct row *r)
{
	u64 inode = netns(r);

	if (inode) {
		put_comma(sb);
		strbuf_puts(sb, "netns ");
		strbuf_put_u64(sb, inode);
	}
	if (has(r, DEV_NAME) && (!has(r, DEV) || number(r, DEV))) {
		put_comma(sb);
		put_string(sb, r, DEV_NAME);
	}
}

static void put_skb(struct strbuf *sb, const char *word, u64 address)
{
	put_comma(sb);
	strbuf_puts(sb, word);
	strbuf_put_hex(sb, address);
}

static void put_verdict(struct strbuf *sb, s32 ret, u8 returns)
{
	static const char *const verdicts[] = {
		[NF_DROP] = "DROP",   [NF_ACCEPT] = "ACCEPT", [NF_STOLEN] = "STOLEN",
		[NF_QUEUE] = "QUEUE", [NF_REPEAT] = "REPEAT",
	};
	u32 verdict = (u32)ret & NF_VERDICT_MASK;

	if (returns == RETURNS_HOOKS) {
		/* 0 is what its callers see of a packet that is somebody else's now. */
		strbuf_puts(sb, ret == 1 ? "verdict ACCEPT" :
				ret == 0 ? "verdict STOLEN or QUEUE" :
				ret < 0	 ? "verdict DROP" :
					   "verdict");
		if (ret > 1 || ret < -1)
			strbuf_printf(sb, " (%d)", ret);
		return;
	}
	/* Newer kernels (7.2) free a dropped packet at once; the error in the upper half tells. */
	if (verdict == NF_STOLEN && (u32)ret >> 16)
		verdict = NF_DROP;
	strbuf_puts(sb, "verdict ");
	put_name_or_number(sb, verdict < ARRAY_SIZE(verdicts) ? verdicts[verdict] : NULL, "number",
			   verdict);
}

static void put_return(struct strbuf *sb, const struct row *r, u8 returns)
{
	s32 ret = (s32)number(r, RET);

	if (has(r, NEW) && number(r, NEW)) {
		put_skb(sb, "new skb ", number(r, NEW));
	} else if (has(r, NEW)) {
		put_comma(sb);
		strbuf_puts(sb, "no skb");
	}
	if (!has(r, RET))
		return;
	put_comma(sb);
	if (returns == RETURNS_HOOKS || returns == RETURNS_VERDICT)
		put_verdict(sb, ret, returns);
	else
		strbuf_printf(sb, "returned %d", ret);
}

static void put_row(struct strbuf *sb, const struct row *r, const struct probe_name *name)
{
	put_hook(sb, r);
	put_table(sb, r);
	if (has(r, SKBADDR)) {
		if (number(r, SKBADDR)) {
			put_packet(sb, r, name->at);
			put_where(sb, r);
		}
		if (number(r, MARK))
			put_skb(sb, "mark ", number(r, MARK));
		put_skb(sb, "skb ", number(r, SKBADDR));
	}
	if (number(r, INTO))
		put_skb(sb, "into skb ", number(r, INTO));
	put_return(sb, r, name->returns);
}

static int print_event(struct trace_seq *s, struct tep_record *record, struct tep_event *event,
		       void *context)
{
	struct strbuf sb = STRBUF_INIT;
	struct row row;
	int ret = -1;

	(void)context;
	if (!event->system || !probe_group_is_ours(event->system) || !event->name ||
	    !row_read(&row, event, record))
		return -1;
	if (probe_name_find(event->name, NULL))
		put_row(&sb, &row, probe_name_find(event->name, NULL));
	if (sb.len && !sb.failed) {
		trace_seq_puts(s, strbuf_cstr(&sb));
		ret = 0;
	}
	strbuf_free(&sb);
	return ret;
}

/* -- loading -------------------------------------------------------------------------------------- */

static void event_of(char *name, size_t size, const struct probe_name *row, bool at_return)
{
	snprintf(name, size, "%s%s", row->name, at_return ? "_ret" : "");
}

int TEP_PLUGIN_LOADER(struct tep_handle *tep)
{
	char name[64];

	for (size_t i = 0; i < 2 * nr_probe_names; i++) {
		event_of(name, sizeof(name), &probe_names[i / 2], i % 2);
		for (int j = 0; j < HANDLERS_EACH; j++)
			tep_register_event_handler(tep, -1, NULL, name, print_event, NULL);
	}
	return 0;
}

void TEP_PLUGIN_UNLOADER(struct tep_handle *tep)
{
	struct tep_event *event;
	char name[64];

	/* Those that events have taken, then those that wait. */
	for (int i = 0; i < tep_get_events_count(tep); i++) {
		event = tep_get_event(tep, i);
		if (event && event->handler == print_event)
			tep_unregister_event_handler(tep, event->id, event->system, event->name,
						     print_event, NULL);
	}
	for (size_t i = 0; i < 2 * nr_probe_names; i++) {
		event_of(name, sizeof(name), &probe_names[i / 2], i % 2);
		for (int j = 0; j < HANDLERS_EACH; j++)
			tep_unregister_event_handler(tep, -1, NULL, name, print_event, NULL);
	}
}
