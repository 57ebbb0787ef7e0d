# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The packets that travel while a command runs.
# needs: root
skbtrail trace --brief -- ping -q -c 2 -i 0.2 127.0.0.1
