#!/bin/bash
# Are limits in force, and does the host stay its own: memory, processes, CPU, a pod that is filled to its limit?
. "$(dirname "$0")/../lib/host.sh"
mkdir -p "$ROOT/etc/podd"
echo 'podPidsLimit: 64' >"$ROOT/etc/podd/podd.yaml"
container() { # NAME LIMITS COMMAND [FIELD]
	printf '  - {name: %s, image: "rootfs:/", resources: {limits: {%s}}, command: [sh, -c, %s]%s}\n' "$1" "$2" "$(jq -n --arg c "$3" '$c')" "${4:+, $4}"
}
head_() { # NAME [ANNOTATION]
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s, annotations: {%s}}\nspec:\n  terminationGracePeriodSeconds: 0\n  containers:\n' "$1" "${2:-}"
}
last() { field "$1" ".status.containerStatuses[] | select(.name == \"$2\").lastState.terminated.$3"; }
restarts() { field "$1" ".status.containerStatuses[] | select(.name == \"$2\").restartCount"; }
running() { [ -n "$(member_pid "$1" "$2")" ]; }
# A file of a member's cgroup, by the v2 name or the v1 one, wherever the controllers are.
limit_of() { # POD CONTAINER V2FILE V1FILE
	local h f
	for h in $(host_hierarchies); do
		for f in "$h/$PODD_HOST"/*pod"$(pod_uid "$1")"/members/"$2".*/"$3" "$h/$PODD_HOST"/*/pod"$(pod_uid "$1")"/members/"$2".*/"$3" \
			"$h/$PODD_HOST"/*pod"$(pod_uid "$1")"/members/"$2".*/"$4" "$h/$PODD_HOST"/*/pod"$(pod_uid "$1")"/members/"$2".*/"$4"; do
			[ -f "$f" ] && cat "$f" && return
		done
	done
}
podd_start || exit 1
missing=$(podctl status | grep -E 'no cgroup controller "(memory|cpu|pids)"')
if [ -n "$missing" ]; then
	echo "ok 1 - limits # SKIP this host lacks controllers: $(head -n 1 <<<"$missing")"
	exit 77
fi

# --- memory ---------------------------------------------------------------------------------------------------------------------------------
eater='sleep 1; exec busybox tail -c 200m /dev/zero'
{ head_ greedy; container eater 'memory: 32Mi' "$eater"; container calm 'memory: 32Mi' 'exec sleep 31536000'; } | put greedy.yaml
ok "two members" await 20 eval 'running greedy eater && running greedy calm'
anchor=$(anchor_pid greedy) net=$(netns_of "$anchor") calm=$(member_pid greedy calm)
ok "beyond its memory limit a member ends" await 30 eval '[ -n "$(last greedy eater reason)" ]'
is "as OOMKilled" "$(last greedy eater reason)" OOMKilled
is "with exit code 137" "$(last greedy eater exitCode)" 137
ok "it is started again" await 30 eval '[ "$(restarts greedy eater)" -ge 1 ] && running greedy eater'
is "in the same sandbox" "$(anchor_pid greedy) $(netns_of "$(anchor_pid greedy)")" "$anchor $net"
is "its neighbour lives" "$(member_pid greedy calm)" "$calm"
rm "$PODS/greedy.yaml"

{ head_ hog 'podd.dev/restart-backoff: "initial=1ms, max=1ms"'; container eater 'memory: 16Mi' 'exec busybox tail -c 200m /dev/zero'; } | put hog.yaml
ok "one that does so at once" await 20 eval '[ "$(restarts hog eater)" -ge 1 ]'
hog=$(anchor_pid hog)
ok "is started again, 20 times" await 120 eval '[ "$(restarts hog eater)" -ge 20 ]'
is "as OOMKilled, with 137, the last time as well" "$(last hog eater reason) $(last hog eater exitCode)" "OOMKilled 137"
is "its anchor is the same all the time" "$(anchor_pid hog)" "$hog"
rm "$PODS/hog.yaml"

