#!/bin/bash
# An edit makes the smallest change, and ends in the last version, however fast edits come.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }

# --- what each kind of edit costs ---------------------------------------------------------------------------------------------------------

label=one cpu=500m memory=64Mi command=1000001 network=false third=
write_pod() {
	pod web "$label" <<END
  hostNetwork: $network
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, "$command"]
    resources: {requests: {cpu: 100m}, limits: {cpu: $cpu, memory: $memory}}
  - {name: beside, image: "rootfs:/", command: [sleep, infinity]}
$third
END
}
seen() { echo "app $(member_pid web app) beside $(member_pid web beside) $(sandbox web)"; }
leaf() { # CONTROLLER FILE: of the container app, in whichever hierarchy has the controller
	local h
	for h in $(host_hierarchies); do find "$h/$PODD_HOST" -path "*pod$(pod_uid web)/members/app.*/$1" -exec cat {} + 2>/dev/null; done
}
cpu_limit() { # in thousandths of a CPU
	local v1
	v1=$(leaf cpu.cfs_quota_us)
	if [ -n "$v1" ]; then echo $((v1 * 1000 / $(leaf cpu.cfs_period_us))); else leaf cpu.max | awk '{ print $1 * 1000 / $2 }'; fi
}
memory_limit() { local v1; v1=$(leaf memory.limit_in_bytes); echo "${v1:-$(leaf memory.max)}"; }
is_so() { [ "$($1)" = "$2" ]; }

write_pod
ok "the pod is ready" ready web
before=$(seen)
is "its limits hold" "$(cpu_limit) $(memory_limit)" "500 $((64 << 20))"

label=two write_pod
ok "an edit of a label arrives" await 20 eval '[ "$(field web .metadata.labels.version)" = two ]'
is "and restarts nothing" "$(seen)" "$before"
label=two cpu=250m memory=32Mi
write_pod
ok "an edit of the cpu limit is written into the cgroup" await 20 is_so cpu_limit 250
ok "one of the memory limit too" await 20 is_so memory_limit $((32 << 20))
is "and restarts nothing" "$(seen)" "$before"

touch "$PODS/web.yaml"
{ echo "# a comment"; cat "$PODS/web.yaml"; } | put web.yaml
label=three
write_pod
await 20 eval '[ "$(field web .metadata.labels.version)" = three ]'
is "neither touch nor a comment does anything" "$(seen)" "$before"

app=$(member_pid web app) beside=$(member_pid web beside) box=$(sandbox web)
command=1000002
write_pod
ok "an edit of one container's command restarts that container" await 20 replaced web app "$app"
is "with the new command" "$(tr '\0' ' ' <"/proc/$(member_pid web app)/cmdline")" "sleep 1000002 "
is "and not the other one" "$(member_pid web beside) $(of web beside '.restartCount | tostring')" "$beside 0"
is "in the same sandbox" "$(sandbox web)" "$box"
is "with the limits of the edit before" "$(cpu_limit) $(memory_limit)" "250 $((32 << 20))"

app=$(member_pid web app)
third='  - {name: third, image: "rootfs:/", command: [sleep, infinity]}'
write_pod
ok "a container that is added is started" await 20 eval '[ -n "$(member_pid web third)" ]'
ok "and the pod is ready with it" ready web
is "the others are not touched" "$(member_pid web app) $(member_pid web beside) $(sandbox web)" "$app $beside $box"
pid=$(member_pid web third)
third=
write_pod
ok "a container that is taken out is stopped" await 20 eval '[ ! -e "/proc/$pid" ] && [ -z "$(of web third .name)" ]'
is "the others are not touched" "$(member_pid web app) $(member_pid web beside) $(sandbox web)" "$app $beside $box"
third='  - {name: third, image: "rootfs:/", command: [sleep, infinity]}'
write_pod
ok "put in again, it is started again" await 20 eval '[ -n "$(of web third .state.running)" ]'
is "and counts from nothing" "$(of web third '.restartCount | tostring')" 0
third=
write_pod
await 20 eval '[ -z "$(of web third .name)" ]'

