/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations tables of the running kernel: which function stands in which slot of which table.
 *
 * In:  names of tables found in /proc/kallsyms by pattern; their contents from /proc/kcore, else from a
 *      probe event that fetches them; names of slots from BTF.
 * Out: tables with their functions; and the same as JSON, in a recording's metadata:
 *
 *	[{"table":"tcp_prot","type":"proto","slots":[{"slot":"connect","function":"FUNCTION"}, ...]}, ...]
 *
 * A slot whose name is not known is a number: its offset in bytes. Only functions are told whose address
 * is exactly what is in the slot; what is something else in a table is no slot.
 */
#ifndef SKBTRAIL_KERNEL_OPTABLES_H
#define SKBTRAIL_KERNEL_OPTABLES_H

#include "base/error.h"
#include "kernel/prototypes.h"

#define OPTABLES_MAX 256       /* tables; more in a recording are an error */
#define OPTABLES_SLOTS_MAX 128 /* of one table */

struct optable_slot {
	char *slot;	/* "connect"; NULL: not known */
	char *function; /* the kernel's name of it */
	u32 offset;	/* bytes in the table */
};

struct optable {
	char *name;    /* "tcp_prot" */
	char type[32]; /* "proto", "proto_ops", "file_operations", "inet_connection_sock_af_ops" */
	struct optable_slot *slots;
	size_t nr_slots;
};

struct optables {
	struct optable *table;
	size_t nr;
	char from[64];	/* "/proc/kcore", "a probe event", "the recording" */
	bool has_names; /* of slots */
};

/**
 * optables_read - read the tables of the running kernel
 * @root: "" or a directory that stands for /
 * @tracing_dir: for the probe event, when kcore cannot be read; NULL: do not
 * @prototypes: for names and sizes; NULL: without
 *
 * The probe event is in an instance and a group of ours (skbtrail-<pid>, skbtrail_<pid>), removed again
 * whatever happens. No capture of this process may be open.
 *
 * Return: 0; -ENODATA when there are no addresses of tables or nothing may read them, with @err.
 */
int optables_read(struct optables **out, const char *root, const char *tracing_dir,
		  const struct prototypes *prototypes, struct error *err);
void optables_free(struct optables *t);

struct json_object;

/** optables_to_json - an array; NULL when memory ran out */
struct json_object *optables_to_json(const struct optables *t);

/**
 * optables_from_json - the array of a recording, which may come from a stranger
 *
 * Return: 0, -EBADMSG when it is no such array, -ENOMEM.
 */
int optables_from_json(struct json_object *array, struct optables **out, struct error *err);

/** optable_type - the structure that a table of that name is: "proto" for "tcp_prot"; NULL: no table */
const char *optable_type(const char *symbol);

#endif