# All members have limits, so the pod has one, their sum; memory in an emptyDir-like /dev/shm stays charged after its writer is gone.
{
	head_ filled
	container filler 'memory: 24Mi' 'busybox dd if=/dev/zero of=/dev/shm/fill bs=1M count=20; exec sleep 31536000'
	container other 'memory: 24Mi' 'exec sleep 31536000'
} | put filled.yaml
ok "a member fills its memory" await 30 eval 'running filled other && running filled filler && [ "$(stat -c %s /proc/$(member_pid filled filler)/root/dev/shm/fill)" = 20971520 ]'
anchor=$(anchor_pid filled) other=$(member_pid filled other)
kill -KILL "$other"
ok "the anchor still launches another" await 30 eval 'running filled other && [ "$(member_pid filled other)" != "$other" ]'
is "and was not harmed" "$(anchor_pid filled)" "$anchor"
ok "exec works, too" podctl exec filled -c other -- true
rm "$PODS/filled.yaml"

# --- processes ------------------------------------------------------------------------------------------------------------------------------
{
	head_ probed 'podd.dev/probe-period: 100ms'
	container app '' 'exec sleep 31536000' 'livenessProbe: {exec: {command: [sh, -c, "echo >>/dev/shm/probes"]}, timeoutSeconds: 10}'
} | put probed.yaml
ok "a pod that is probed, each 100 ms" await 20 running probed app
probed=$(member_pid probed app)
probes() { wc -l <"/proc/$probed/root/dev/shm/probes"; }
probed_on() { local before; before=$(probes); await 60 eval "[ \"\$(probes)\" -ge $((before + 10)) ]" && [ "$(member_pid probed app)" = "$probed" ]; }
# Bounded in itself, should nothing hold it: 400 children.
bomb='(i=0; while [ $i -lt 400 ]; do sleep 31536000 & i=$((i + 1)); done); exec sleep 31536000' # a shell that can't fork ends
{ head_ bomb; container app '' "$bomb"; container calm '' 'exec sleep 31536000'; } | put bomb.yaml
ok "a fork bomb goes off" await 20 running bomb app
pids() { limit_of bomb app pids.current pids.current; }
ok "podctl answers meanwhile" podctl get pods
ok "it is held at its limit" await 30 eval 'limit_of bomb app pids.events pids.events | grep -qE "max [1-9]"'
is "which is the configured one" "$(limit_of bomb app pids.max pids.max)" 64
ok "and never more" [ "$(pids)" -le 64 ]
ok "the probes of another pod pass meanwhile" probed_on
ok "its neighbour and the host can fork" podctl exec bomb -c calm -- sh -c 'true & wait'
rm "$PODS/bomb.yaml"
ok "it ends with its pod" await 30 eval '[ "$(pgrep -fxc "sleep 31536000")" = 1 ]'

# 60 pods that crash, at once and again and again.
for ((i = 0; i < 60; i++)); do
	head_ "crash$i"
	container app '' 'exit 1'
	printf '  hostNetwork: true\n---\n'
done | put storm.yaml
looping() { podctl get pods | grep -c CrashLoopBackOff; }
ok "60 pods crash-loop" await 60 eval '[ "$(looping)" -ge 40 ]'
{ head_ late; container app '' 'exec sleep 31536000'; } | put late.yaml
ok "a pod that comes then, starts" await 20 running late app
ok "the probes of another pod pass meanwhile" probed_on
ok "none of which has failed" [ "$(restarts probed app)" = 0 ]
rm "$PODS"/{storm,late,probed}.yaml

# --- CPU ------------------------------------------------------------------------------------------------------------------------------------
{ head_ busy; container app 'cpu: 200m, memory: 64Mi' 'while :; do :; done'; } | put busy.yaml
ok "a busy loop" await 20 running busy app
quota=$(limit_of busy app cpu.max cpu.cfs_quota_us)
like "has its quota: 20 ms of 100" "$quota" '^20000( 100000)?$'
ok "and is held by it" await 30 eval 'limit_of busy app cpu.stat cpu.stat | grep -qE "nr_throttled [1-9]"'
pid=$(member_pid busy app)
{ head_ busy; container app 'cpu: 300m, memory: 96Mi' 'while :; do :; done'; } | put busy.yaml
ok "other limits are written" await 20 eval '[[ $(limit_of busy app cpu.max cpu.cfs_quota_us) =~ ^30000 ]]'
ok "memory, too" await 20 eval '[ "$(limit_of busy app memory.max memory.limit_in_bytes)" = $((96 << 20)) ]'
is "without a restart" "$(member_pid busy app)" "$pid"
rm "$PODS/busy.yaml"
ok "nothing is left over" await 30 census_clean
podd_stop
finish