app=$(member_pid web app)
third='  volumes: [{name: disk, emptyDir: {}}, {name: memory, emptyDir: {medium: Memory}}]'
command=1000003
write_pod
sed 's|"1000003"\]|&\n    volumeMounts: [{name: disk, mountPath: /mnt}, {name: memory, mountPath: /srv}]|' "$PODS/web.yaml" | put web.yaml
ok "volumes that are added arrive in their container" await 20 podctl exec web -c app -- sh -c 'echo here >/mnt/file && grep -q " /srv tmpfs" /proc/mounts'
ok "and the pod is ready" ready web
is "in the same sandbox, and the other container is not touched" "$(member_pid web beside) $(sandbox web)" "$beside $box"
app=$(member_pid web app) beside=$(member_pid web beside)
third=

uid=$(pod_uid web) anchor=$(anchor_pid web)
network=true
write_pod
ok "hostNetwork makes the sandbox anew" await 30 eval 'a=$(anchor_pid web); [ -n "$a" ] && [ "$a" != "$anchor" ] && ready_is web True'
is "in the host's network" "$(netns_of "$(member_pid web app)")" "$(stat -Lc %i /proc/self/ns/net)"
is "with the same uid" "$(pod_uid web)" "$uid"
ok "and no link is left" await 20 eval '! ip -o link show | grep -q ": pd"'
ok "the members and the anchor of old are gone" await 20 eval '[ ! -e "/proc/$app" ] && [ ! -e "/proc/$beside" ] && [ ! -e "/proc/$anchor" ]'

# --- a hundred edits in a second ------------------------------------------------------------------------------------------------------------

# Each instance takes a lock that all versions share. Who can't have it has met another instance that is alive.
mkdir "$ROOT/one"
write_edit() { # VERSION
	pod fast <<END
  terminationGracePeriodSeconds: $((($1 % 2)))
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c]
    args: ['exec 9>>/one/lock; flock -n 9 || { echo $1 >>/one/met; exit 1; }; echo $1 >>/one/versions; sleep 1000000 & wait']
    volumeMounts: [{name: one, mountPath: /one}]
  volumes: [{name: one, hostPath: {path: "$ROOT/one"}}]
END
}
last_version() { [ "$(tail -n 1 "$ROOT/one/versions")" = "$1" ] && ready_is fast True; }
write_edit 0
ok "a pod that holds a lock is ready" ready fast
await 20 last_version 0
before=$(sandbox fast)
for i in {1..100}; do
	write_edit $i
	sleep 0.005
done
ok "a hundred edits in about a second end in the last version" await 120 last_version 100
is "there was never a second instance" "$(cat "$ROOT/one/met" 2>/dev/null)" ""
is "all in the same sandbox" "$(sandbox fast)" "$before"
ok "versions only went forward" sort -nuc "$ROOT/one/versions"
alive() { find "$(cgroup_v2)/$PODD_HOST" -path "*pod$(pod_uid fast)/members/app.*" -name cgroup.procs -exec cat {} + | wc -l; }
ok "one instance is alive" await 20 eval '[ "$(alive)" = 2 ]' # with its child

# The same, with edits that each need another sandbox in between.
write_box() { # VERSION
	write_edit "$1"
	sed -i "s/^spec:/spec:\n  hostNetwork: $([ $(($1 % 2)) = 0 ] && echo true || echo false)/" "$PODS/fast.yaml"
}
for i in {101..140}; do
	write_box $i
	sleep 0.02
done
ok "forty edits that change the sandbox end in the last version" await 120 last_version 140
is "there was never a second instance" "$(cat "$ROOT/one/met" 2>/dev/null)" ""
is "it is in the host's network, as the last version says" "$(netns_of "$(member_pid fast app)")" "$(stat -Lc %i /proc/self/ns/net)"

# --- broken by an edit ------------------------------------------------------------------------------------------------------------------------

before="$(sandbox fast) $(member_pid fast app)"
sed 's/containers:/containres:/' "$PODS/fast.yaml" | put fast.yaml
ok "an edit with a typo is refused, with a hint" await 20 eval 'podctl status | grep -q "fast.yaml:.*containres.*did you mean.*containers"'
is "the running pod stays" "$(sandbox fast) $(member_pid fast app)" "$before"
podd_kill
podd_start
is "also across podd's restart" "$(sandbox fast) $(member_pid fast app)" "$before"
write_edit 141
ok "mended, it goes on" await 60 last_version 141

leaves_nothing
finish
