# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Record on one machine, look on another: put ssh between the two.
# needs: root
set -o pipefail
skbtrail record -o - -- ping -q -c 2 -i 0.2 127.0.0.1 | skbtrail report --brief -
