#!/bin/bash
# When someone had cleaned /run, podd ran on and could not be reached any more, and nothing said why.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

ends() { # it ends by itself, and not well
	wait "$PODD_PID"
	is "$1: podd ends" $? 1
	ok "... and says why" grep -q "was cleaned under podd.*start podd again" "$ROOT/podd.log"
	podd_start || { fail "podd starts again"; finish; }
}

podd_start || exit 1
rm -rf "$ROOT/run/podd"
ends "without pods"
pod web <<'END'
  terminationGracePeriodSeconds: 0
  containers: [{name: app, image: "rootfs:/", command: [sh, -c, "echo here; exec sleep 1000"]}]
END
ready web
before="$(sandbox web) $(member_pid web app)"
: >"$ROOT/podd.log"
rm -rf "$ROOT/run/podd" 2>/dev/null # all that is not mounted
ends "with one"
is "the pod is the same" "$(sandbox web) $(member_pid web app)" "$before"
is "commands run in it" "$(podctl exec web -- echo here)" here
kill -KILL "${before##* }"
ok "its container is started again" await 20 replaced web app "${before##* }"
leaves_nothing
podd_stop
finish
