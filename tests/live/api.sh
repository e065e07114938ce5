#!/bin/bash
# The API and podctl against a running podd: objects, tables, logs, exec, stop and start, events, refusals, who may connect.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

api() { curl -s --max-time 20 --unix-socket "$PODD_SOCKET" "$@"; } # CURL-ARGUMENTS... with http://podd/PATH
code() { api -o /dev/null -w '%{http_code}' "$@"; }
V1=http://podd/api/v1/namespaces/default/pods

podd_start || { fail "podd starts"; finish; }
put talker.yaml <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: talker, labels: {app: talker, tier: test}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c, 'i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo line $i; done; exec sleep 1000']
  - name: other
    image: rootfs:/
    command: [sh, -c, 'echo from other; exec sleep 1000']
YAML
ok "the pod becomes ready" ready talker

# --- objects
is "kind and phase" "$(api $V1/talker | jq -r '.kind + " " + .status.phase')" "Pod Running"
is "the object names its file" "$(field talker '.metadata.annotations["podd.dev/source"]')" "$PODS/talker.yaml"
is "conditions" "$(field talker '[.status.conditions[] | select(.status == "True") | .type] | sort | join(" ")')" \
	"ContainersReady Initialized PodReadyToStartContainers PodScheduled Ready"
is "container states" "$(field talker '[.status.containerStatuses[] | .state.running.startedAt | test("Z$")] | tostring')" "[true,true]"
like "the container ID" "$(field talker '.status.containerStatuses[0].containerID')" "^podd://$(pod_uid talker)/app/0$"
is "a list" "$(api $V1 | jq -r '.kind + " " + (.items | length | tostring) + " " + .items[0].metadata.name')" "PodList 1 talker"
is "label selector" "$(api "$V1?labelSelector=app%3Dtalker,tier+in+(test)" | jq '.items | length')" 1
is "label selector that excludes" "$(api "$V1?labelSelector=app!%3Dtalker" | jq '.items | length')" 0
is "field selector" "$(api "$V1?fieldSelector=metadata.name%3Dtalker,status.phase%3DRunning" | jq '.items | length')" 1
is "another namespace" "$(api http://podd/api/v1/namespaces/none/pods | jq -c .items)" "[]"
is "a table" "$(api -H 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io' $V1 | jq -r '.kind + " " + .rows[0].cells[1]')" "Table 2/2"
ok "the YAML is a manifest's shape" sh -c "'$builddir/bin/podctl' --root '$ROOT' get pod talker -o yaml | grep -qx '  name: talker'"

# --- errors
is "a missing pod" "$(api $V1/nope | jq -r '.reason + " " + .message')" 'NotFound pods "nope" not found'
is "a missing path" "$(code http://podd/nope)" 404
is "a bad selector" "$(code "$V1?labelSelector=%3D")" 400
is "an unknown field" "$(api "$V1?fieldSelector=spec.x%3D1" | jq -r .message)" "field label not supported: spec.x"
is "a write names the file" "$(api -X DELETE $V1/talker | jq -r '(.code | tostring) + " " + .message')" \
	"405 pod \"talker\" is defined by $PODS/talker.yaml; edit that file"
is "a container has to be chosen" "$(api $V1/talker/log | jq -r .message)" \
	"a container name must be specified for pod talker, choose one of: [app other]"

# --- logs
logs_complete() { [ "$(podctl logs talker -c app | grep -c '^line ')" = 200 ]; }
ok "all lines" await 20 logs_complete
await 20 said talker other '^from other$'
is "a tail" "$(podctl logs talker -c app --tail 3 | tr '\n' '|')" "line 198|line 199|line 200|"
like "timestamps" "$(podctl logs talker -c app --timestamps --tail 1 | head -n 1)" '^20[0-9-]+T[0-9:.]{18}Z line 200$'
is "since" "$(podctl logs talker -c app --since 1h | grep -c '^line')" 200
is "all containers, prefixed" "$(podctl logs talker --all-containers --prefix | grep -c '^\[pod/talker/\(app\|other\)\] ')" 201
ok "no previous start" sh -c "! '$builddir/bin/podctl' --root '$ROOT' logs talker -c app --previous"
podctl logs -f talker -c other >"$ROOT/followed" &
follower=$!
ok "a follower is there" await 20 grep -q 'from other' "$ROOT/followed"
podctl restart talker -c other >/dev/null
wait $follower
is "a followed log ends with its container" $? 0
await 20 restarts_are talker other 1
ok "ready again" ready talker
is "the previous start" "$(podctl logs talker -c other --previous)" "from other"

