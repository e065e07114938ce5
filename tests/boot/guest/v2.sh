# Runs in the guest, by busybox sh.
n=0
pass() { n=$((n + 1)); echo "ok $n - $*"; }
fail() { n=$((n + 1)); echo "not ok $n - $*"; }
ok() { name=$1; shift; if "$@" >/tmp/out 2>&1; then pass "$name"; else fail "$name"; sed 's/^/#   /' /tmp/out | tail -n 8; fi; }
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1"; echo "#   got $2, wanted $3"; fi; }
await() { end=$(($(cut -d. -f1 /proc/uptime) + $1)); shift; until eval "$*" >/dev/null 2>&1; do [ "$(cut -d. -f1 /proc/uptime)" -lt $end ] || return 1; sleep 0.1; done; }
put() { cat >/etc/pods/.new && mv /etc/pods/.new "/etc/pods/$1"; }
start() { podd 2>>/tmp/podd.log & PID=$!; await 90 podctl version; }
status() { podctl get pods "$1" -o json; }
leaf() { ls -d /sys/fs/cgroup/podd/*/pod*/members/"$1".* /sys/fs/cgroup/podd/pod*/members/"$1".* 2>/dev/null | tail -n 1; }
pid_of() { head -n 1 "$(leaf "$1")/cgroup.procs"; }

all() { # CGROUP FILE...: their contents in a line
	dir=$1; shift
	for f; do cat "$dir/$f"; done | xargs
}

mkdir -p /disk /var/lib/podd
ok "a disk" mount -o loop /files/disk.ext4 /disk
mount --bind /disk/state /var/lib/podd
echo 128M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0
is "the guest has cgroup v2 with its controllers" "$(grep -c -w memory /sys/fs/cgroup/cgroup.controllers)" 1
ok "podd starts" start
ok "no controller is missing" sh -c '! podctl status | grep -qi controller'

# --- devices ---
put nodes.yaml <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: nodes}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - &c
    name: nodes
    image: rootfs:/
    command: [sleep, "100000"]
    securityContext: {capabilities: {add: [MKNOD]}}
    volumeMounts: [{name: disk, mountPath: /mnt/disk, readOnly: true}]
  - {<<: *c, name: mighty, securityContext: {privileged: true}, volumeMounts: []}
  volumes: [{name: disk, hostPath: {path: /dev/loop0, type: BlockDevice}}]
Y
ok "a pod with a device is ready" podctl wait --for=ready nodes --timeout 90s
ok "the standard devices open" podctl exec nodes -c nodes -- sh -c 'echo >/dev/null && head -c 1 /dev/urandom'
denied() { podctl exec nodes -c "$1" -- sh -c "rm -f /dev/n; mknod /dev/n $2 && { exec 3$3/dev/n; }" 2>&1 | grep -q 'not permitted'; }
ok "a node of a device that its manifest does not name opens with EPERM" denied nodes "b 7 1" "<"
ok "one that it names can be read" eval '! denied nodes "b 7 0" "<"'
ok "... not written, as it is mounted read-only" denied nodes "b 7 0" "<>"
ok "privileged: any" eval '! denied mighty "b 7 1" "<"'
rm /etc/pods/nodes.yaml

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
ok "a pod with limits is ready" podctl wait --for=ready limited --timeout 90s
d=$(leaf app)
is "memory.max" "$(cat "$d/memory.max")" 67108864
is "cpu.max" "$(cat "$d/cpu.max")" "50000 100000"
is "pids.max" "$(cat "$d/pids.max")" 4096
is "memory.oom.group" "$(cat "$d/memory.oom.group")" 1
is "cpu.weight follows the request, by the newer conversion" "$(cat "$d/cpu.weight")" 17
is "what is asked for is protected, in the pod and above" "$(cat "$d/memory.low" "$d/../memory.low" "$d/../../memory.low" | xargs)" "67108864 67108864 67108864"
is "a limit on memory is none to be escaped by swap" "$(cat "$d/memory.swap.max")" 0
is "the seccomp filter is loaded" "$(grep -w Seccomp: "/proc/$(pid_of app)/status" | xargs)" "Seccomp: 2"
is "the pod's limit is on members, beside the anchor" "$(cat "$d/../memory.max")" 67108864
ok "the anchor is not in it" test -n "$(cat "$d/../../anchor/cgroup.procs")"

sed 's/500m/250m/; s/64Mi/96Mi/' /etc/pods/limited.yaml | put limited.yaml
ok "an edited limit is written in place" await 90 "[ \"\$(cat $d/memory.max)\" = 100663296 ]"
ok "cpu.max is new" await 90 "[ \"\$(cat $d/cpu.max)\" = '25000 100000' ]"
rm /etc/pods/limited.yaml

# --- what is v2's alone ---
put whole.yaml <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: whole, annotations: {podd.dev/swap: limited}}
spec:
  terminationGracePeriodSeconds: 0
  resources: {requests: {cpu: 200m, memory: 48Mi}, limits: {cpu: 300m, memory: 96Mi}}
  containers:
  - name: first
    image: rootfs:/
    command: [sleep, "100000"]
    resources: {requests: {memory: 32Mi}}
  - name: second
    image: rootfs:/
    command: [sleep, "100000"]
