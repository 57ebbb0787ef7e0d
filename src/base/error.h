/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One error, as it travels up from where it is understood to main(), which alone prints it.
 *
 * Functions return 0 (or a useful positive number) on success and -errno on failure; on failure
 * the struct error holds one line for a person: what failed, which file, why, what to do next.
 */
#ifndef SKBTRAIL_BASE_ERROR_H
#define SKBTRAIL_BASE_ERROR_H

#include "base/types.h"

struct error {
	int code;	 /* errno value, 0 when nothing failed */
	char text[1024]; /* one line, no newline, no "error:" prefix */
};

/**
 * error_set - fill in an error and hand back its code
 * @err: where to put it; NULL is allowed and only the code is returned
 * @code: positive errno value
 * @fmt: printf format of the message; says what failed and, where there is one, what to do
 *
 * Return: -@code, so that "return error_set(err, EINVAL, ...)" reads well.
 */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * error_errno - error_set() for a failed system call
 * @err: as in error_set()
 * @code: the errno of the call
 * @fmt: what was tried, e.g. "cannot open %s"; ": <strerror> (<ENAME>)" is appended
 */
int error_errno(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * error_prepend - put words in front of an error that came from below
 */
void error_prepend(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * error_name - the symbolic name of an errno value, "EPERM"; "unknown errno" when it has none
 *
 * Return: a string that lives as long as the program.
 */
const char *error_name(int code);

#endif
