# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the host side of the VM tests shares: where things are cached, messages, packages.
# Sourced by prepare, run and all; defines names only, does nothing by itself.

# shellcheck disable=SC2034 # used by those who source this
vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # used by those who source this
vm_cache=${SKBTRAIL_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/skbtrail/vm}

# A line for the person watching. Never on stdout, which carries results.
say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die()
{
	say "$*"
	exit 1
}

# need_packages FILE: install what FILE lists and the machine lacks. Takes no network when all is there.
need_packages()
{
	local missing
	local -a names

	mapfile -t names < "$1"
	missing=$(comm -23 <(printf '%s\n' "${names[@]}" | sort -u) \
		<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${names[@]}" 2> /dev/null |
			sed -n 's/^installed //p' | sort -u))
	[ -n "$missing" ] || return 0
	mapfile -t names <<< "$missing"
	[ "$(id -u)" = 0 ] || die "missing packages; as root: apt-get install ${names[*]}"
	say "installing ${names[*]}"
	{
		apt-get update -qq &&
			DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${names[@]}"
	} > /dev/null || die "cannot install ${names[*]}"
}
