#!/bin/bash
# Resources of the pod as a whole, processes, ulimits: what the manifest says is in the cgroup files and in /proc, and changes in place.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
podd_start || { fail "podd starts"; finish; }

file() { # DIRECTORY V1FILE V2FILE: below the pod web's cgroup, in whichever hierarchy has the controller
	local h
	for h in $(host_hierarchies); do
		find "$h/$PODD_HOST" \( -path "*pod$uid$1/$2" -o -path "*pod$uid$1/$3" \) -exec cat {} + 2>/dev/null
	done | head -n 1
}
pids_of() { file "/members$1" pids.max pids.max; }
memory_of() { file "/members$1" memory.limit_in_bytes memory.max; }
cpu_of() { file "/members$1" cpu.cfs_quota_us cpu.max | awk '{ print $1 }'; }
write_pod() { # POD-RESOURCES APP-RESOURCES ULIMITS
	cat <<END | put web.yaml
apiVersion: v1
kind: Pod
metadata: {name: web, annotations: {podd.dev/ulimits: "$3"}}
spec:
  terminationGracePeriodSeconds: 0
  resources: $1
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, infinity], resources: $2}
  - {name: beside, image: "rootfs:/", command: [sleep, infinity]}
END
}
write_pod '{limits: {cpu: 500m, memory: 128Mi, pid: 200}}' '{limits: {pid: 20}, requests: {memory: 32Mi}}' 'nofile=2048:4096, core=0, stack=1048576'
ok "a pod with resources of its own is ready" ready web
uid=$(pod_uid web)
is "its limits are on all its members together" "$(cpu_of '') $(memory_of '') $(pids_of '')" "50000 $((128 << 20)) 200"
is "a member has what it names, no more" "$(pids_of '/app.*') $(pids_of '/beside.*')" "20 4096"
is "its class: requests are what the members ask for" "$(field web .status.qosClass)" Burstable
is "its weight is that of its request, which is its limit" "$(file "" cpu.shares cpu.weight)" "$([ -n "$(file "" cpu.shares none)" ] && echo 512 || echo 60)"
limits_of() { awk '/open files/ { print $4, $5 } /core file/ { print $5, $6 } /stack size/ { print $4, $5 }' "/proc/$(member_pid web "$1")/limits" | sort | xargs; }
is "ulimits are as the annotation says" "$(limits_of app)" "0 0 1048576 1048576 2048 4096"
is "also for what is run inside later" "$(podctl exec web -c app -- sh -c 'ulimit -Sn; ulimit -Hn' | xargs)" "2048 4096"

before="$(member_pid web app) $(member_pid web beside) $(sandbox web)"
write_pod '{limits: {cpu: 250m, memory: 256Mi, pid: 100}}' '{limits: {pid: 30}, requests: {memory: 32Mi}}' 'nofile=2048:4096, core=0, stack=1048576'
ok "edits of them are made in place" await 20 eval '[ "$(cpu_of "") $(memory_of "") $(pids_of "") $(pids_of "/app.*")" = "25000 $((256 << 20)) 100 30" ]'
is "and restart nothing" "$(member_pid web app) $(member_pid web beside) $(sandbox web)" "$before"

app=$(member_pid web app) box=$(sandbox web)
sed '/ulimits/s/nofile=2048/nofile=1024/' "$PODS/web.yaml" >"$ROOT/web.yaml"
is "an edit of ulimits is said to restart the members" "$(podctl diff "$ROOT/web.yaml" | awk '$2 != "CONTAINER" { print $2, $3 }' | xargs)" "app restart beside restart"
put web.yaml <"$ROOT/web.yaml"
ok "and does" await 20 eval 'replaced web app "$app" && ready web'
is "in their sandbox" "$(sandbox web) $(podctl exec web -c app -- sh -c 'ulimit -Sn')" "$box 1024"

# Beyond the hard limit of podd itself only with CAP_SYS_RESOURCE; this host may have it.
write_pod '{}' '{}' "nofile=$((1 << 40))"
ok "limits that can't be are said" await 20 eval 'podctl get pod web -o json | grep -q "setting the limit nofile: Operation not permitted"'
leaves_nothing
finish
