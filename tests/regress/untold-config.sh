#!/bin/bash
# on-config-change: restart was lost when podd died between keeping the edited object and telling the pods.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || exit 1
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: "1"}\n' | put conf.yaml
cat <<'END' | put web.yaml
apiVersion: v1
kind: Pod
metadata: {name: web, annotations: {podd.dev/on-config-change: restart}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: app, image: "rootfs:/", command: [sleep, "1000"], envFrom: [{configMapRef: {name: conf}}]}]
END
ready web
pid=$(member_pid web app)
kept=$ROOT/var/lib/podd/accepted
no_mark() { ! ls -A "$kept" | grep -q untold; }
ok "what was told leaves no mark" await 20 no_mark
podd_kill
podd_start
ready web
is "and is not told again" "$(member_pid web app)" "$pid"
podd_kill
touch "$kept/.untold-default_conf.configmap" # as a podd leaves it that dies in between
podd_start
ok "the next podd tells what was not told" await 20 replaced web app "$pid"
ok "once" await 20 no_mark
leaves_nothing
podd_stop
finish
