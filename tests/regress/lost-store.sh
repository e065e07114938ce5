#!/bin/bash
# When the image store was removed under podd, no image could be imported until podd was started anew.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
. "$srcdir/tests/lib/image.sh"

STORE=$ROOT/var/lib/podd/images
base=$ROOT/base
image_base "$base"
image "$ROOT/app.tar" app:1 "$base" '{"Cmd": ["sleep", "1000"]}'
podd_start || exit 1
image "$STORE.d/drop.tar" registry.example/drop:1 "$base" '{"Cmd": ["sleep", "1000"]}'
one() { printf '  terminationGracePeriodSeconds: 0\n  containers: [{name: app, image: "%s"}]\n' "$1"; } # IMAGE
one "docker-archive:$ROOT/app.tar" | pod file
one registry.example/drop:1 | pod named
ready file && ready named
file=$(member_pid file app) named=$(member_pid named app)
rm -rf "$STORE"
podctl restart file >/dev/null
podctl restart named >/dev/null
ok "a file is imported again" await 20 replaced file app "$file"
ok "a drop-in, too" await 20 replaced named app "$named"
rm -rf "$STORE"
is "podctl import has a store" "$(podctl import "$ROOT/app.tar")" "docker.io/library/app:1 imported"
like "and lists it" "$(podctl images)" 'app:1'
leaves_nothing
podd_stop
finish
