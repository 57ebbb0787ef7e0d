/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events that are worth a record where neither probes nor a tap read headers: they tell addresses of the skb
 * that they name (decode/told.h), on the kernels where they name one.
 */
#ifndef SKBTRAIL_CLI_CAPTURE_TOLD_H
#define SKBTRAIL_CLI_CAPTURE_TOLD_H

#include "kernel/features.h"

#define CAPTURE_TOLD_MAX 2

/** capture_told - those that this kernel has; Return: how many of @events (constant strings) were filled in */
size_t capture_told(const struct features *f, const char *events[CAPTURE_TOLD_MAX]);

#endif