Y
ok "a pod with resources as a whole is ready" podctl wait --for=ready whole --timeout 90s
d=$(leaf first)
is "its limits are on members" "$(all "$d/.." memory.max cpu.max)" "100663296 30000 100000"
is "its requests on the pod" "$(all "$d/../.." memory.low cpu.weight)" "50331648 29"
is "containers have only their own" "$(all "$d" memory.max cpu.max memory.low) $(cat "$(leaf second)/memory.low")" "max max 100000 33554432 0"
swap=$(awk '/^MemTotal/ { m = $2 } /^SwapTotal/ { s = $2 } END { printf "%d", 32768 / m * s / 4 }' /proc/meminfo)
is "podd.dev/swap: swap in proportion to the request, in pages" "$(($(cat "$d/memory.swap.max") / 4096))" "$swap"
is "... of all of them on the pod" "$(($(cat "$d/../memory.swap.max") / 4096))" "$swap"
rm /etc/pods/whole.yaml

shrink() { # NAME COMMAND
	put "$1.yaml" <<Y
apiVersion: v1
kind: Pod
metadata: {name: $1}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: $1
    image: rootfs:/disk/image
    command: [/bin/busybox, sh, -c, "$2; busybox touch /filled; exec busybox sleep 100000"]
    resources: {limits: {memory: 64Mi}}
Y
}
filled() { [ "$(cat "$(leaf "$1")/memory.current")" -gt 41943040 ] && podctl exec "$1" -- busybox stat /filled; }
shrink cached 'busybox dd if=/dev/zero of=/cache bs=1M count=48; busybox sync'
shrink held 'busybox dd if=/dev/zero of=/dev/shm/held bs=1M count=48'
ok "one holds files in its memory, one what can't be given up" await 90 'filled cached && filled held'
cached=$(pid_of cached) held=$(pid_of held)
sed 's/64Mi/24Mi/' /etc/pods/cached.yaml | put cached.yaml
sed 's/64Mi/24Mi/' /etc/pods/held.yaml | put held.yaml
ok "a limit below what is used takes it back, where that can be done" await 90 '[ "$(cat "$(leaf cached)/memory.max")" = 25165824 ]'
ok "... leaving no other" await 90 '[ "$(cat "$(leaf cached)/memory.high")" = max ]'
ok "elsewhere it is told" await 90 'podctl describe pod held | grep -q "uses more memory than its new limit"'
ok "... and the former one holds" await 90 '[ "$(all "$(leaf held)" memory.max memory.high)" = "67108864 max" ]'
podctl exec held -- busybox rm /dev/shm/held
ok "... until it can be done" await 90 '[ "$(cat "$(leaf held)/memory.max")" = 25165824 ]'
is "nobody was killed" "$(pid_of cached) $(pid_of held)" "$cached $held"
rm /etc/pods/cached.yaml /etc/pods/held.yaml

# --- AppArmor ---
mount -t securityfs securityfs /sys/kernel/security
load() { apparmor_parser -r -K /etc/apparmor.d/"$1"; }
cat >/etc/apparmor.d/no-secret <<'P'
abi <abi/3.0>,
profile no-secret flags=(attach_disconnected) { file, capability, network, signal, ptrace, deny /secret* w, }
P
put armour.yaml <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: armour}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - &c
    name: local
    image: rootfs:/disk/image
    command: [/bin/busybox, sh, -c, 'for f in /free /secret; do echo >$f; done; exec busybox sleep 100000']
    securityContext: {appArmorProfile: {type: Localhost, localhostProfile: no-secret}}
    readinessProbe: {exec: {command: [sh, -c, 'grep no-secret /proc/self/attr/current && ! touch /secret-probe']}, periodSeconds: 1}
  - {name: default, image: "rootfs:/disk/image", command: [sleep, "100000"], securityContext: {appArmorProfile: {type: RuntimeDefault}}}
  - {name: unsaid, image: "rootfs:/disk/image", command: [sleep, "100000"], securityContext: {capabilities: {add: [SYS_ADMIN]}}}
  - {name: none, image: "rootfs:/disk/image", command: [sleep, "100000"], securityContext: {appArmorProfile: {type: Unconfined}}}
