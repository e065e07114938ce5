#!/bin/bash
# Does each sample in manifests/ run, and do what its first line says?
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
podd_start || exit 1
cp "$srcdir"/manifests/*.yaml "$PODS"/
known="crasher gateway hostnet limited shared-pids web"
is "the samples are the ones this test knows" "$(cd "$srcdir/manifests" && ls -- *.yaml | sed 's/\.yaml$//' | xargs)" "$known"
ok "all are valid" podctl validate "$srcdir/manifests"
for pod in limited hostnet shared-pids web gateway; do ok "$pod gets ready" ready "$pod" 30s; done

# bash speaks TCP itself.
served() { # ADDRESS PORT
	timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2" && printf "GET / HTTP/1.0\r\n\r\n" >&3 && cat <&3' - "$1" "$2" | grep -q 'served by web'
}
ip=$(field web .status.podIP)
ok "web serves its page at its address" await 20 served "$ip" 8080
ok "and by hostPort on 127.0.0.1" await 20 served 127.0.0.1 18080
ok "its client gets it over localhost" await 20 eval 'podctl logs web -c client | grep -q "served by web"'

state() { field crasher ".status.containerStatuses[0].$1"; }
ok "crasher is restarted again and again" await 30 eval '[ "$(state restartCount)" -ge 3 ]'
is "its last end is known" "$(state lastState.terminated.exitCode)" 3
ok "and it waits longer each time" await 30 eval '[ "$(state state.waiting.reason)" = CrashLoopBackOff ]'
ok "its log of the run before" await 20 eval 'podctl logs crasher --previous | grep -q "about to fail"'

is "hostnet has no link of its own" "$(netns_of "$(member_pid hostnet app)")" "$(stat -Lc %i /proc/self/ns/net)"
ok "and answers on the host's port" await 20 eval '[ -n "$(busybox nc 127.0.0.1 18081 </dev/null)" ]'

cgroup=$(sed -n 's/^[0-9]*:\(.*\):\(.*\)/\1 \2/p' "/proc/$(member_pid limited app)/cgroup")
like "limited is in a cgroup of its own" "$cgroup" "pod$(pod_uid limited)/members/app\.0"
is "whose memory limit is 64 MiB" "$(find $(host_hierarchies) -path "*pod$(pod_uid limited)/members/app.0/memory.max" -o \
	-path "*pod$(pod_uid limited)/members/app.0/memory.limit_in_bytes" 2>/dev/null | xargs -r cat)" 67108864

ok "shared-pids: the watcher sees the worker" await 30 eval 'podctl logs shared-pids -c watcher | grep -qx "[1-9]"'
is "they share one PID namespace" "$(stat -Lc %i "/proc/$(member_pid shared-pids worker)/ns/pid")" \
	"$(stat -Lc %i "/proc/$(member_pid shared-pids watcher)/ns/pid")"

page() { http_get 127.0.0.1 18082; }
ok "gateway: its page has what the sensor told the broker" await 20 eval 'page | grep -qE "^[0-9:]{8} [0-9.]+"'
ok "below the greeting of its ConfigMap" await 20 eval 'page | grep -qx "gateway: time and load"'
sensor=$(member_pid gateway sensor)
sed 's/interval: "1"/interval: "0.1"/' "$srcdir/manifests/gateway.yaml" | put gateway.yaml
ok "an edit of the ConfigMap restarts who uses it" await 20 replaced gateway sensor "$sensor"
is "the sensor is nobody, without any privilege" "$(sed -n 's/^\(Uid\|CapBnd\):\t//p' "/proc/$(member_pid gateway sensor)/status" | xargs)" \
	"65534 65534 65534 65534 0000000000000000"

rm "$PODS"/*.yaml
ok "all end with their manifests" await 60 eval '[ -z "$(podctl get pods -A -o name 2>/dev/null)" ]'
ok "and leave nothing" await 20 census_clean
podd_stop
finish
