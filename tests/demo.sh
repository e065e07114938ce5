#!/bin/bash
# The main job on real input, in a throw-away host: run the sample pods, fetch a page, break things, clean up. One line a step.
. "$(dirname "$0")/lib/host.sh"

step() { printf '%-62s' "$1"; }
done_() { printf '%s\n' "${1:-ok}"; }
die() {
	printf 'FAILED: %s\n' "$1"
	podctl get pods -A -o wide 2>&1 | sed 's/^/    /'
	tail -n 25 "$ROOT/podd.log" | sed 's/^/    /'
	exit 1
}
served() { http_get "$1" "$2" | grep -q 'served by web'; }

step "podd starts in a host of its own"
podd_start || die "it does not answer"
done_ "pid $PODD_PID, $(awk '/VmRSS/ { print $2 " kB" }' "/proc/$PODD_PID/status")"

step "manifests/ is dropped into $(basename "$ROOT")/etc/pods"
cp "$srcdir"/manifests/*.yaml "$PODS"/
for p in web limited hostnet shared-pids gateway; do ready "$p" 60s || die "pod $p is not ready"; done
done_ "$(find "$PODS" -name '*.yaml' | wc -l) files, 5 pods ready"
podctl get pods -o wide | sed 's/^/    /'

ip=$(field web .status.podIP)
step "a page from the web pod, by its address $ip:8080"
await 20 served "$ip" 8080 || die "no page"
done_
step "the same page by hostPort, 127.0.0.1:18080"
await 20 served 127.0.0.1 18080 || die "no page"
done_

step "the web server is killed; its sandbox stays"
anchor=$(anchor_pid web) net=$(netns_of "$anchor") server=$(member_pid web server)
kill -KILL "$server"
await 20 eval '[ "$(member_pid web server)" != "$server" ] && [ -n "$(member_pid web server)" ]' || die "it was not restarted"
ready web || die "not ready again"
[ "$(anchor_pid web)" = "$anchor" ] && [ "$(netns_of "$anchor")" = "$net" ] && [ "$(field web .status.podIP)" = "$ip" ] || die "the sandbox changed"
done_ "pid $server is now $(member_pid web server), address $ip as before"

step "podd is killed with SIGKILL and started again"
client=$(member_pid web client)
podd_kill
await 30 served "$ip" 8080 || die "the pod does not serve without podd"
podd_start || die "it does not come back"
ready web || die "web was not adopted"
[ "$(member_pid web client)" = "$client" ] && [ "$(anchor_pid web)" = "$anchor" ] || die "a member was restarted"
done_ "no member noticed"

step "an edit: the client gets another command"
server=$(member_pid web server)
sed 's/sleep 5/sleep 4/' "$srcdir/manifests/web.yaml" | put web.yaml
await 20 eval '[ "$(member_pid web client)" != "$client" ] && [ -n "$(member_pid web client)" ]' || die "the client was not restarted"
[ "$(member_pid web server)" = "$server" ] || die "the server was restarted too"
done_ "only the client was restarted"

step "a typo: containres"
sed 's/containers:/containres:/' "$srcdir/manifests/web.yaml" | put web.yaml
await 20 eval 'podctl status | grep -q containres' || die "nobody says so"
[ "$(member_pid web server 2>/dev/null)" = "$server" ] || die "the pod was touched"
done_ "the running pod stays:"
podctl status 2>&1 | grep -m 1 containres | sed "s|$ROOT||g; s/^/    /"

step "all manifests are removed"
rm -f "$PODS"/*.yaml
await 60 eval '[ -z "$(podctl get pods -A -o name 2>/dev/null)" ]' || die "pods are left"
await 20 census_clean || { podctl census; shell_census; die "something is left over"; }
done_ "nothing is left of them"

step "podd ends"
podd_stop
done_
