// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What kallsyms tells of functions: see symfacts.h.
 *
 * Each line is looked up by the part of its name before the first dot; "__ksymtab_NAME" is the entry of an
 * exported NAME.
 */
#include "analysis/symfacts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define EXPORT_PREFIX "__ksymtab_"

static size_t find_name(const char *const *names, size_t nr, const char *name, size_t len)
{
	size_t low = 0, high = nr, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strncmp(names[middle], name, len);
		if (!order)
			order = (unsigned char)names[middle][len];
		if (!order)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return nr;
}

static void take_function(struct symfact *fact, char type, const char *ending, size_t len)
{
	if (len) {
		fact->siblings++;
		snprintf(fact->sibling, sizeof(fact->sibling), "%.*s", (int)len, ending);
		return;
	}
	fact->known = true;
	fact->copies++;
	if (isupper((unsigned char)type))
		fact->global = true;
}

static void take_symbol(const char *const *names, size_t nr, struct symfact *facts, char type,
			const char *name, size_t len)
{
	size_t prefix = strlen(EXPORT_PREFIX), at, bare;

	if (len > prefix && !strncmp(name, EXPORT_PREFIX, prefix)) {
		at = find_name(names, nr, name + prefix, len - prefix);
		if (at < nr)
			facts[at].exported = true;
		return;
	}
	if (!strchr("tTwW", type))
		return;
	for (bare = 0; bare < len && name[bare] != '.'; bare++)
		;
	at = find_name(names, nr, name, bare);
	if (at < nr)
		take_function(&facts[at], type, name + bare, len - bare);
}

void symfacts_read(const char *kallsyms, const char *const *names, size_t nr, struct symfact *facts)
{
	const char *line, *name;

	memset(facts, 0, nr * sizeof(*facts));
	for (line = kallsyms; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		name = line + strspn(line, "0123456789abcdefABCDEF");
		if (name == line || name[0] != ' ' || !name[1] || name[2] != ' ')
			continue;
		take_symbol(names, nr, facts, name[1], name + 3, strcspn(name + 3, "\t\n "));
	}
}
