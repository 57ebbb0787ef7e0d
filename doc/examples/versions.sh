# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What to name in a bug report: the program's version and those of its libraries.
set -o pipefail
skbtrail --version | grep -E '^skbtrail [0-9]+\.[0-9]+|libtraceevent [0-9]'
