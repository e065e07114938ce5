#!/bin/bash
# A subPath stays inside its volume, whatever a container that writes to the volume puts there and swaps while another one starts.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

waits_for() { of "$1" app .state.waiting.message | grep -qF -- "$2"; } # POD TEXT
printed_by() { podctl logs "$1" -c app 2>/dev/null; }

mkdir -p "$ROOT/secret" "$ROOT/data/in" && echo canary >"$ROOT/secret/file" && echo inside >"$ROOT/data/in/file"
ln -s "$ROOT/secret" "$ROOT/data/absolute"
ln -s ../secret "$ROOT/data/up"
ln -s in "$ROOT/data/within"
ln -s /proc/self/root "$ROOT/data/magic"
before=$(find "$ROOT/secret" -printf '%p %m %s %T@\n')
podd_start || exit 1

part() { # POD SUBPATH
	pod "$1" <<EOF
  restartPolicy: Never
  containers:
  - {name: app, image: "rootfs:/", command: [cat, /mnt/v/file], volumeMounts: [{name: v, mountPath: /mnt/v, subPath: $2}]}
  volumes: [{name: v, hostPath: {path: $ROOT/data}}]
EOF
}
for p in absolute up magic absolute/x; do part "bad-${p%%/*}${p##*/}" "$p"; done
part good within
for p in absolute up magic absolute/x; do
	ok "a subPath by a link that leads out: $p" await 30 waits_for "bad-${p%%/*}${p##*/}" 'leads out of the volume'
done
ok "a link that stays inside is followed" await 30 sh -c "'$builddir/bin/podctl' --root '$ROOT' logs good -c app | grep -q inside"
rm "$PODS"/*.yaml

# One container swaps a directory and a link to the host's directory as fast as it can; the other starts again and again on that part.
mkdir -p "$ROOT/data/race/real" && echo real >"$ROOT/data/race/real/file" && ln -s "$ROOT/secret" "$ROOT/data/race/link"
exchange=316 # renameat2
[ "$(uname -m)" = x86_64 ] || exchange=276
pod race <<EOF
  terminationGracePeriodSeconds: 0
  containers:
  - name: racer
    image: rootfs:/
    command:
    - perl
    - -e
    - 'chdir "/mnt/race" or die; my (\$a, \$b) = ("real", "link"); while (1) { syscall($exchange, -100, \$a, -100, \$b, 2) == 0 or die }'
    volumeMounts: [{name: v, mountPath: /mnt/race, subPath: race}]
  - name: app
    image: rootfs:/
    command: [sh, -c, 'cat /mnt/v/file; touch /mnt/v/touched']
    volumeMounts: [{name: v, mountPath: /mnt/v, subPath: race/real}]
  volumes: [{name: v, hostPath: {path: $ROOT/data}}]
EOF
sed -i 's/^metadata:/metadata:\n  annotations: {podd.dev\/restart-backoff: "initial=1ms, max=1ms"}/' "$PODS/race.yaml"
uid() { pod_uid race; }
many() { [ "$(of race app '.restartCount | tostring')" -ge 60 ]; }
ok "a part that is swapped while containers start" await 120 many
is "it was swapped all the time" "$(of race racer '.restartCount | tostring')" 0
out=
found() { out+=$(printed "$(uid)" app) && grep -q real <<<"$out"; } # only the last starts' logs are kept
ok "some found the directory" await 60 found
is "none found what the link leads to" "$(grep -c canary <<<"$out")" 0
is "and nothing there was touched" "$(find "$ROOT/secret" -printf '%p %m %s %T@\n')" "$before"

leaves_nothing
finish
