#!/bin/bash
# Which pods are for this node, and which come first: nodeSelector, node affinity, priority.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

labels() { # KEY=VALUE...: the node's, from now on
	{ echo 'nodeLabels:'; printf '  %s\n' "$@"; } | sed 's/=/: /' >"$ROOT/podd.yaml"
	[ -z "$PODD_PID" ] || kill -HUP "$PODD_PID"
}
message_is() { [ "$(field "$1" '.status | "\(.phase) \(.reason) \(.message)"')" = "$2" ]; }
chosen() { # NAME: a pod of one container; standard input is more of its spec
	{ cat; printf '  containers: [{name: app, image: "rootfs:/", command: [sleep, "1000"]}]\n  terminationGracePeriodSeconds: 0\n'; } | pod "$1"
}
affinity() { # TERM...
	printf '  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [%s]}}}\n' "$1"
}
lacks="Pending NodeAffinity node didn't match Pod's node affinity/selector:"

labels zone=lab slots=\"8\"
podd_start --config "$ROOT/podd.yaml" || { fail "podd starts"; finish; }
chosen disk <<<'  nodeSelector: {disk: ssd, zone: attic, kubernetes.io/os: linux}'
chosen here <<<'  nodeSelector: {kubernetes.io/hostname: testnode, zone: lab}'
affinity '{matchExpressions: [{key: slots, operator: Gt, values: ["4"]}, {key: zone, operator: In, values: [a, lab]}, {key: x, operator: DoesNotExist}], matchFields: [{key: metadata.name, operator: In, values: [testnode]}]}' |
	chosen affine
affinity '{matchExpressions: [{key: slots, operator: Gt, values: ["8"]}]}, {matchExpressions: [{key: disk, operator: Exists}]}' | chosen averse
ok "a pod whose labels the node has runs" ready here
ok "by affinity, too" ready affine
ok "one that is not for this node waits, and says for which labels" message_is disk "$lacks disk=ssd, zone=attic (it is lab)"
ok "or which requirements" message_is averse "$lacks slots Gt 8 (it is 8) or disk Exists"
like "get shows it" "$(podctl get pods disk)" 'disk +0/1 +NodeAffinity'
is "it is not scheduled" "$(field disk '.status.conditions[] | select(.type == "PodScheduled") | "\(.status) \(.reason)"')" "False Unschedulable"
was=$(sandbox here)
labels zone=attic disk=ssd
ok "when the labels change it begins" ready disk
ok "and the other" ready averse
is "what runs stays, also where it would not begin any more" "$(sandbox here)" "$was"
is "the node shows its labels" "$(curl -s --unix-socket "$PODD_SOCKET" http://podd/api/v1/nodes/testnode | jq -r .metadata.labels.disk)" ssd

leaves_nothing
podd_stop
finish
