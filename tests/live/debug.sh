#!/bin/bash
# podctl debug: ephemeral containers, what they share, see and may, and how long they last.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
pod web <<'YAML'
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "rootfs:/", command: [sh, -c, "echo mine >/tmp/of-app; exec sleep infinity"], resources: {limits: {memory: 256Mi}}}
  - {name: side, image: "rootfs:/", command: [sleep, infinity], resources: {limits: {memory: 256Mi}}}
YAML
pod slow <<'YAML'
  terminationGracePeriodSeconds: 0
  initContainers:
  - {name: stuck, image: "rootfs:/", command: [sleep, infinity]}
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, infinity]}
YAML
pod own <<'YAML'
  terminationGracePeriodSeconds: 0
  hostUsers: false
  containers:
  - {name: app, image: "rootfs:/", command: [sh, -c, "echo mine >/tmp/of-app; exec sleep infinity"]}
YAML
ok "a pod is ready" ready web
settled() { tr '\0' ' ' <"/proc/$(member_pid "$1" app)/cmdline" | grep -qx 'sleep infinity '; } # POD: its shell is through
await 20 settled web

# A container of its status: `ephemeral web dbg .state.running`
ephemeral() {
	podctl get pod "$1" -o json | jq -r --arg c "$2" ".status.ephemeralContainerStatuses[]? | select(.name == \$c) | $3 // empty"
}
runs() { [ -n "$(ephemeral "$1" "$2" .state.running)" ]; }
ended() { [ -n "$(ephemeral "$1" "$2" .state.terminated)" ]; }

# --- a conversation
before=$(sandbox web)
out=$(echo 'hostname; readlink /proc/self/ns/net; cat /proc/1/root/tmp/of-app; tr "\0" " " </proc/1/cmdline; exit 7' |
	podctl debug -i web --target app -c look -- sh 2>"$ROOT/err")
is "its exit code is podctl's" $? 7
like "it has the pod's host name" "$out" '^web$'
like "and its network" "$out" "^$(podctl exec web -c app -- readlink /proc/self/ns/net | sed 's/[][]/\\&/g')$"
like "with a target, its processes" "$out" '^sleep infinity '
like "and its files, by /proc/1/root" "$out" '^mine$'
like "what is printed at once is not lost" "$(for i in 1 2 3; do podctl debug -i web -- echo "line $i" 2>&1; done | grep -c '^line [123]$')" '^3$'
like "a name is chosen, and said" "$(podctl debug web -- true 2>&1)" '^Defaulting debug container name to debugger-[a-z0-9]{5}\.$'
like "without a target its processes are its own" "$(podctl debug -i web -- sh -c 'echo I am $$' 2>/dev/null)" '^I am 1$'
like "a command that is not there is said so, and is 128" "$(podctl debug -i web -c nope -- /nonexistent 2>&1; echo "exit $?")" '^exit 128$'
like "with a terminal" "$("$builddir/tests/lib/typist" 'wait:press' 'send:stty size; exit 3\r' -- "$builddir/bin/podctl" --root "$ROOT" debug -it web -c tty -- sh | tr -d '\r')" '^\[exit 3\]'

ready own
await 20 settled own
like "in a pod with users of its own, too" "$(podctl debug -i own --target app -- sh -c 'cat /proc/1/root/tmp/of-app; echo $(cat /proc/self/uid_map)' 2>&1)" '^mine$'
is "whose root it is" "$(podctl debug -i own -- cat /proc/self/uid_map 2>/dev/null)" "$(podctl exec own -- cat /proc/self/uid_map)"
for who in "exec web -c app" "debug -i web"; do
	like "$who says that its output can't be written" "$(podctl $who -- seq 100000 2>&1 >/dev/full; echo "exit $?")" "can't write: No space left on device"
done

