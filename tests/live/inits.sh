#!/bin/bash
# Order inside a pod: init containers, sidecars, members; restart rules; the active deadline.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
mkdir "$ROOT/told"
told() { tr '\n' ' ' <"$ROOT/told/$1" 2>/dev/null; }
tells() { [ "$(told "$1")" = "$2" ]; }
init_of() { podctl get pod "$1" -o json 2>/dev/null | jq -r --arg c "$2" ".status.initContainerStatuses[] | select(.name == \$c) | $3 // empty"; }
status_is() { podctl get pods | grep -qE "^$1 +[0-9]+/[0-9]+ +$2 "; }
pod_ip() { field "$1" .status.podIP; }

# --- the whole order ------------------------------------------------------------------------------------------------------------------

# Each says when it begins and when it ends; an init container takes a moment, so that who does not wait is caught.
init() { printf '  - {name: %s, image: "rootfs:/", command: [sh, -c, "echo +%s >>/told/order; sleep 0.1; echo -%s >>/told/order"], volumeMounts: [{name: told, mountPath: /told}]}\n' "$1" "$1" "$1"; }
stays() { printf '  - {name: %s, image: "rootfs:/", %s command: [sh, -c, "trap \\"echo -%s >>/told/order; exit 0\\" TERM; echo +%s >>/told/order; while :; do sleep 0.02; done"], volumeMounts: [{name: told, mountPath: /told}]}\n' "$1" "${2:-}" "$1" "$1"; }
{
	echo '  terminationGracePeriodSeconds: 20'
	echo '  initContainers:'
	init first
	stays proxy 'restartPolicy: Always,'
	init second
	stays log 'restartPolicy: Always,'
	echo '  containers:'
	stays app
	stays db
	echo "  volumes: [{name: told, hostPath: {path: $ROOT/told}}]"
} | pod order
ok "a pod of two init containers, two sidecars and two members is ready" ready order
ok "each says that it began" await 20 eval '[ "$(told order | wc -w)" = 8 ]'
is "the init containers run one after the other" "$(told order | tr ' ' '\n' | grep -E 'first|second' | xargs)" "+first -first +second -second"
like "nobody goes before its turn" "$(told order)" '^\+first -first .*-second '
unlike "... neither the members nor the second sidecar" "$(told order)" '(log|app|db).*-second'
# A sidecar is not waited for to say so: it is enough that it runs.
is "a sidecar starts before what comes after it" "$(member_pid order proxy) $(member_pid order log) $(member_pid order app)" \
	"$({ member_pid order proxy; member_pid order log; member_pid order app; } | sort -n | xargs)"
is "an init container that is through is ready, with its exit code" "$(init_of order first '"\(.ready) \(.state.terminated.reason)"')" "true Completed"
is "a sidecar runs and was started" "$(init_of order log '"\(.ready) \(.started) \(.state | keys[0])"')" "true true running"
like "get counts sidecars and members" "$(podctl get pods)" 'order +4/4 +Running'
is "the pod is initialized" "$(field order '.status.conditions[] | select(.type == "Initialized") | .status')" True
app=$(member_pid order app)
kill -KILL "$(member_pid order proxy)"
ok "a sidecar that dies is started again" await 20 eval '[ "$(init_of order proxy .restartCount)" = 1 ]'
is "nobody else is" "$(member_pid order app) $(of order db '.restartCount | tostring') $(init_of order first '.restartCount | tostring')" "$app 0 0"
podd_kill
podd_start
ok "a new podd finds all of it as it was" ready order
is "and runs nothing again" "$(member_pid order app) $(told order | tr ' ' '\n' | grep -c '^+first')" "$app 1"
await 20 eval '[ "$(told order | tr " " "\n" | grep -c "^+proxy")" = 2 ]' # it is back, and heeds signals
: >"$ROOT/told/order"
rm "$PODS/order.yaml"
ok "the pod goes" await 20 gone order
like "members first, then the sidecars from the last to the first" "$(told order)" '^(-app -db|-db -app) -log -proxy $'

