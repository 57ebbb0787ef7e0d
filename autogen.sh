#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes configure, Makefile.in and their helpers again. They are committed, so only a change of
# configure.ac or of a *.am file asks for this. Use Debian 12's autoconf 2.71 and automake 1.16.5:
# the tests compare what it makes with what is committed.
set -eu
cd "$(dirname "$0")"
autoreconf --install --force --warnings=all
# Backups and caches of no use to anyone.
rm -rf autom4te.cache configure~ config.h.in~
