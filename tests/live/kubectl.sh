#!/bin/bash
# Debian's own kubectl (1.20), unmodified, through a plain TCP relay on the loopback of the throw-away host: kubectl speaks to no unix socket.
# The package is only unpacked, into the build directory: another owner of /usr/bin/kubectl may be installed.
kubectl_get() { # DIRECTORY
	local tmp
	[ ! -x "$1/usr/bin/kubectl" ] || return 0
	tmp=$(mktemp -d) && mkdir -p "$1" || return 1
	(cd "$tmp" && chmod 777 . && apt-get -q download kubernetes-client >/dev/null 2>&1) && dpkg-deb -x "$tmp"/*.deb "$tmp/x" &&
		mkdir -p "$1/usr/bin" && mv "$tmp/x/usr/bin/kubectl" "$1/usr/bin/kubectl"
	rm -rf "$tmp"
	[ -x "$1/usr/bin/kubectl" ]
}
builddir=${builddir:-$(dirname "$0")/../../build}
if [ -z "${PODD_HOST:-}" ] && ! kubectl_get "$builddir/tests/kubectl"; then
	echo "ok 1 - kubectl # SKIP the package kubernetes-client can't be fetched"
	exit 77
fi
. "$(dirname "$0")/../lib/host.sh"
. "$(dirname "$0")/../lib/pods.sh"

kubectl() { "$builddir/tests/kubectl/usr/bin/kubectl" --server http://127.0.0.1:6443 --cache-dir "$ROOT/cache" "$@" 2>&1; }
names() { kubectl get pods --no-headers "$@" | awk '{ print $1 }' | tr '\n' ' '; }
# Spaces squeezed, ages and identities out of the way.
shape() { sed -E 's/[0-9a-f]{8}-[0-9a-f-]{27}/UID/; s/\b([0-9]+[smhd])+\b/AGE/g; s/10\.88\.[0-9.]+/IP/; s/ +/ /g; s/ $//'; }
export HOME=$ROOT KUBECONFIG=/dev/null
cd "$ROOT" || exit 1

podd_start || { fail "podd starts"; finish; }
socat TCP-LISTEN:6443,bind=127.0.0.1,fork,reuseaddr "UNIX-CONNECT:$PODD_SOCKET" &
ok "the relay relays" await 20 curl -s http://127.0.0.1:6443/healthz

kubectl get pods -w >"$ROOT/watched" &
watcher=$!
kubectl get pods -w --output-watch-events >"$ROOT/events" &
sleep 0.5 # nothing tells that a kubectl without pods has come to watch; what comes later is the same
pod web 1 <<'YAML'
  terminationGracePeriodSeconds: 0
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c, 'echo hello; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo bye; exit 3']
YAML
pod other 2 <<'YAML'
  terminationGracePeriodSeconds: 0
  containers: [{name: a, image: "rootfs:/", command: [sleep, "1000"]}, {name: b, image: "rootfs:/", command: [sleep, "1000"]}]
YAML
ok "two pods" ready web
ok "are ready" ready other

# --- get
is "get pods" "$(kubectl get pods | shape)" "NAME READY STATUS RESTARTS AGE
other 2/2 Running 0 AGE
web 1/1 Running 0 AGE"
is "get pods -o wide" "$(kubectl get pods -o wide | shape)" "NAME READY STATUS RESTARTS AGE IP NODE UID QOS
other 2/2 Running 0 AGE IP testnode UID BestEffort
web 1/1 Running 0 AGE IP testnode UID BestEffort"
is "get pod NAME" "$(kubectl get pod web --no-headers | shape)" "web 1/1 Running 0 AGE"
is "-o name" "$(kubectl get pods -o name)" "pod/other
pod/web"
is "-o yaml" "$(kubectl get pod web -o yaml | grep -E '^(apiVersion|kind|  name|  nodeName|  phase|  qosClass)' | tr -s ' ' | tr '\n' '|')" \
	"apiVersion: v1|kind: Pod| name: web| namespace: default| nodeName: testnode| phase: Running| qosClass: BestEffort|"
is "-o jsonpath" "$(kubectl get pod web -o 'jsonpath={.status.containerStatuses[0].state.running}' | cut -c1-15)" '{"startedAt":"2'
is "-l" "$(names -l version=2)" "other "
is "-l with a set" "$(names -l 'version in (1, 2),version notin (2)')" "web "
is "--show-labels" "$(kubectl get pods -l version=1 --show-labels --no-headers | awk '{ print $NF }')" "version=1"
is "--field-selector" "$(names --field-selector status.phase=Running,metadata.name!=web)" "other "
like "an unknown field" "$(kubectl get pods --field-selector spec.x=1)" '^Error from server \(BadRequest\): .*field label not supported: spec.x$'
is "-A" "$(kubectl get pods -A --no-headers | awk '{ print $1, $2 }' | tr '\n' ' ')" "default other default web "
is "no pods elsewhere" "$(kubectl get pods -n elsewhere)" "No resources found in elsewhere namespace."
is "a pod that is not there" "$(kubectl get pod nope)" 'Error from server (NotFound): pods "nope" not found'
is "--sort-by" "$(names --sort-by=.metadata.labels.version)" "web other "
is "get all" "$(kubectl get all -o name | tr '\n' ' ')" "pod/other pod/web "
is "get ns" "$(kubectl get ns | shape)" "NAME STATUS AGE
default Active AGE"
is "get nodes" "$(kubectl get nodes | shape)" "NAME STATUS ROLES AGE VERSION
testnode Ready <none> AGE $(curl -s http://127.0.0.1:6443/version | jq -r .gitVersion)"
like "version" "$(kubectl version --short | tail -n 1)" '^Server Version: v1\.[0-9]+\.0-podd'
is "top pod" "$(kubectl top pod web --no-headers | awk '{ print $1, $2 ~ /^[0-9]+m$/, $3 ~ /^[0-9]+Mi$/ }')" "web 1 1"
is "wait" "$(kubectl wait --for=condition=Ready pod/web --timeout=60s)" "pod/web condition met"

# --- debug
like "kubectl debug adds a container" "$(kubectl debug web --image tools:1 --target app --container look -- ls)" '^$'
is "which has what kubectl asked for" "$(podctl get pod web -o 'jsonpath={.spec.ephemeralContainers[0].name} {.spec.ephemeralContainers[0].image} {.spec.ephemeralContainers[0].targetContainerName} {.spec.ephemeralContainers[0].command[0]}')" "look tools:1 app ls"
is "and a second one" "$(kubectl debug web --image tools:1 --container more -- ls; podctl get pod web -o 'jsonpath={.status.ephemeralContainerStatuses[*].name}')" "look more"
like "describe knows them" "$(kubectl describe pod web)" '^Ephemeral Containers:'

# --- describe, events
described=$(kubectl describe pod web)
like "describe tells the node" "$described" '^Node: +testnode/'
like "the state" "$described" '^    State: +Running'
like "the conditions" "$described" '^  Ready +True'
like "and the events" "$described" '^  Normal +Started +[0-9msh]+ +podd +Started container app'
like "describe node" "$(kubectl describe node testnode)" '^  default +web '
like "get events" "$(kubectl get events | shape)" '^AGE Normal Started pod/web Started container app$'
is "events of one pod" "$(kubectl get events --field-selector involvedObject.name=other,reason=Started --no-headers | awk '{ print $4 }' | uniq)" "pod/other"

# --- jobs
put jobs.yaml <<'YAML'
apiVersion: batch/v1
kind: Job
metadata: {name: pi}
spec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: app, image: "rootfs:/"}]}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {schedule: "0 3 * * *", timeZone: UTC, suspend: true, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: "rootfs:/"}]}}}}}
YAML
ok "a job and a cron job" await 20 eval '[ -n "$(podctl get job pi -o name)" ] && [ -n "$(podctl get cj nightly -o name)" ]'
is "get jobs" "$(kubectl get jobs | shape)" "NAME STATUS COMPLETIONS DURATION AGE
pi Suspended 0/1 AGE"
is "get cj" "$(kubectl get cj | shape)" "NAME SCHEDULE TIMEZONE SUSPEND ACTIVE LAST SCHEDULE AGE
nightly 0 3 * * * UTC True 0 <none> AGE"
like "describe job" "$(kubectl describe job pi | xargs)" 'Name: pi.*Parallelism: 1.*Completions: 1.*Normal Suspended .*Job suspended'
rm "$PODS/jobs.yaml"

# --- logs, and a pod that crashes and goes
is "logs" "$(kubectl logs web)" "hello"
is "logs of one of several" "$(kubectl logs other)" "error: a container name must be specified for pod other, choose one of: [a b]"
kubectl logs -f web >"$ROOT/log" &
follower=$!
ok "logs -f" await 20 grep -q hello "$ROOT/log"
podctl exec web -- touch /tmp/go
wait $follower
is "ends with the container" "$(tr '\n' ' ' <"$ROOT/log")" "hello bye "
restarted() { [ "$(of web app '.restartCount > 0')" = true ]; }
ok "the container is started again" await 20 restarted
is "logs of the one before" "$(kubectl logs --previous web)" "hello
bye"
crashed() { kubectl get pods --no-headers | shape | grep -qE '^web [01]/1 (Running|CrashLoopBackOff|Error) [1-9][0-9]* \(AGE ago\) AGE$'; }
ok "its restarts are counted" await 20 crashed
is "writes name the file" "$(kubectl delete pod web --wait=false)" \
	"Error from server (MethodNotAllowed): pod \"web\" is defined by $PODS/web.yaml; edit that file"
rm "$PODS/web.yaml"
ok "it goes" await 20 gone web
deleted() { grep -qE '^DELETED +web ' "$ROOT/events"; }
ok "the watch sees it go" await 20 deleted
is "and come, and change" "$(awk '$2 == "web" { print $1 }' "$ROOT/events" | uniq | tr '\n' ' ')" "ADDED MODIFIED DELETED "
is "a watch has one head" "$(grep -c ^NAME "$ROOT/watched")" 1
like "and shows it ready" "$(shape <"$ROOT/watched")" '^web 1/1 Running 0 AGE$'
ok "it is still there" kill -0 $watcher
leaves_nothing
finish
