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
ok "one that is not for this node waits, and says for which labels" await 20 message_is disk "$lacks disk=ssd, zone=attic (it is lab)"
ok "or which requirements" await 20 message_is averse "$lacks slots Gt 8 (it is 8) or disk Exists"
like "get shows it" "$(podctl get pods disk)" 'disk +0/1 +NodeAffinity'
is "it is not scheduled" "$(field disk '.status.conditions[] | select(.type == "PodScheduled") | "\(.status) \(.reason)"')" "False Unschedulable"
was=$(sandbox here)
labels zone=attic disk=ssd
ok "when the labels change it begins" ready disk
ok "and the other" ready averse
is "what runs stays, also where it would not begin any more" "$(sandbox here)" "$was"
is "the node shows its labels" "$(curl -s --unix-socket "$PODD_SOCKET" http://podd/api/v1/nodes/testnode | jq -r .metadata.labels.disk)" ssd

# --- priority -----------------------------------------------------------------------------------------------------------------------------

remove_all
ranked() { # NAME SPEC [AFTER]: a pod that says when it ends
	cat <<-END | put "$1.yaml"
		apiVersion: v1
		kind: Pod
		metadata: {name: $1, annotations: {podd.dev/after: "${3:-}"}}
		spec:
		  $2
		  terminationGracePeriodSeconds: 20
		  volumes: [{name: told, hostPath: {path: $ROOT/told}}]
		  containers:
		  - name: app
		    image: rootfs:/
		    volumeMounts: [{name: told, mountPath: /told}]
		    command: [sh, -c, 'trap "echo $1 >>/told/order; exit 0" TERM; echo listens; while :; do sleep 0.02; done']
	END
}
class() { # NAME VALUE [MEMBER]
	printf 'apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: %s}\nvalue: %s\n%s\n' "$1" "$2" "${3:-}" | put "class-$1.yaml"
}
told() { xargs <"$ROOT/told/order"; }

mkdir -p "$ROOT/told"
ranked gold 'priorityClassName: gold' base
ranked base 'priority: -1'
ranked plain ''
ranked low 'priority: 3'
ranked critical 'priorityClassName: system-node-critical'
ok "a class that does not exist is waited for" await 20 message_is gold 'Pending PriorityClassNotFound no PriorityClass with name gold was found'
class gold 1000
class usual 7 'globalDefault: true'
ok "until it does" ready gold
numbers() { podctl get pods -o json | jq -r '.items | map("\(.metadata.name)=\(.spec.priority)") | sort | join(" ")'; }
ok "the pods have the numbers of their classes" await 20 eval '[ "$(numbers)" = "base=-1 critical=2000001000 gold=1000 low=3 plain=7" ]'
like "describe says so" "$(podctl describe pod plain)" 'Priority: +7'
for p in gold base plain low critical; do await 30 said $p app listens || fail "$p is ready"; done
podd_kill
podd_start --config "$ROOT/podd.yaml"
is "a new podd knows the classes" "$(field gold .spec.priority)" 1000
ok "all stop" podctl stop --all
is "the lowest first, and none before those that come after it" "$(told)" "low plain gold base critical"
: >"$ROOT/told/order"
for p in base gold critical; do podctl start $p >/dev/null; done
for p in base gold critical; do ready $p && await 30 said $p app listens || fail "$p is ready again"; done
podd_stop
ok "a drain" timeout 120 "$builddir/bin/podd" --root "$ROOT" --cgroup-root "$PODD_HOST" --drain 2>>"$ROOT/podd.log"
is "does it likewise" "$(told)" "gold base critical"

podd_start --config "$ROOT/podd.yaml"
leaves_nothing
podd_stop
finish
