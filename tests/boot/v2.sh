#!/bin/bash
# Pure cgroup v2: pods with limits run, are limited, OOM-killed and restarted; adoption; nothing is left.
. "$(dirname "$0")/lib.sh"
boot_test "$srcdir/tests/boot/guest/v2.sh" 240 "$srcdir"/manifests/*.yaml
