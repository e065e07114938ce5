#!/bin/bash
# A pod's status in Kubernetes' words: conditions, container states and their reasons, generations, resources; and describe, which answers a crash
# loop without a second command.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

condition() { field "$1" ".status.conditions[] | select(.type == \"$2\") | \"\\(.status) \\(.reason) \\(.message)\""; } # POD TYPE
condition_is() { [ "$(condition "$1" "$2")" = "$3" ]; }
reason_is() { [ "$(of "$1" "$2" .state.waiting.reason)" = "$3" ]; }
generations() { field "$1" '"\(.metadata.generation) \(.status.observedGeneration) \([.status.conditions[].observedGeneration] | unique | join(" "))"'; }
generations_are() { [ "$(generations "$1")" = "$2" ]; }
loops() { of crash app .state.waiting.message | grep -q 'restarting failed container=app pod=crash_default('; }

podd_start || exit 1
# It is started again once at once, and then waits while it is looked at.
put crash.yaml <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: crash, annotations: {podd.dev/restart-backoff: "initial=1h, max=1h"}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: app, image: "rootfs:/", command: [sh, -c, 'echo first; echo "cannot open the door" >&2; exit 7']}]
EOF
pod done <<'EOF'
  restartPolicy: Never
  containers: [{name: app, image: "rootfs:/", command: ["true"]}]
EOF
pod failed <<'EOF'
  restartPolicy: Never
  containers: [{name: app, image: "rootfs:/", command: [sh, -c, 'exit 3']}]
EOF
pod held <<'EOF'
  terminationGracePeriodSeconds: 0
  initContainers:
  - {name: fine, image: "rootfs:/", command: ["true"]}
  - {name: slow, image: "rootfs:/", command: [sleep, "1000"]}
  containers: [{name: app, image: "rootfs:/", command: ["true"]}]
EOF
sized() { # MEMORY
	pod sized "${2:-v1}" <<-EOF
	  terminationGracePeriodSeconds: 0
	  containers:
	  - {name: app, image: "rootfs:/", command: [sleep, "1000"], resources: {limits: {memory: $1}, requests: {cpu: 100m, memory: 8Mi}}}
	  - {name: late, image: "rootfs:/", command: [sleep, "1000"], readinessProbe: {exec: {command: ["false"]}, periodSeconds: 1}}
	EOF
}
sized 32Mi

ok "a pod that has succeeded" await 20 condition_is done Ready "False PodCompleted null"
is "has no unready containers" "$(condition done Initialized)" "True PodCompleted null"
ok "one that has failed" await 20 condition_is failed ContainersReady "False PodFailed null"
is "by its exit code" "$(of failed app '.state.terminated | "\(.reason) \(.exitCode)"')" "Error 3"
ok "init containers that are not through" await 20 condition_is held Initialized "False ContainersNotInitialized containers with incomplete status: [slow]"
inits() { field held '[.status.initContainerStatuses[] | "\(.name) \(.ready) \(.state | keys[0])"] | join(", ")'; }
ok "have statuses of their own" await 20 eval '[ "$(inits)" = "fine true terminated, slow false running" ]'
is "and the pod is Pending" "$(phase held) $(of held app .state.waiting.reason)" "Pending PodInitializing"
ok "a container that is not ready is named" await 20 condition_is sized Ready "False ContainersNotReady containers with unready status: [late]"
is "the sandbox stands" "$(condition sized PodReadyToStartContainers) $(condition sized PodScheduled)" "True null null True null null"
is "addresses are lists, too" "$(field sized '.status | [.podIPs[0].ip == .podIP, .hostIPs[0].ip == .hostIP] | all')" true
is "resources are as they are in force" "$(of sized app '"\(.resources.limits.memory) \(.allocatedResources.cpu) \(.allocatedResources.memory)"')" "32Mi 100m 8Mi"

ok "a crash loop says so" await 20 loops
await 20 said crash app 'cannot open' # its end may be known before its last lines
described=$(podctl describe pod crash)
like "describe: what it does" "$described" 'State: +Waiting: CrashLoopBackOff'
like "until when" "$described" 'Message: +back-off .*; until 20[0-9-]+T[0-9:]+Z'
like "how it ended" "$described" 'Exit Code: +7'
like "its last words" "$(xargs <<<"$described")" 'Last Lines: first cannot open the door'
like "and what happened" "$described" 'BackOff +Back-off'
is "events are counted" "$(curl -s --unix-socket "$PODD_SOCKET" 'http://podd/api/v1/events?fieldSelector=involvedObject.name%3Dcrash,reason%3DStarted' |
	jq '.items[0] | .count > 1 and .firstTimestamp <= .lastTimestamp and .involvedObject.fieldPath == "spec.containers{app}"')" true

is "a generation is counted" "$(generations sized)" "1 1 1"
sized 32Mi v2
ok "a label is none" await 20 eval '[ "$(field sized .metadata.labels.version)" = v2 ]'
is "as in Kubernetes" "$(generations sized)" "1 1 1"
sized 64Mi v2
ok "an edit of the spec is" await 20 generations_are sized "2 2 2"
podd_kill
podd_start
is "a new podd counts on" "$(generations sized)" "2 2 2"
ok "and knows the crash loop" await 20 loops

leaves_nothing
podd_stop
finish
