#!/bin/bash
# 100 watchers on many pods, and one that never reads: each of the 100 sees every pod's final state, and podd does not grow beyond what
# podd-api(7) says: 256 KiB of texts, and 32 KiB and one object for each watcher. tests/long/watchers.sh has 300 pods.
. "$(dirname "$0")/../lib/host.sh"
. "$(dirname "$0")/../lib/pods.sh"

PODS_COUNT=${PODS_COUNT:-60} WATCHERS=100 LIMIT_KIB=$((256 + 101 * 40))
LIST=http://podd/api/v1/pods
TABLE='Accept: application/json;as=Table;v=v1;g=meta.k8s.io'
api() { curl -sN --unix-socket "$PODD_SOCKET" "$@"; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$PODD_PID/status"; }
connected() { awk '$8 ~ /podd\.sock$/ && $6 == "03"' /proc/net/unix | wc -l; } # what podd has accepted
pods() { # LABEL: all of them; the fewest processes a pod can have
	local i
	for ((i = 0; i < PODS_COUNT; i++)); do
		printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p%s, labels: {version: %s}}\nspec: {hostNetwork: true, terminationGracePeriodSeconds: 0, restartPolicy: Never, containers: [{name: a, image: "rootfs:/", command: ["true"]}]}\n' \
			$i "$1" >"$PODS/.put" && mv "$PODS/.put" "$PODS/p$i.yaml"
	done
}
listed() { [ "$(api "$LIST?$1" | jq '.items | length')" = $PODS_COUNT ]; }
# How many pods the watcher has seen with the last label.
seen() { grep -ao '"cells":\["p[0-9]*".*"version":"last"' "$ROOT/w$1" | cut -d'"' -f4 | sort -u | wc -l; }
all_seen() { [ "$(seen "$1")" = $PODS_COUNT ]; }

podd_start || { fail "podd starts"; finish; }
pods first
ok "$PODS_COUNT pods have run" await 120 listed fieldSelector=status.phase%3DSucceeded
pods second # what lists and edits need is podd's own, whoever watches
ok "all pods are edited: second" await 120 listed labelSelector=version%3Dsecond
before=$(rss)
for ((i = 0; i < WATCHERS; i++)); do
	api "$LIST?watch=1" -H "$TABLE" >"$ROOT/w$i" &
done
{ printf 'GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: podd\r\n\r\n'; sleep 1000; } | socat -u STDIN "UNIX-CONNECT:$PODD_SOCKET" &
begun() { [ "$(connected)" -gt $WATCHERS ]; }
ok "$WATCHERS watchers are there, and one that never reads" await 60 begun
for label in third last; do
	pods $label
	ok "all pods are edited: $label" await 120 listed labelSelector=version%3D$label
done
starved=0
for ((i = 0; i < WATCHERS; i++)); do
	await 60 all_seen $i || starved=$((starved + 1))
done
is "each watcher has seen every pod's final state" $starved 0
grown=$(($(rss) - before))
note "podd grew by $grown KiB, the limit is $LIMIT_KIB KiB"
ok "podd grew within the limit" [ $grown -le $LIMIT_KIB ]
is "the one that never reads is still there: it costs nothing more" "$(begun && echo yes)" yes
podd_stop
finish
