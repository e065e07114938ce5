#!/bin/bash
# ConfigMaps: variables and files come from them, edits reach the files at once, and what is missing is waited for.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

config() { # NAME [KEY VALUE]...
	local name=$1
	shift
	{
		printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata:\n' "$name"
		while [ $# -gt 1 ]; do printf '  %s: "%s"\n' "$1" "$2"; shift 2; done
	} | put "config-$name.yaml"
}
in_pod() { podctl exec "$1" -c app -- sh -c "$2" 2>/dev/null; } # POD COMMAND
in_pod_is() { [ "$(in_pod "$1" "$2")" = "$3" ]; }
waits_for() { of "$1" app .state.waiting.message | grep -qF -- "$2"; } # POD TEXT
refused() { ! "$@"; }
running() { [ -n "$(of "$1" app .state.running)" ]; }

podd_start || exit 1

# --- environment --------------------------------------------------------------------------------------------------------------

pod env <<'EOF'
  terminationGracePeriodSeconds: 0
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c, 'exec sleep 1000']
    envFrom: [{prefix: P_, configMapRef: {name: all}}, {configMapRef: {name: none, optional: true}}]
    env:
    - {name: MODE, valueFrom: {configMapKeyRef: {name: app, key: mode}}}
    - {name: MAYBE, valueFrom: {configMapKeyRef: {name: app, key: nothing, optional: true}}}
    - {name: BOTH, value: '$(MODE)-$(P_one)-$(MAYBE)'}
    - {name: P_two, value: own}
    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    - {name: IP, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: status.podIP}}}
    - {name: LABEL, valueFrom: {fieldRef: {fieldPath: "metadata.labels['version']"}}}
    - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {containerName: app, resource: requests.cpu, divisor: 1m}}}
    resources: {limits: {memory: 64Mi}, requests: {cpu: 250m}}
EOF
ok "a container waits for its ConfigMap" await 20 waits_for env 'configmap "all" not found in namespace default'
is "for that reason" "$(of env app .state.waiting.reason)" CreateContainerConfigError
config all one 1 two 2
ok "and for the next one, naming the key" await 20 waits_for env 'configmap "app" not found in namespace default: the variable MODE is its key mode'
config app other x
ok "and for the key" await 20 waits_for env "couldn't find key mode in ConfigMap default/app"
config app mode fast
ok "it starts by itself when the key is there" await 20 running env
expected="mode=fast one=1 both=fast-1-\$(MAYBE) two=own node=testnode label= memory=64 cpu=250"
is "its variables are the object's" "$(in_pod env 'echo "mode=$MODE one=$P_one both=$BOTH two=$P_two node=$NODE label=$LABEL memory=$MEMORY cpu=$CPU"')" "$expected"
is "an optional key that is missing is no variable" "$(in_pod env 'echo "${MAYBE-unset}"')" unset
is "its address is a variable" "$(in_pod env 'echo "$IP"')" "$(field env .status.podIP)"

# --- files ----------------------------------------------------------------------------------------------------------------------

config files a.conf one nested two
pod files v1 <<'EOF'
  containers:
  - name: app
    image: rootfs:/
    command: [sh, -c, 'trap exit TERM; trap "echo hup >>/tmp/hup" HUP; while :; do sleep 0.05; done']
    volumeMounts:
    - {name: all, mountPath: /mnt/all}
    - {name: some, mountPath: /mnt/some}
    - {name: facts, mountPath: /mnt/facts}
    - {name: mixed, mountPath: /mnt/mixed}
    - {name: none, mountPath: /mnt/none}
  volumes:
  - {name: all, configMap: {name: files}}
  - {name: some, configMap: {name: files, defaultMode: 0600, items: [{key: nested, path: sub/deep, mode: 0440}, {key: a.conf, path: ./b}]}}
  - {name: none, configMap: {name: nowhere, optional: true}}
  - name: facts
    downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}, {path: name, fieldRef: {fieldPath: metadata.name}}]}
  - name: mixed
    projected:
      sources:
      - configMap: {name: files, items: [{key: a.conf, path: from/config}]}
      - downwardAPI: {items: [{path: from/ns, fieldRef: {fieldPath: metadata.namespace}}]}
EOF
sed -i 's/^metadata:/metadata:\n  annotations: {podd.dev\/on-config-change: SIGHUP}/' "$PODS/files.yaml"
ready files
is "every key is a file" "$(in_pod files 'cd /mnt/all && echo * $(cat a.conf) $(cat nested)')" "a.conf nested one two"
is "chosen keys have their path and mode" \
	"$(in_pod files 'cd /mnt/some && find . ! -name "..*" ! -path "*/..*" | sort | tr "\n" " "; stat -Lc %a b sub/deep | tr "\n" " "; cat sub/deep')" \
	". ./b ./sub 600 440 two"
