# Runs in the guest, by busybox sh.
n=0
pass() { n=$((n + 1)); echo "ok $n - $*"; }
fail() { n=$((n + 1)); echo "not ok $n - $*"; }
ok() { name=$1; shift; if "$@" >/tmp/out 2>&1; then pass "$name"; else fail "$name"; sed 's/^/#   /' /tmp/out | tail -n 8; fi; }
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1"; echo "#   got $2, wanted $3"; fi; }
await() { end=$(($(cut -d. -f1 /proc/uptime) + $1)); shift; until eval "$*" >/dev/null 2>&1; do [ "$(cut -d. -f1 /proc/uptime)" -lt $end ] || return 1; sleep 0.1; done; }
put() { cat >/etc/pods/.new && mv /etc/pods/.new "/etc/pods/$1"; }
start() { podd 2>>/tmp/podd.log & PID=$!; await 20 podctl version; }
status() { podctl get pods "$1" -o json; }
leaf() { ls -d /sys/fs/cgroup/podd/*/pod*/members/"$1".* /sys/fs/cgroup/podd/pod*/members/"$1".* 2>/dev/null | tail -n 1; }
pid_of() { head -n 1 "$(leaf "$1")/cgroup.procs"; }

is "the guest has cgroup v2 with its controllers" "$(grep -c -w memory /sys/fs/cgroup/cgroup.controllers)" 1
ok "podd starts" start
ok "no controller is missing" sh -c '! podctl status | grep -qi controller'

put limited.yaml <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: limited}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, "100000"]
    resources: {requests: {cpu: 100m}, limits: {cpu: 500m, memory: 64Mi}}
Y
ok "a pod with limits is ready" podctl wait --for=ready limited --timeout 30s
d=$(leaf app)
is "memory.max" "$(cat "$d/memory.max")" 67108864
is "cpu.max" "$(cat "$d/cpu.max")" "50000 100000"
is "pids.max" "$(cat "$d/pids.max")" 4096
is "memory.oom.group" "$(cat "$d/memory.oom.group")" 1
ok "cpu.weight follows the request" test "$(cat "$d/cpu.weight")" -lt 100
is "the pod's limit is on members, beside the anchor" "$(cat "$d/../memory.max")" 67108864
ok "the anchor is not in it" test -n "$(cat "$d/../../anchor/cgroup.procs")"

sed 's/500m/250m/; s/64Mi/96Mi/' /etc/pods/limited.yaml | put limited.yaml
ok "an edited limit is written in place" await 10 "[ \"\$(cat $d/memory.max)\" = 100663296 ]"
is "cpu.max is new" "$(cat "$d/cpu.max")" "25000 100000"
rm /etc/pods/limited.yaml

put hog.yaml <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: hog}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: hog
    image: rootfs:/
    command: [sh, -c, "sleep 1; exec tail /dev/zero"]
    resources: {limits: {memory: 24Mi}}
  - name: beside
    image: rootfs:/
    command: [sleep, "100000"]
Y
ok "a member that eats memory is OOM-killed" await 60 'status hog | grep -q OOMKilled'
ok "with exit code 137" sh -c 'podctl get pod hog -o json | grep -qE "\"exitCode\": ?137"'
beside=$(pid_of beside)
ok "it is started again" await 60 'podctl get pods | grep -qE "hog +[0-9]/2 +[A-Za-z]+ +[1-9]"'
is "its neighbour in the pod is the same" "$(pid_of beside)" "$beside"

put steady.yaml <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: steady}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: steady
    image: rootfs:/
    command: [sh, -c, "while :; do date +%s; sleep 1; done"]
    ports: [{containerPort: 8080, hostPort: 8080}]
  - name: server
    image: rootfs:/
    command: [httpd, -f, -p, "8080", -h, /etc]
Y
ok "a pod with a hostPort is ready" podctl wait --for=ready steady --timeout 30s
ok "the hostPort answers on 127.0.0.1" await 20 wget -q -O /dev/null http://127.0.0.1:8080/hostname2 '||' wget -q -O - http://127.0.0.1:8080/passwd
is "exec" "$(podctl exec steady -c steady -- hostname)" steady
ok "a container sees its cgroup, read-only" sh -c 'podctl exec steady -c steady -- cat /sys/fs/cgroup/memory.current && ! podctl exec steady -c steady -- sh -c "echo 1 > /sys/fs/cgroup/pids.max"'
before=$(pid_of steady)
kill -9 $PID
ok "podd comes back" start
is "nobody was restarted" "$(pid_of steady)" "$before"
kill -9 "$before"
ok "an adopted member is restarted" await 30 "[ -n \"\$(pid_of steady)\" ] && [ \"\$(pid_of steady)\" != $before ]"

rm -f /etc/pods/*.yaml
ok "all pods go" await 60 '[ -z "$(podctl get pods -A -o name 2>/dev/null)" ]'
ok "podctl census finds nothing" await 20 podctl census
is "no cgroup of a pod is left" "$(find /sys/fs/cgroup/podd -mindepth 1 -name 'pod*' -type d | wc -l)" 0
is "no link is left" "$(ip -o link | grep -c ' pd')" 0
kill "$PID"
wait "$PID"
echo "1..$n"
