#!/bin/bash
# Watches of the API: what comes, changes and goes, from a list on, with selectors, as a Table, with bookmarks, over a restart of podd.
. "$(dirname "$0")/../lib/host.sh"
. "$(dirname "$0")/../lib/pods.sh"

V1=http://podd/api/v1
TABLE='Accept: application/json;as=Table;v=v1;g=meta.k8s.io'
api() { curl -sN --unix-socket "$PODD_SOCKET" "$@"; }
version() { api $V1/pods | jq -r .metadata.resourceVersion; }
watch() { api "$V1/$2" "${@:3}" >"$ROOT/$1" & } # OUTPUT PATH
# The types of what a watch has told of a pod: "ADDED MODIFIED DELETED", repetitions once.
types() { jq -rn --arg n "$2" 'inputs | select(.object.metadata.name == $n) | .type' "$ROOT/$1" 2>/dev/null | uniq | tr '\n' ' '; }
told() { [ "$(types "$1" "$2")" = "$3 " ]; }
lines() { grep -c . "$ROOT/$1"; }

podd_start || { fail "podd starts"; finish; }
sleeper() { pod "$@" <<<'  terminationGracePeriodSeconds: 0
  containers: [{name: app, image: "rootfs:/", command: [sleep, "1000"]}]'; }

watch all "pods?watch=1"
watch table "namespaces/default/pods?watch=true" -H "$TABLE"
watch other "namespaces/elsewhere/pods?watch=1"
watch named "pods?watch=1&fieldSelector=metadata.name%3Dtwo"
before=$(version)
sleeper one 1
sleeper two 1
ok "pods become ready" ready one
ok "both" ready two
listed=$(version)
ok "a pod that comes is told, then its changes" await 30 told all one "ADDED MODIFIED"
ok "versions only grow" await 20 sh -c "jq -rn '[inputs | .object.metadata.resourceVersion | tonumber] | if . == sort and length > 3 then \"ok\" else . end' '$ROOT/all' | grep -qx ok"
is "an object has the version of its own last change" "$(field one '.metadata.resourceVersion | tonumber <= '"$listed")" true

# --- selectors
watch label "pods?watch=1&labelSelector=version+in+(1,3)&resourceVersion=$listed"
watch phase "pods?watch=1&fieldSelector=status.phase%3DRunning"
ok "what is selected comes first" await 30 told phase two ADDED
sleeper one 2
ok "what is no longer selected is told as gone" await 30 told label one DELETED
sleeper one 3
ok "what is selected again as come" await 30 told label one "DELETED ADDED"
ok "for others it is a change" await 30 told all one "ADDED MODIFIED"

# --- the end, and catching up
rm "$PODS/one.yaml"
ok "it is gone" await 20 gone one
ok "the end is told, and nothing after it" await 30 told all one "ADDED MODIFIED DELETED"
is "with its last state" "$(jq -rn 'last(inputs | select(.type == "DELETED")) | .object | .metadata.name + " " + (.metadata.deletionTimestamp | type) + " " + .metadata.annotations["podd.dev/source"]' "$ROOT/all")" \
	"one string $PODS/one.yaml"
ok "also to the table" await 30 sh -c "jq -rn 'inputs | .type + \" \" + .object.rows[0].cells[0]' '$ROOT/table' | grep -qx 'DELETED one'"
is "a table's columns come once" "$(jq -n '[inputs | .object.columnDefinitions | length > 0] | [.[0], (.[1:] | any)] | tostring' "$ROOT/table")" '"[true,false]"'
is "rows carry metadata alone" "$(jq -rn 'input | .object.rows[0].object | .kind + " " + (has("spec") | tostring)' "$ROOT/table")" "PartialObjectMetadata false"
is "another namespace sees nothing" "$(lines other)" 0
is "a name is all that is told of" "$(jq -rn '[inputs | .object.metadata.name] | unique | tostring' "$ROOT/named")" '["two"]'
watch late "pods?watch=1&resourceVersion=$listed"
ok "who was told up to a version gets the rest" await 30 told late one DELETED
is "and no more" "$(lines late)" 1
watch early "pods?watch=1&resourceVersion=$before"
ok "an older one, too" await 30 told early two ADDED
is "nothing of what came and went meanwhile" "$(types early one)" ""
is "a version of the future is refused" "$(api "$V1/pods?watch=1&resourceVersion=99999999999999999" | jq -r '.type + " " + .object.reason + " " + (.object.code | tostring)')" "ERROR Expired 410"
is "and one from before podd's time" "$(api "$V1/pods?watch=1&resourceVersion=7" | jq -r '.object.message | test("^too old resource version: 7 ")')" true
is "what is no number" "$(api "$V1/pods?watch=1&resourceVersion=x" | jq -r .code)" 400

# --- bookmarks and ends
is "a watch ends when its time is over, with a bookmark" \
	"$(api "$V1/pods?watch=1&timeoutSeconds=1&allowWatchBookmarks=1&resourceVersion=$(version)" | jq -r '.type + " " + .object.kind + " " + (.object.metadata.resourceVersion | tonumber >= '"$listed"' | tostring)')" \
	"BOOKMARK Pod true"
is "initial events have an end" \
	"$(api "$V1/pods?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true" |
		jq -r '.type + " " + (.object.metadata.annotations["k8s.io/initial-events-end"] // "")' | head -n 2 | tr '\n' '|')" "ADDED |BOOKMARK true|"

# --- events, and podd's restart
is "events have versions, too" "$(api "$V1/events?watch=1&timeoutSeconds=1" | jq -rn '[inputs | .object.metadata.resourceVersion | tonumber] | . == sort and length > 3')" true
last=$(version)
podd_kill
podd_start || { fail "podd is started anew"; finish; }
is "its versions are higher" "$([ "$(version)" -gt "$last" ] && echo yes)" yes
is "a watch from before must list anew" "$(api "$V1/pods?watch=1&resourceVersion=$last" | jq -r .object.code)" 410
is "what was adopted is there" "$(api "$V1/pods?watch=1&timeoutSeconds=1" | jq -r '.type + " " + .object.metadata.name' | sort | tr '\n' '|')" "ADDED two|"
leaves_nothing
finish
