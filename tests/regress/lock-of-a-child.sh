#!/bin/bash
# podd was killed just after it had cloned a child, and started again at once: the child still held the lock, since flock(2) is inherited, and
# the new podd ended with "another podd runs on this root".
. "$(dirname "$0")/../lib/host.sh"

podd_start || { fail "podd starts"; finish; }
inode=$(stat -c %i "$ROOT/run/podd/podd.pid")
like "podd's lock is of the kind that is no child's" "$(grep ":$inode " /proc/locks)" "POSIX +ADVISORY +WRITE $PODD_PID "
second=$("$builddir/bin/podd" --root "$ROOT" --cgroup-root "$PODD_HOST" 2>&1)
is "a second podd on the same root exits 1" $? 1
like "and names the first" "$second" "pid $PODD_PID"
podd_kill
podd_start
is "the next one may" $? 0
finish
