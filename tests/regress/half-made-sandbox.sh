#!/bin/bash
# podd was killed while it made a pod's sandbox, before there was an anchor, and the manifest was removed before it came back: the pod's
# cgroups stayed for good.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
podd_kill
for h in $(host_hierarchies); do
	[ -d "$h/$PODD_HOST" ] && mkdir -p "$h/$PODD_HOST/besteffort/podcececae3-2c40-4245-ac41-8c15c93827d0/members"
done
ok "the cgroups of a half-made sandbox are there" [ -n "$(shell_census)" ]
podd_start
ok "podd removes them when it starts" await 20 census_clean
finish
