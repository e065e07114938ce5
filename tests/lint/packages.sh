#!/bin/bash
# What building needs is asked for twice: by GNUmakefile in a clone, by debian/control in the package. They agree about libraries.
cd "${srcdir:-$(dirname "$0")/../..}" || exit 1
. tests/lib/tap.sh

control=$(sed -n '/^Build-Depends/,/^$/p' debian/control | tr ',' '\n' | awk '{ print $NF }')
for package in $(sed -n '/^PACKAGES/,/[^\\]$/p' GNUmakefile | grep -oE 'lib[a-z0-9.+-]*-dev'); do
	case $package in libc6-dev | libcmocka-dev) continue ;; esac # implied; for tests
	ok "debian/control builds with $package" grep -qxF "$package" <<<"$control"
done
finish
