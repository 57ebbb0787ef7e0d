# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Record now, look later; trace-cmd reads the file as well.
# needs: root
set -e
skbtrail record -o ping.dat -- ping -q -c 2 -i 0.2 127.0.0.1
skbtrail report ping.dat
trace-cmd report ping.dat > /dev/null
