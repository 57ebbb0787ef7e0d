# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A file that is no recording: one line on standard error.
# exit: 1
echo 'no recording' > notes.txt
skbtrail report notes.txt
