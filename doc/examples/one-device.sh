# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Whole paths, but only of packets that touched a device whose name fits.
set -o pipefail
skbtrail report -q -i 'veth*' --brief trace.dat | grep veth1
