/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who called sudo, and becoming that user; for workload.c only.
 */
#ifndef SKBTRAIL_CAPTURE_WORKLOAD_USER_H
#define SKBTRAIL_CAPTURE_WORKLOAD_USER_H

#include <sys/types.h>

#include "base/error.h"

struct user {
	char *name; /* NULL: stay who we are */
	char *home;
	uid_t uid;
	gid_t gid;
};

/**
 * user_from_sudo - the user named by SUDO_UID and SUDO_GID, when we are root through sudo
 * @user: ->name stays NULL when there is nobody to drop to
 *
 * Return: 0, -EINVAL for values that are not ids (dropping to a wrong user, or to none in silence,
 * would be worse), -ENOMEM.
 */
int user_from_sudo(struct user *user, struct error *err);

/** user_become - give up root for good and adjust HOME, USER, LOGNAME; Return: 0 or an errno */
int user_become(const struct user *user);

void user_free(struct user *user);

#endif
