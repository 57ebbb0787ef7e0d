// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chains of calls -> text.
 *
 * What is left out of the short form is chosen by names alone: functions that take a system call apart, and those
 * that differ from the one before by underscores only.
 */
#include "render/chain.h"

#include <stdio.h>
#include <string.h>

#include "capture/graph.h"

#define FUNCTION_MAX 128
#define SHOWN 4 /* with the system call */

/* With CONFIG_X86_KERNEL_IBT and the like, what is traced lies a little behind the beginning. */
#define ENTRY_BYTES 16

const char *render_function(const struct chain *chain, u32 i, const struct render_names *names,
			    char *buf, size_t size)
{
	/* where a call is a function's last, what it returns to is the next function */
	u64 addr = chain->func[i] - (chain->stack && chain->func[i]), offset;
	const char *name;
	size_t len;

	name = names->symbols ? symbols_find(names->symbols, addr, &offset, &len) : NULL;
	if (name && (chain->stack || offset <= ENTRY_BYTES))
		snprintf(buf, size, "%.*s", (int)len, name);
	else
		snprintf(buf, size, "0x%llx", (unsigned long long)chain->func[i]);
	return buf;
}

/*
 * The system call's entry may have jumped to the next function (ksys_write() for __x64_sys_write()) and so be in no
 * stack. What called it is there: do_syscall_64, x64_sys_call, __do_fast_syscall_32, invoke_syscall, el0_svc, ...
 */
static u32 behind_entry(const struct chain *chain, const struct render_names *names)
{
	static const char *const entry[] = { "syscall", "sys_call", "SYSCALL", "el0_", "el0t_" };
	u32 i, k, begin = chain->nr;
	char name[FUNCTION_MAX];

	for (i = 0; i < chain->nr; i++) {
		render_function(chain, i, names, name, sizeof(name));
		for (k = 0; k < ARRAY_SIZE(entry); k++)
			if (strstr(name, entry[k]))
				begin = i + 1;
	}
	return begin;
}

static u32 begin_of(const struct chain *chain, const struct render_names *names)
{
	char name[FUNCTION_MAX];
	u32 i;

	for (i = 0; i < chain->nr; i++)
		if (graph_begins(render_function(chain, i, names, name, sizeof(name))))
			return i;
	return chain->stack ? behind_entry(chain, names) : 0;
}

static u32 end_of(const struct chain *chain, u32 begin, const struct render_names *names)
{
	/* how tracepoints and probes come to the tracer */
	static const char *const tracing[] = { "trace_event_raw_event_",
					       "__traceiter_",
					       "eprobe_",
					       "__eprobe_",
					       "kprobe_",
					       "opt_pre_handler",
					       "optimized_callback",
					       "ftrace_",
					       "asm_exc_int3",
					       "do_int3" };
	char name[FUNCTION_MAX];
	u32 i, k;

	for (i = begin; chain->stack && i < chain->nr; i++) {
		render_function(chain, i, names, name, sizeof(name));
		for (k = 0; k < ARRAY_SIZE(tracing); k++)
			if (!strncmp(name, tracing[k], strlen(tracing[k])))
				return i;
	}
	return chain->nr;
}

struct chain_part render_chain_part(const struct chain *chain, const struct render_names *names)
{
	struct chain_part part = { 0 };

	if (chain) {
		part.begin = begin_of(chain, names);
		part.end = end_of(chain, part.begin, names);
	}
	return part;
}

/* As its users know it: sendto, of __x64_sys_sendto; in a stack also of __sys_sendto, ksys_write or do_writev. */
static const char *system_call(const struct chain *chain, const char *function)
{
	static const char *const prefix[] = { "ksys_", "__sys_", "do_" };
	const char *word = graph_syscall(function);
	size_t i;

	for (i = 0; chain->stack && !word && i < ARRAY_SIZE(prefix); i++)
		if (!strncmp(function, prefix[i], strlen(prefix[i])))
			word = function + strlen(prefix[i]);
	return word;
}

static const char *without_underscores(const char *name)
{
	return name + strspn(name, "_");
}

static bool only_wraps(const char *name, const char *before)
{
	static const char *const wrappers[] = {
		"sys_", "ksys_", "vfs_", "do_", "new_sync_", "sock_"
	};
	const char *plain = without_underscores(name);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrappers); i++)
		if (!strncmp(plain, wrappers[i], strlen(wrappers[i])))
			return true;
	return !strcmp(plain, without_underscores(before));
}

bool render_chain_text(struct strbuf *sb, const struct chain *chain, struct chain_part part,
		       const struct render_names *names, bool whole, bool utf8)
{
	u32 i = part.begin, shown = 0;
	char name[FUNCTION_MAX], before[FUNCTION_MAX] = "";
	const char *word;

	for (; i < part.end; i++) {
		render_function(chain, i, names, name, sizeof(name));
		word = shown || whole ? NULL : system_call(chain, name);
		if (!whole && !word && only_wraps(name, before))
			continue;
		if (!whole && shown == SHOWN)
			return true;
		if (shown++)
			strbuf_puts(sb, utf8 ? " → " : " -> ");
		strbuf_put_escaped(sb, word ? word : name, strlen(word ? word : name));
		snprintf(before, sizeof(before), "%s", name);
	}
	return false;
}
