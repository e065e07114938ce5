#!/bin/bash
# podd was killed while it removed a pod's cgroups: the v2 directory, by which the next podd finds what is left, was gone first, and those on v1
# stayed for ever.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
memory=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts)
[ -n "$memory" ] || skip "no memory controller on v1"
pod web <<<"  terminationGracePeriodSeconds: 0
  containers: [{name: app, image: 'rootfs:/', command: [sleep, '1000']}]"
ok "a pod is ready" ready web
dir=$(find "$memory/$PODD_HOST" -type d -name "pod$(pod_uid web)")
sleep 1000 &
stranger=$!
echo $stranger >"$dir/cgroup.procs"
rm "$PODS/web.yaml"
ok "something of a pod's cgroups can't be removed yet" await 20 eval '! [ -e "$dir/members" ]'
podd_kill
kill $stranger
wait $stranger 2>/dev/null
podd_start
leaves_nothing
podd_stop
finish
