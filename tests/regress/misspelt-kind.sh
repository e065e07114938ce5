#!/bin/bash
# A typo in what says what a document is, or how it is called, once removed what the document had defined.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

document() { # KIND NAME REST
	printf 'apiVersion: v1\nkind: %s\nmetadata: {name: %s}\n%s\n' "$1" "$2" "$3"
}
SPEC='spec: {terminationGracePeriodSeconds: 0, containers: [{name: app, image: "rootfs:/", command: [sleep, "1000"]}]}'
good() { document Pod web "$SPEC"; echo ---; document ConfigMap conf 'data: {a: b}'; }
list() { printf 'apiVersion: v1\nkind: %s\n%s:\n- {apiVersion: v1, kind: Pod, metadata: {name: web}, %s}\n' "$1" "$2" "$SPEC"; }
says() { podctl status | grep -qE -- "$1"; }
kept() { says 'refused, last good version kept'; }
stays() { # WHAT PID CONFIGMAPS
	ok "$1: refused, and the last good version kept" await 20 kept
	sleep 0.2 # time for what must not happen
	is "$1: the pod is not touched" "$(member_pid web app)" "$2"
	is "$1: nor the ConfigMap" "$(find "$ROOT/var/lib/podd/accepted" -name '*.configmap' | wc -l)" "$3"
}

podd_start || exit 1
good | put web.yaml
ready web
pid=$(member_pid web app)
for kind in Pdo pod 5 Pods '' PodList; do
	good | sed "s/^kind: Pod/kind: $kind/" | put web.yaml
	stays "kind: $kind" "$pid" 1
	good | put web.yaml
	await 20 says 'web.yaml: ok'
done
good | sed 's/^kind: ConfigMap/kind: configmap/' | put web.yaml
stays "kind: configmap" "$pid" 1
good | sed 's/{name: web}/{name: We b}/' | put web.yaml
stays "no name" "$pid" 1
good | sed 's/{name: conf}/{name: conf, namespace: -}/' | put web.yaml
stays "no namespace" "$pid" 1
list List items | put web.yaml
await 20 says 'web.yaml: ok'
is "the same pod in a list" "$(member_pid web app)" "$pid"
list List itms | put web.yaml
stays "a list without items" "$pid" 0
list Lst items | put web.yaml
stays "a misspelt list" "$pid" 0
{ document Pod other "$SPEC"; echo ---; document Service web 'spec: {}'; } | put web.yaml
ok "a kind that is known, and not run, keeps nothing" await 20 gone web

# The last good version that stays is the document's own, not a neighbour's.
two() { document Pod web "$1"; echo ---; document Pod "$2" 'spec: {}'; } # SPEC NAME-OF-THE-BROKEN-ONE
two "$SPEC" third | put web.yaml
ok "a document that was never good: nothing of it is kept" await 20 says 'web.yaml: refused$'
two 'spec: {}' third | put web.yaml
ok "of two that break one was good" await 20 says 'web.yaml: refused, last good version kept where there is one$'
document Pod web 'spec: {}' | put web.yaml
ok "alone, it is kept" await 20 says 'web.yaml: refused, last good version kept$'
two "$SPEC" 'W b' | put web.yaml
ok "a document without a name that replaces nothing keeps nothing" await 20 says 'web.yaml: refused$'

leaves_nothing
finish
