# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A recording that comes over the network, or out of an archive, needs no file.
set -o pipefail
zstd -q -c trace.dat | zstd -q -d | skbtrail report -
