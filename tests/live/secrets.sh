#!/bin/bash
# Secrets reach the containers that ask for them, and nobody else: no output, event, log or file of podd shows them.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

S=Zk9-hidden-7
running() { [ -n "$(of "$1" app .state.running)" ]; }
in_pod() { podctl exec "$1" -c app -- sh -c "$2" 2>/dev/null; } # POD COMMAND
in_pod_is() { [ "$(in_pod "$1" "$2")" = "$3" ]; }
status_says() { podctl status | grep -qF -- "$1"; }
shows() { grep -qF -- "$S" <<<"$1" || grep -qF -- "$(printf %s "$S" | base64)" <<<"$1"; }
hidden() { ! shows "$1"; }
secret() { # VALUE [UMASK]
	(umask ${2:-077}; printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: "%s", user: root}\n' "$1" >"$PODS/.s")
	mv "$PODS/.s" "$PODS/secret.yaml"
}

podd_start --log-level debug || exit 1
pod web <<'EOF'
  terminationGracePeriodSeconds: 0
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, "1000"]
    env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]
    envFrom: [{prefix: DB_, secretRef: {name: db}}]
    volumeMounts: [{name: s, mountPath: /mnt/secret}]
  volumes: [{name: s, secret: {secretName: db, defaultMode: 0400}}]
EOF
ok "a container waits for its Secret" await 30 sh -c "'$builddir/bin/podctl' --root '$ROOT' get pod web -o json | grep -q 'secret .*db.* not found'"
secret "$S" 022
ok "a Secret that others can read is refused" await 30 status_says "must not be readable by others than root"
ok "with the command that mends it" status_says "chmod go= $PODS/secret.yaml"
chmod go= "$PODS/secret.yaml"
ok "and taken when it is mended" await 30 running web
is "the variables are there" "$(in_pod web 'echo "$PASSWORD $DB_user"')" "$S root"
is "the file is there, for its owner only" "$(in_pod web 'cd /mnt/secret; cat password; stat -Lc " %a" password')" "$S 400"
is "on a tmpfs" "$(in_pod web 'stat -f -c %T /mnt/secret')" tmpfs

for out in "get pod web -o yaml" "get pod web -o json" "describe pod web" "events" "status" "get pods -o wide" "logs web -c app" "plan $PODS/secret.yaml" "validate $PODS"; do
	# shellcheck disable=SC2086 # words
	ok "podctl ${out%% *} does not show it: $out" hidden "$(podctl $out 2>&1)"
done
cat "$PODS/secret.yaml" - >"$ROOT/both.yaml" <<<"---" && cat "$PODS/web.yaml" >>"$ROOT/both.yaml"
like "podctl plan masks it" "$(podctl plan "$ROOT/both.yaml" 2>&1)" 'PASSWORD=\*\*\*\*\*\*'
ok "also when the file itself has it" hidden "$(podctl plan "$ROOT/both.yaml" 2>&1)"
ok "podd's own log does not show it" hidden "$(cat "$ROOT/podd.log")"
is "what podd keeps is root's alone" "$(find "$ROOT/var/lib/podd/accepted" -name '*.secret' -perm 600 | wc -l)" 1
is "in /run it is on the pod's own tmpfs" "$(grep -rlF -- "$S" "$ROOT/run" 2>/dev/null | grep -cv /volumes/s/)" 0
for slip in "s/\"$S\"/[$S]/" "s/\"$S\"/*$S/" "s/\"$S\"/!$S x/" "s/\"$S\"/@$S/" "s/stringData/data/" "s/Secret/Secrt/" 's/", user/" user/'; do
	broken=$(sed "$slip" "$PODS/secret.yaml")
	out=$(podctl validate - 2>&1 <<<"$broken")
	like "a document that is broken by $slip is refused" "$out" '(error|refused):'
	ok "and does not show it" hidden "$out"
	(umask 077; cat >"$PODS/.s" <<<"$broken") && mv "$PODS/.s" "$PODS/secret.yaml"
	ok "nor does podd" await 30 status_says "secret.yaml: refused, last good version kept"
	secret "$S"
	await 30 status_says "secret.yaml: ok"
done
ok "not in what it tells, either" hidden "$(podctl status; podctl events; cat "$ROOT/podd.log")"

secret second
ok "an edit reaches the file" await 30 in_pod_is web 'cat /mnt/secret/password' second
is "and not the variable" "$(in_pod web 'tr "\0" "\n" </proc/1/environ | sed -n s/^PASSWORD=//p')" "$S"
podctl restart web >/dev/null
ok "until the next start" await 30 in_pod_is web 'tr "\0" "\n" </proc/1/environ | sed -n s/^PASSWORD=//p' second
sed -i 's/^stringData/immutable: true\nstringData/' "$PODS/secret.yaml"
await 30 sh -c "grep -q immutable '$ROOT'/var/lib/podd/accepted/*.secret"
sed -i 's/second/third/' "$PODS/secret.yaml"
ok "an immutable one is not edited" await 30 status_says 'field is immutable when `immutable` is set'
is "and stays as it was" "$(in_pod web 'cat /mnt/secret/password')" second

leaves_nothing
finish
