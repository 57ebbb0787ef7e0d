// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command table and the only place that prints errors and exits.
 */
#include <errno.h>
#include <json-c/json.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "cli/cli.h"
#include "config.h"

static const struct command commands[] = {
	{ "demo", "build a private network, ping through it, show the packets' paths", cmd_demo },
	{ "trace", "show the paths of packets live", cmd_trace },
	{ "drops", "count dropped packets by reason, place and flow", cmd_drops },
	{ "calls", "show what system calls on sockets call in the kernel", cmd_calls },
	{ "flows", "show which processes send and receive how much, and to whom", cmd_flows },
	{ "record", "capture into a trace.dat file", cmd_record },
	{ "report", "show the paths in recorded trace.dat files", cmd_report },
	{ "discover", "find the kernel functions to probe, with reasons, tried out", cmd_discover },
	{ "check", "show what this kernel allows", cmd_check },
	{ "structs", "show where members are in this kernel's structures", cmd_structs },
	{ "clean", "remove what a killed skbtrail left in tracefs", cmd_clean },
};

int cli_usage(struct error *err, const char *command, const char *fmt, ...)
{
	va_list ap;
	int used;

	err->code = EINVAL;
	va_start(ap, fmt);
	used = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (used >= 0 && (size_t)used < sizeof(err->text))
		snprintf(err->text + used, sizeof(err->text) - (size_t)used,
			 "; try 'skbtrail%s%s --help'", command ? " " : "", command ? command : "");
	return CLI_USAGE;
}

static void print_help(void)
{
	size_t i;

	puts("Usage: skbtrail COMMAND [options]\n"
	     "Show where packets went inside the Linux kernel, without eBPF.\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].summary);
	puts("\n"
	     "  -h, --help     this text; 'skbtrail COMMAND --help' for a command's options\n"
	     "  -V, --version  versions of skbtrail and of the libraries it uses\n"
	     "\n"
	     "Examples (as root):\n"
	     "  skbtrail demo                       see it work on a private network\n"
	     "  skbtrail check                      what this kernel allows, and why not more\n"
	     "  skbtrail trace tcp -- curl -s ::1   paths of a command's packets\n"
	     "  skbtrail trace -i eth0 --brief      one line a packet, until Ctrl-C\n"
	     "  skbtrail drops                      what is dropped, where and why\n"
	     "  skbtrail record -o t.dat -d 10      record ten seconds\n"
	     "  skbtrail report t.dat --json        ... and read them anywhere\n"
	     "  skbtrail discover local-address -- curl -s ::1   what to probe for it\n");
}

static void print_version(void)
{
	puts(PACKAGE_STRING);
	printf("libtracefs %s, libtraceevent %s, json-c %s, libnl %s, zstd %s (built with)\n",
	       HAVE_LIBTRACEFS_VERSION, HAVE_LIBTRACEEVENT_VERSION, HAVE_JSONC_VERSION,
	       HAVE_LIBNL_VERSION, HAVE_ZSTD_VERSION);
	printf("libpcap %s, libbpf %s (reads BTF), libdw %s, ncurses %s (built with)\n",
	       HAVE_PCAP_VERSION, HAVE_BPF_VERSION, HAVE_DW_VERSION, HAVE_NCURSES_VERSION);
	printf("json-c %s, zstd %s (running)\n", json_c_version(), ZSTD_versionString());
	puts("License GPL-2.0-or-later. There is no warranty.");
}

static int run(int argc, char **argv, struct error *err)
{
	size_t i;

	if (argc < 2) {
		print_help();
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		print_help();
		return CLI_OK;
	}
	if (!strcmp(argv[1], "-V") || !strcmp(argv[1], "--version")) {
		print_version();
		return CLI_OK;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1, err);
	return cli_usage(err, NULL, "there is no command '%s'", argv[1]);
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	int status;

	setlocale(LC_ALL, "");
	status = run(argc, argv, &err);

	if (fflush(stdout) && !err.text[0] && status == CLI_OK) {
		status = CLI_FAILURE;
		if (errno != EPIPE)
			error_errno(&err, errno, "cannot write to standard output");
	}
	if (err.text[0])
		fprintf(stderr, "skbtrail: %s\n", err.text);
	return status;
}