Y
profile() { podctl exec armour -c "$1" -- cat /proc/self/attr/current; }
ok "a profile that is not loaded keeps a container from running, which is told" await 90 'podctl describe pod armour | grep -q "no-secret: it is not loaded" && podctl describe pod armour | grep -q "podd-default: it is not loaded"'
ok "... who does not ask runs without" await 90 '[ "$(profile unsaid)" = unconfined ]'
ok "both are loaded" eval 'load no-secret && load podd-default'
ok "then it runs" podctl wait --for=ready armour --timeout 90s
is "its first process has the profile" "$(cat "/proc/$(pid_of local)/attr/current")" "no-secret (enforce)"
is "... and was denied what it denies" "$(podctl logs armour -c local | grep -c "can't create /secret: Permission denied")" 1
is "... only that" "$(podctl exec armour -c local -- ls /free)" /free
is "a command in it, too" "$(profile local) $(podctl exec armour -c local -- touch /secret 2>&1)" "no-secret (enforce) touch: /secret: Permission denied"
echo >/tmp/f
ok "a copy, too" eval 'podctl cp /tmp/f armour:/free2 -c local && ! podctl cp /tmp/f armour:/secret2 -c local'
is "RuntimeDefault is podd's" "$(profile default)" "podd-default (enforce)"
is "Unconfined is none" "$(profile none)" unconfined
kill -9 "$(pid_of unsaid)"
ok "who does not ask has podd's from the next start on" await 90 '[ "$(profile unsaid)" = "podd-default (enforce)" ]'
ok "... in which nobody mounts" eval '! podctl exec armour -c unsaid -- busybox mount -t tmpfs x /tmp 2>&1'
rm /etc/pods/armour.yaml

# --- user ids of its own, where only disks can be mapped ---
users() { # NAME IMAGE
	put "$1.yaml" <<Y
apiVersion: v1
kind: Pod
metadata: {name: $1}
spec:
  terminationGracePeriodSeconds: 0
  hostUsers: false
  volumes: [{name: e, emptyDir: {}}]
  containers:
  - {name: $1, image: "rootfs:$2", command: [/bin/busybox, sleep, "100000"], volumeMounts: [{name: e, mountPath: /e}]}
Y
}
users own /disk/image
users tmp /
ok "a pod with user ids of its own is ready" podctl wait --for=ready own --timeout 90s
like() { echo "$2" | grep -qE "$3" && pass "$1" || { fail "$1"; echo "#   got $2"; }; }
first=$(awk '{ print $2 }' "/proc/$(pid_of own)/uid_map")
ok "root inside is nobody outside" test "$first" -ge 1073741824
is "... which the process is" "$(awk '$1 == "Uid:" { print $2 }' "/proc/$(pid_of own)/status")" "$first"
is "the image's files are root's inside" "$(podctl exec own -- stat -c %u:%g /etc/passwd)" 0:0
is "its own, too" "$(podctl exec own -- sh -c 'touch /new /e/new && stat -c %u:%g /new /e/new | xargs' | xargs)" "0:0 0:0"
is "... the volume's also outside" "$(stat -c %u:%g "$(find /disk/state/pods -name new -path '*e/new')")" 0:0
ok "an image in memory can't be mapped by this kernel, which is told" await 90 'podctl describe pod tmp | grep -q "its file system can.t, which hostUsers: false needs"'
rm /etc/pods/own.yaml /etc/pods/tmp.yaml

# --- an image ---
put image.yaml <<'Y'
apiVersion: v1
kind: Pod
metadata: {name: image}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: image, image: "oci-archive:/files/image.tar:v1", args: [-c, "echo $FROM; exec sleep 100000"]}]
Y
ok "an image is imported and runs" podctl wait --for=ready image --timeout 90s
ok "... as it says" await 90 '[ "$(podctl logs image)" = image ]'
rm /etc/pods/image.yaml

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
ok "a member that eats memory is OOM-killed" await 90 'status hog | grep -q OOMKilled'
ok "with exit code 137" sh -c 'podctl get pod hog -o json | grep -qE "\"exitCode\": ?137"'
beside=$(pid_of beside)
ok "it is started again" await 90 'podctl get pods | grep -qE "hog +[0-9]/2 +[A-Za-z]+ +[1-9]"'
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
ok "a pod with a hostPort is ready" podctl wait --for=ready steady --timeout 90s
ok "the hostPort answers on 127.0.0.1" await 90 wget -q -O /dev/null http://127.0.0.1:8080/hostname2 '||' wget -q -O - http://127.0.0.1:8080/passwd
is "exec" "$(podctl exec steady -c steady -- hostname)" steady
ok "a container sees its cgroup, read-only" sh -c 'podctl exec steady -c steady -- cat /sys/fs/cgroup/memory.current && ! podctl exec steady -c steady -- sh -c "echo 1 > /sys/fs/cgroup/pids.max"'
before=$(pid_of steady)
kill -9 $PID
wait $PID
ok "podd comes back" start
is "nobody was restarted" "$(pid_of steady)" "$before"
kill -9 "$before"
ok "an adopted member is restarted" await 90 "[ -n \"\$(pid_of steady)\" ] && [ \"\$(pid_of steady)\" != $before ]"

rm -f /etc/pods/*.yaml
ok "all pods go" await 90 '[ -z "$(podctl get pods -A -o name 2>/dev/null)" ]'
ok "podctl census finds nothing" await 90 podctl census
is "no cgroup of a pod is left" "$(find /sys/fs/cgroup/podd -mindepth 1 -name 'pod*' -type d | wc -l)" 0
is "no link is left" "$(ip -o link | grep -c ' pd')" 0
kill "$PID"
wait "$PID"
echo "1..$n"
