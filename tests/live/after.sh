#!/bin/bash
# Order between pods: podd.dev/after. Who waits says for whom; what runs is left alone; to stop is the reverse.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
mkdir "$ROOT/told"

# A pod that says when it begins and ends, and is ready with its file.
chained() { # NAME AFTER [POLICY COMMAND]
	local serve="trap \"sleep 0.2; echo -$1 >>/told/order; exit 0\" TERM; echo +$1 >>/told/order; while :; do sleep 0.02; done"
	cat <<-END | put "$1.yaml"
		apiVersion: v1
		kind: Pod
		metadata: {name: $1, annotations: {podd.dev/after: "$2"}}
		spec:
		  restartPolicy: ${3:-Always}
		  terminationGracePeriodSeconds: 20
		  volumes: [{name: told, hostPath: {path: $ROOT/told}}]
		  containers:
		  - name: app
		    image: rootfs:/
		    volumeMounts: [{name: told, mountPath: /told}]
		    command: [sh, -c, '${4:-$serve}']
	END
}
told() { xargs <"$ROOT/told/order"; }
began() { local p; for p; do grep -qxF "+$p" "$ROOT/told/order" || return 1; done; } # POD...: and heeds signals
message() { podctl get pod "$1" -o json | jq -r '.status | "\(.phase) \(.reason) \(.message)"'; }
message_is() { [ "$(message "$1")" = "$2" ]; }

chained web 'db, setup:completed'
ok "who is before others that do not exist waits" await 20 message_is web \
	'Pending WaitingFor waits for db to be ready (there is no such pod), setup to be completed (there is no such pod)'
like "get says so" "$(podctl get pods)" 'web +0/1 +WaitingFor'
like "and so does describe" "$(podctl describe pod web)" 'WaitingFor .*waits for db to be ready'
chained setup '' Never 'while [ ! -e /told/go ]; do sleep 0.02; done; echo setup >>/told/order'
chained db ''
ok "the first is ready" ready db
ok "the second is waited for" await 20 message_is web 'Pending WaitingFor waits for setup to be completed'
await 20 began db
podd_kill
podd_start
ok "also by a new podd" await 20 message_is web 'Pending WaitingFor waits for setup to be completed'
touch "$ROOT/told/go"
ok "when it has completed, the pod begins" ready web
await 20 began web
is "all in their order" "$(told)" "+db setup +web"

# --- what runs is left alone ------------------------------------------------------------------------------------------------------------

web=$(sandbox web) pid=$(member_pid web app)
rm "$PODS/db.yaml" "$PODS/setup.yaml"
ok "who came before goes" await 20 gone db
podd_kill
podd_start
ok "a new podd lets the pod run, though nobody is there whom it names" ready web
is "as it was" "$(sandbox web) $(member_pid web app)" "$web $pid"
is "an edit of the annotation costs nothing" "$(chained web other; await 20 eval '[ "$(field web ".metadata.annotations[\"podd.dev/after\"]")" = other ]'; sandbox web; member_pid web app)" "$web
$pid"

# --- cycles -----------------------------------------------------------------------------------------------------------------------------

chained a c:started
chained b a
chained c b
cycle='these pods wait for each other: a before b before c before a'
ok "of a cycle none begins, and each names them all" await 20 message_is a "Pending DependencyCycle $cycle"
like "the others likewise" "$(message b) $(message c)" 'DependencyCycle .*DependencyCycle'
like "it is among the events" "$(podctl get events)" "$cycle"
chained a ''
ok "when it is none any more they begin" ready c
await 20 began a b c

# --- stop in the reverse order ----------------------------------------------------------------------------------------------------------

: >"$ROOT/told/order"
ok "all stop" podctl stop --all
like "in the reverse order" "$(told)" '^(-web )?-c (-web )?-b (-web )?-a( -web)?$'
: >"$ROOT/told/order"
for p in a b c; do podctl start $p >/dev/null; done
ok "they start again, in their order" ready c
await 20 began a b c
podd_stop
: >"$ROOT/told/order"
ok "a drain" timeout 60 "$builddir/bin/podd" --root "$ROOT" --cgroup-root "$PODD_HOST" --drain 2>>"$ROOT/podd.log"
is "does it likewise, by a podd that has just adopted them" "$(told)" "-c -b -a"

podd_start
leaves_nothing
podd_stop
finish