# --- exec
is "output and exit code" "$(podctl exec talker -c app -- sh -c 'echo out; exit 7'; echo $?)" "out
7"
is "standard error is apart" "$(podctl exec talker -c app -- sh -c 'echo err >&2' 2>&1 >/dev/null)" "err"
is "a signal" "$(podctl exec talker -c app -- sh -c 'kill -TERM $$'; echo $?)" 143
is "not found is 127" "$(podctl exec talker -c app -- /nope 2>/dev/null; echo $?)" 127
is "not a program is 126" "$(podctl exec talker -c app -- /etc/passwd 2>/dev/null; echo $?)" 126
is "own failures are 125" "$(podctl exec nope -- true 2>/dev/null; echo $?)" 125
head -c 3000000 /dev/urandom >"$ROOT/blob"
ok "three megabytes through cat" sh -c "'$builddir/bin/podctl' --root '$ROOT' exec -i talker -c app -- cat <'$ROOT/blob' | cmp - '$ROOT/blob'"
is "a command that does not read" "$(podctl exec -i talker -c app -- true </dev/zero; echo $?)" 0
is "a slow reader gets everything" "$(podctl exec talker -c app -- head -c 20000000 /dev/zero | { sleep 0.5; wc -c; })" 20000000
"$builddir/bin/podctl" --root "$ROOT" exec -i talker -c app -- sleep 4321 </dev/zero &
client=$!
ok "the command runs" await 20 pgrep -f '^sleep 4321'
kill -KILL $client
wait $client 2>/dev/null
ok "it ends with its client, although input waits that it never reads" await 20 eval '! pgrep -f "^sleep 4321"'

# --- what it uses
PODD=http://podd/apis/podd.dev/v1
METRICS=http://podd/apis/metrics.k8s.io/v1beta1
is "stats of each container" "$(api $PODD/stats | jq -c '.items[] | select(.name == "talker") | [.containers[] | [.name, .running, .restarts, .cpuNanoseconds > 0, .pids > 0]]')" \
	'[["app",true,0,true,true],["other",true,1,true,true]]'
traffic() { api $PODD/namespaces/default/stats | jq '.items[0].network.rxBytes'; }
before=$(traffic)
for _ in 1 2 3; do head -c 1000 /dev/zero >"/dev/udp/$(field talker .status.podIP)/9"; done
ok "what was sent to the pod was received by it" await 20 eval '[ $(($(traffic) - before)) -ge 3000 ]'
is "metrics" "$(api $METRICS/namespaces/default/pods/talker | jq -c '[.kind, (.containers[] | .name, (.usage.cpu | test("^[0-9]+n$")), (.usage.memory | test("^[0-9]+Ki$")))]')" \
	'["PodMetrics","app",true,true,"other",true,true]'
is "metrics of all" "$(api $METRICS/pods | jq -c '[.kind, (.items | length)]')" '["PodMetricsList",1]'
is "of those selected" "$(api "$PODD/stats?labelSelector=app%3Dnone" | jq -c .items)" '[]'

# --- stop, start
is "stop waits" "$(podctl stop talker)" "pod/talker stopped"
is "nothing runs" "$(field talker '[.status.containerStatuses[] | select(.state.running)] | length')" 0
is "the reason" "$(field talker .status.reason)" "Stopped"
ok "start" podctl start talker
ok "and ready" ready talker

# --- events, status
like "events" "$(podctl events)" 'Normal +Started +pod/talker: Started container app'
ok "the watch gives what is there" eval 'grep -q "\"reason\": *\"Started\"" < <(api -N "http://podd/api/v1/events?watch=1" 2>/dev/null)'
put bad.yaml <<<'apiVersion: v1
kind: Pod
metadata: {name: bad}
spec: {containres: []}'
refused() { [ "$(api http://podd/apis/podd.dev/v1/status | jq .refused)" = 1 ]; }
ok "a refused file is counted" await 20 refused
like "and named, with its place" "$(podctl status)" "bad.yaml:4:8: error: .*containres"
like "get says so on stderr" "$(podctl get pods 2>&1 >/dev/null)" '^1 manifest refused: podctl status$'
rm "$PODS/bad.yaml"

# --- who may
is "the socket is root's alone" "$(stat -c '%a %u' "$PODD_SOCKET")" "600 0"
chmod 666 "$PODD_SOCKET"
chmod 711 "$ROOT" "$ROOT/run" "$ROOT/run/podd"
ok "another user is turned away even where the mode lets him in" \
	sh -c "! setpriv --reuid 65534 --clear-groups curl -s --max-time 20 --unix-socket '$PODD_SOCKET' http://podd/healthz"
chmod 600 "$PODD_SOCKET"
is "root is not" "$(api http://podd/healthz)" ok
is "nothing listens on TCP or an abstract socket" "$(ss -Hltn; ss -Hlx | awk '$5 ~ /^@/' | grep -i podd)" ""

# --- files
ok "delete waits until it is gone" podctl delete pod talker
is "it is" "$(podctl get pod talker 2>&1)" 'Error from server (NotFound): pods "talker" not found'
is "delete of what is not there" "$(podctl delete pod talker >/dev/null 2>&1; echo $?)" 1
await 20 census_clean
podd_stop
is "podd can't be reached" "$(podctl get pods >/dev/null 2>&1; echo $?)" 4
is "nothing is left" "$(shell_census)" ""
finish
