#!/bin/bash
# More manifests than podd takes from a directory: it says so, and does not take those beyond the limit for removed.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

mount -t tmpfs manifests "$ROOT/etc" && mkdir "$PODS" || exit 1 # thousands of files
podd_start || { fail "podd starts"; finish; }
pod z <<'END'
  terminationGracePeriodSeconds: 0
  containers: [{name: app, image: "rootfs:/", command: [sleep, infinity]}]
END
ok "a pod runs" await 20 phase_is z Running
before=$(member_pid z app)
mkdir "$ROOT/etc/many"
(cd "$ROOT/etc/many" && printf 'x%d.yaml ' {1..20001} | xargs touch)
cp "$PODS/z.yaml" "$ROOT/etc/many"
mv "$PODS" "$ROOT/etc/few" && mv "$ROOT/etc/many" "$PODS"
event_is() { podctl events 2>/dev/null | grep -qF -- "$1"; }
ok "too many manifests are told" await 20 event_is "more than 20000 manifests"
is "and change nothing" "$(member_pid z app)" "$before"
mv "$PODS" "$ROOT/etc/many" && mv "$ROOT/etc/few" "$PODS"
ok "the directory is back when they are fewer" await 20 event_is "is back"
is "with the same pod" "$(member_pid z app)" "$before"
leaves_nothing
podd_stop
finish