# --- waiting and failing ----------------------------------------------------------------------------------------------------------------

pod waits <<END
  initContainers:
  - {name: one, image: "rootfs:/", command: ["true"]}
  - {name: two, image: "rootfs:/", command: [sh, -c, "while [ ! -e /told/go ]; do sleep 0.02; done"], volumeMounts: [{name: told, mountPath: /told}]}
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, infinity]}
  volumes: [{name: told, hostPath: {path: "$ROOT/told"}}]
END
pod loops <<'END'
  initContainers: [{name: setup, image: "rootfs:/", command: ["false"]}]
  containers: [{name: app, image: "rootfs:/", command: [sleep, infinity]}]
END
pod fails <<'END'
  restartPolicy: Never
  initContainers:
  - {name: proxy, image: "rootfs:/", restartPolicy: Always, command: [sleep, infinity]}
  - {name: setup, image: "rootfs:/", command: [sh, -c, exit 3]}
  containers: [{name: app, image: "rootfs:/", command: [sleep, infinity]}]
  terminationGracePeriodSeconds: 0
END
ok "get says how many init containers are through" await 20 status_is waits Init:1/2
is "the pod is Pending meanwhile, and its member waits" "$(phase waits) $(of waits app .state.waiting.reason)" "Pending PodInitializing"
touch "$ROOT/told/go"
ok "the member starts when they are" ready waits
ok "an init container that fails again and again: Init:CrashLoopBackOff" await 20 status_is loops Init:CrashLoopBackOff
ok "with restartPolicy Never the pod fails" await 20 phase_is fails Failed
ok "get says Init:Error" await 20 status_is fails Init:Error
is "its member never ran" "$(of fails app .state.waiting.reason)" PodInitializing
ok "its sidecar was stopped" await 20 eval '[ "$(init_of fails proxy ".state | keys[0]")" = terminated ]'
rm "$PODS"/{waits,loops,fails}.yaml

# --- the end of a pod -------------------------------------------------------------------------------------------------------------------

pod job <<'END'
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  initContainers: [{name: proxy, image: "rootfs:/", restartPolicy: Always, command: [sleep, infinity]}]
  containers: [{name: app, image: "rootfs:/", command: ["true"]}]
END
pod late <<'END'
  activeDeadlineSeconds: 1
  terminationGracePeriodSeconds: 0
  containers: [{name: app, image: "rootfs:/", command: [sleep, infinity]}]
END
pod rules <<END
  terminationGracePeriodSeconds: 0
  initContainers:
  - {name: setup, image: "rootfs:/", command: [sh, -c, "echo setup >>/told/rules"], volumeMounts: [{name: told, mountPath: /told}]}
  containers:
  - name: app
    image: rootfs:/
    restartPolicy: Never
    restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, values: [42]}}]
    command: [sh, -c, "echo app >>/told/rules; [ \$(grep -c app /told/rules) = 2 ] || exit 42; sleep infinity"]
    volumeMounts: [{name: told, mountPath: /told}]
  - {name: beside, image: "rootfs:/", command: [sleep, infinity]}
  volumes: [{name: told, hostPath: {path: "$ROOT/told"}}]
END
ok "a pod has succeeded when its members have, whatever its sidecars do" await 20 phase_is job Succeeded
ok "a pod that is active too long has failed" await 20 phase_is late Failed
is "because of DeadlineExceeded" "$(field late .status.reason)" DeadlineExceeded
like "describe says so" "$(podctl describe pod late)" "longer than the specified deadline"
ok "RestartAllContainers starts all of the pod again" await 20 tells rules "setup app setup app "
ok "its neighbour too" await 20 restarts_are rules beside 1
ok "in the same sandbox" ready rules
podd_kill
podd_start
ok "a new podd knows that the pods are over" await 20 eval 'phase_is job Succeeded && phase_is late Failed'

leaves_nothing
podd_stop
finish
