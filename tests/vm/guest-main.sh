# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What "all" boots: runs the scripts that /in/scripts names one after the other, each with a time limit.
# Each leaves verdicts in /out/results; one that fails or hangs is a verdict of its own.

set -euo pipefail
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

limit=$(cat /in/limit 2> /dev/null || echo 240)
: > "$results"
echo "kernel: $(uname -r)"
while read -r script; do
	echo "---- $script"
	started=$SECONDS
	status=0
	timeout -k 5 "$limit" bash "/in/$script" < /dev/null || status=$?
	case $status in
	0) ;;
	124 | 137) fail "${script%.sh}_ends" "not done within $limit seconds" ;;
	*) fail "${script%.sh}_ends" "exit status $status" ;;
	esac
	echo "---- $script: $((SECONDS - started)) s"
done < /in/scripts
! grep -q '^FAIL' "$results"
