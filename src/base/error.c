// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Errors as values: see error.h for the rules.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

#ifdef HAVE_STRERRORNAME_NP
#define errno_name strerrorname_np
#else
/* For a C library without it (glibc before 2.32, musl): what our system calls can return. */
static const char *errno_name(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
#define NAME(code)          \
	{                   \
		code, #code \
	}
		NAME(EPERM),	    NAME(ENOENT),	NAME(EINTR),	    NAME(EIO),
		NAME(ENXIO),	    NAME(E2BIG),	NAME(EBADF),	    NAME(ECHILD),
		NAME(EAGAIN),	    NAME(ENOMEM),	NAME(EACCES),	    NAME(EFAULT),
		NAME(EBUSY),	    NAME(EEXIST),	NAME(EXDEV),	    NAME(ENODEV),
		NAME(ENOTDIR),	    NAME(EISDIR),	NAME(EINVAL),	    NAME(ENFILE),
		NAME(EMFILE),	    NAME(ENOTTY),	NAME(EFBIG),	    NAME(ENOSPC),
		NAME(ESPIPE),	    NAME(EROFS),	NAME(EPIPE),	    NAME(EDOM),
		NAME(ERANGE),	    NAME(EDEADLK),	NAME(ENAMETOOLONG), NAME(ENOSYS),
		NAME(ENOTEMPTY),    NAME(ELOOP),	NAME(ENODATA),	    NAME(ETIME),
		NAME(EPROTO),	    NAME(EBADMSG),	NAME(EOVERFLOW),    NAME(EILSEQ),
		NAME(EMSGSIZE),	    NAME(EOPNOTSUPP),	NAME(EADDRINUSE),   NAME(EADDRNOTAVAIL),
		NAME(ENETDOWN),	    NAME(ENETUNREACH),	NAME(ENOBUFS),	    NAME(ETIMEDOUT),
		NAME(ECONNREFUSED), NAME(EHOSTUNREACH), NAME(ESTALE),	    NAME(EDQUOT),
		NAME(ECANCELED),
#undef NAME
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].code == code)
			return names[i].name;
	return NULL;
}
#endif

const char *error_name(int code)
{
	const char *name = errno_name(code);

	return name ? name : "unknown errno";
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -code;
}

int error_errno(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;
	int used;

	if (!err)
		return -code;
	err->code = code;
	va_start(ap, fmt);
	used = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (used >= 0 && (size_t)used < sizeof(err->text))
		snprintf(err->text + used, sizeof(err->text) - (size_t)used, ": %s (%s)",
			 strerror(code), error_name(code));
	return -code;
}

void error_prepend(struct error *err, const char *fmt, ...)
{
	char old[sizeof(err->text)];
	va_list ap;
	int used;

	if (!err)
		return;
	memcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	used = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (used >= 0 && (size_t)used < sizeof(err->text))
		snprintf(err->text + used, sizeof(err->text) - (size_t)used, "%s", old);
}