is "facts about the pod are files" "$(in_pod files 'cat /mnt/facts/labels /mnt/facts/name')" 'version="v1"files'
is "several sources make one directory" "$(in_pod files 'cd /mnt/mixed/from; cat config ns')" onedefault
is "an optional object that is missing is an empty directory" "$(in_pod files 'ls /mnt/none | wc -l')" 0
ok "nobody writes to them" refused in_pod files 'echo x >/mnt/all/a.conf'
like "they have the shape that programs watch" "$(in_pod files 'readlink /mnt/all/a.conf /mnt/all/..data | tr "\n" " "')" \
	'^\.\.data/a\.conf \.\.20[0-9_]*\.[0-9]* $'

pid=$(member_pid files app)
config files a.conf changed new three
ok "an edit reaches the files" await 20 in_pod_is files 'cd /mnt/all && echo * $(cat a.conf) $(cat new)' "a.conf new changed three"
ok "also those of a projection" await 20 in_pod_is files 'cat /mnt/mixed/from/config' changed
ok "the program was sent its signal" await 20 in_pod_is files 'cat /tmp/hup' hup
is "and is the same process" "$(member_pid files app)" "$pid"
ok "one version of the directory is left" await 20 in_pod_is files 'ls -a /mnt/all | grep -c "^\.\.2"' 1
like "an edit that takes a key away from a volume is told" "$(await 20 eval 'podctl events | grep -q FailedMount'; podctl events | grep FailedMount)" "couldn't find key nested in ConfigMap default/files"
is "whose files stay" "$(in_pod files 'cat /mnt/some/sub/deep')" two
sed -i 's/version: "v1"/version: "v2"/' "$PODS/files.yaml"
ok "an edited label reaches its file" await 20 in_pod_is files 'cat /mnt/facts/labels' 'version="v2"'
is "by the same process" "$(member_pid files app)" "$pid"

# --- what podd does with the objects ------------------------------------------------------------------------------------------

sed -i 's/^data:/dta:/' "$PODS/config-files.yaml"
ok "a typo is refused, and the last good version stays" await 20 sh -c "'$builddir/bin/podctl' --root '$ROOT' status | grep -q 'config-files.yaml: refused, last good version kept'"
is "so nothing changed" "$(in_pod files 'cat /mnt/all/a.conf')" changed
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {mode: other}\n' | put second.yaml
ok "the same name in a second file is refused" await 20 sh -c "'$builddir/bin/podctl' --root '$ROOT' status | grep -q 'Duplicate value: ConfigMap default/app is defined by'"
rm "$PODS/second.yaml"
podd_kill
config files a.conf later nested back
podd_start
ok "an edit while podd was away reaches the files" await 20 in_pod_is files 'cat /mnt/all/a.conf /mnt/some/sub/deep' laterback
is "and the program is the same" "$(member_pid files app)" "$pid"

volume=$ROOT/run/podd/pods/$(pod_uid files)/volumes/all
podd_kill
rm "$volume/nested" && mkdir "$volume/..2001_01_01_00_00_00.1"
podd_start
ok "podd that was killed in the middle of an edit ends it" await 20 in_pod_is files 'cat /mnt/all/nested; ls -a /mnt/all | grep -c "^\.\.2"' back1

sed -i 's/^metadata:/metadata:\n  annotations: {podd.dev\/on-config-change: restart}/' "$PODS/env.yaml"
await 20 sh -c "[ -n \"\$('$builddir/bin/podctl' --root '$ROOT' get pod env -o json | jq -r '.metadata.annotations[\"podd.dev/on-config-change\"] // empty')\" ]"
pid=$(member_pid env app)
config app mode slow
ok "a container that is to be restarted by an edit is" await 20 replaced env app "$pid"
is "with the new value" "$(in_pod env 'echo "$MODE"')" slow
rm "$PODS/config-app.yaml"
await 20 sh -c "! '$builddir/bin/podctl' --root '$ROOT' status | grep -q config-app"
podctl restart env >/dev/null
ok "when the object is gone, the next start waits" await 20 waits_for env 'configmap "app" not found'
config app mode back
ok "until it is back" await 20 in_pod_is env 'echo "$MODE"' back

immutable() { printf 'apiVersion: v1\nkind: ConfigMap\nimmutable: true\nmetadata: {name: fixed}\ndata: {a: %s}\n' "$1"; }
immutable one | put one.yaml
await 20 sh -c "'$builddir/bin/podctl' --root '$ROOT' status | grep -q 'one.yaml: ok'"
immutable two | put one.yaml
ok "an immutable object is not edited" await 20 sh -c "'$builddir/bin/podctl' --root '$ROOT' status | grep -q 'field is immutable'"
immutable two >"$PODS/.two"
rm "$PODS/one.yaml"
mv "$PODS/.two" "$PODS/two.yaml"
ok "but may be replaced by one in another file" await 20 sh -c "'$builddir/bin/podctl' --root '$ROOT' status | grep -q 'two.yaml: ok'"

leaves_nothing
finish