# --- what may be seen of it
like "spec.ephemeralContainers" "$(podctl get pod web -o yaml)" 'targetContainerName: app'
is "status.ephemeralContainerStatuses" "$(ephemeral web look .state.terminated.exitCode)" 7
is "it counts nowhere else" "$(podctl get pod web | awk 'NR > 1 { print $2, $3, $4 }')" "2/2 Running 0"
like "describe has it" "$(podctl describe pod web)" '^Ephemeral Containers:$'
like "its log stays" "$(podctl logs web -c look)" '^mine$'
is "the pod has felt nothing" "$(sandbox web)" "$before"

# --- what it may
caps() { podctl debug -i web "$@" -- sed -n 's/^CapBnd:\t*//p' /proc/self/status 2>/dev/null; }
is "it has a member's capabilities and SYS_PTRACE" "$((0x$(caps)))" "$((0x$(podctl exec web -c app -- sed -n 's/^CapBnd:\t*//p' /proc/self/status) | 1 << 19))"
is "with the baseline profile only the former" "$(caps --profile baseline)" "$(podctl exec web -c app -- sed -n 's/^CapBnd:\t*//p' /proc/self/status)"
like "and is filtered as they are" "$(podctl debug -i web -- grep Seccomp: /proc/self/status 2>/dev/null)" '2$'
like "restricted wants another user than root" "$(podctl debug web -c restricted --profile restricted -- true 2>&1; await 20 eval '[ -n "$(ephemeral web restricted .state.waiting.message)" ]'; ephemeral web restricted .state.waiting.message)" 'root'
podctl debug web -c long -- sleep 7654321
ok "one that lasts" await 20 runs web long
long=$(pgrep -f '^sleep 7654321$')
like "lives in the pod's cgroup, on what the members leave" "$(cat "/proc/$long/cgroup")" "/pod$(pod_uid web)/members/long\."

# --- what is refused
pod tracer <<'YAML'
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, infinity], securityContext: {capabilities: {add: [SYS_PTRACE]}}}
YAML
ready tracer
podctl debug tracer -c beside --target app -- true
ok "a target that could trace what joins it" await 20 eval 'ephemeral tracer beside .state.waiting.message | grep -q "has SYS_PTRACE"'
is "it is debugged without" "$(podctl debug -i tracer -- echo here 2>/dev/null)" here
like "a target that is not there" "$(podctl debug web --target nope -- true 2>&1)" 'targetContainerName: Not found: "nope"'
like "a name that is taken by a member" "$(podctl debug web -c app -- true 2>&1)" 'Duplicate value: "app"'
like "a change of one that is there" "$(podctl debug web -c long -- true 2>&1)" 'may not be changed'
like "a pod that is not there" "$(podctl debug nope -- true 2>&1)" 'not found'

# --- how long it lasts
is "it starts while an init container does not get on" "$(podctl debug -i slow --target '' -c why -- echo here 2>/dev/null)" here
podd_kill
podd_start
ok "podd is killed: it runs on" await 20 runs web long
is "as the same process" "$(pgrep -f '^sleep 7654321$')" "$long"
is "and those that have ended stay so" "$(ephemeral web look .restartCount),$(ephemeral web look .state.terminated.exitCode)" "0,7"
podctl restart web
ok "a restart of the pod" await 20 restarts_are web app 1
ok "leaves it alone" runs web long
sed -i 's/infinity"/1000000"/' "$PODS/web.yaml"
ok "so does an edit of the members" await 20 restarts_are web app 2
is "it is the same process still" "$(pgrep -f '^sleep 7654321$')" "$long"
before=$(sandbox web)
podd_stop
rm "$ROOT"/run/podd/pods/*/debug.json
podd_start
ok "podd has lost what is known of it: it is ended" await 20 eval '! kill -0 $long 2>/dev/null'
is "and the pod is not" "$(ready web && sandbox web)" "$before"
podctl debug web -c last -- sleep 7654321
await 20 runs web last
a=$(anchor_pid web)
kill -KILL "$a"
ok "with the sandbox it ends" await 20 eval 'now=$(anchor_pid web); [ -n "$now" ] && [ "$now" != "$a" ] && ready_is web True'
is "for good" "$(ephemeral web last .name)$(pgrep -f '^sleep 7654321$')" ""
leaves_nothing
finish
