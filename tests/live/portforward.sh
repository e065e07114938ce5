#!/bin/bash
# port-forward: ports of the host that lead to what listens on a pod's loopback.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
pod web <<'YAML'
  terminationGracePeriodSeconds: 0
  containers:
  - {name: echo, image: "rootfs:/", command: [socat, -t60, "TCP-LISTEN:7,bind=127.0.0.1,fork,reuseaddr,backlog=256", "EXEC:cat"]}
  - {name: sum, image: "rootfs:/", command: [socat, -t60, "TCP-LISTEN:9,bind=127.0.0.1,fork,reuseaddr,backlog=256", "EXEC:sha256sum"]}
  - {name: much, image: "rootfs:/", command: [socat, -t60, "TCP-LISTEN:10,bind=127.0.0.1,fork,reuseaddr,backlog=256", "SYSTEM:seq 400000"]}
  - name: rude
    image: "rootfs:/"
    command: [perl, -MSocket, -e, 'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(12, INADDR_LOOPBACK)) or die; listen(S, 5);
      while (accept(C, S)) { sysread(C, $x, 1); setsockopt(C, SOL_SOCKET, SO_LINGER, pack("ll", 1, 0)); close(C) }']
YAML
pod host <<'YAML'
  hostNetwork: true
  terminationGracePeriodSeconds: 0
  containers: [{name: echo, image: "rootfs:/", command: [socat, -t60, "TCP-LISTEN:20007,bind=127.0.0.1,fork,reuseaddr,backlog=256", "EXEC:cat"]}]
YAML
ok "pods are ready" podctl wait --for=ready web host --timeout 30s
listens() { podctl exec "$1" -c "$2" -- ss -Hltn "sport = :$3" | grep -q LISTEN; }
ok "and listen" eval 'await 30 listens web echo 7 && await 30 listens web sum 9 && await 30 listens web much 10 && await 30 listens web rude 12 && await 30 listens host echo 20007'

forwarding() { # NAME LISTENERS ARGUMENT...: starts one; its output is $ROOT/NAME.out, its pid $forwarder
	local name=$1 listeners=$2
	shift 2
	"$builddir/bin/podctl" --root "$ROOT" port-forward "$@" >"$ROOT/$name.out" 2>"$ROOT/$name.err" &
	forwarder=$!
	ok "port-forward $1 listens" await 30 eval "[ \"\$(grep -c '^Forwarding from' '$ROOT/$name.out')\" = $listeners ]"
}
through() { timeout 120 socat -t 60 - "TCP:127.0.0.1:$1"; } # PORT: standard input there, the answer back

forwarding web 10 web 8007:7 :9 10 11 12 --address localhost,::1
web=$forwarder
picked=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) -> 9$/\1/p' "$ROOT/web.out")
like "says where" "$(cat "$ROOT/web.out")" '^Forwarding from 127\.0\.0\.1:8007 -> 7$'
like "and on IPv6" "$(cat "$ROOT/web.out")" '^Forwarding from \[::1\]:8007 -> 7$'
ok "a port of its own choice" [ "$picked" -gt 1024 ]
is "what listens on the pod's loopback alone is reached" "$(echo hello | through 8007)" hello
is "over IPv6, too" "$(echo six | timeout 120 socat -t 60 - 'TCP6:[::1]:8007')" six
is "an end of file is passed on, and the answer to it comes back" \
	"$(head -c 3000000 /dev/zero | through "$picked")" "$(head -c 3000000 /dev/zero | sha256sum)"
is "all that a server says before it closes arrives" "$(through 10 </dev/null | sha256sum)" "$(seq 400000 | sha256sum)"

for i in $(seq 40); do seq "$i" 20000 | through 8007 | sha256sum >"$ROOT/many.$i" & many="${many:-} $!"; done
wait $many
same=0
for i in $(seq 40); do [ "$(cat "$ROOT/many.$i")" = "$(seq "$i" 20000 | sha256sum)" ] && same=$((same + 1)); done
is "forty connections at once, each with its own bytes" $same 40
# One that stands still costs the others nothing.
exec 7<>/dev/tcp/127.0.0.1/10
is "one whose client does not read does not stop others" "$(echo others | through 8007)" others
exec 7>&- 7<&-

is "nobody listens there: the connection ends" "$(echo x | through 11)" ""
refused() { grep -q 'connecting to port 11 in the pod: Connection refused$' "$ROOT/web.err"; }
ok "and podctl says why" await 30 refused
echo x | through 12 >/dev/null
reset() { grep -q 'the connection to port 12 in the pod: Connection reset by peer$' "$ROOT/web.err"; }
ok "a connection that the pod resets is told, too" await 30 reset
is "the rest goes on" "$(echo still | through 8007)" still

forwarding host 1 host 8008:20007
is "a pod of the host's network is reached as well" "$(echo hello | through 8008)" hello
like "a local port that is taken is told" "$(podctl port-forward web 8007:7 2>&1)" "can't listen on localhost port 8007: Address already in use"
like "so is a pod that is not there" "$(podctl port-forward nope 80 2>&1)" 'pods "nope" not found'
like "and a port that can't be" "$(podctl port-forward web 8080:http 2>&1)" 'is not \[LOCAL:\]REMOTE'
is "without ports: usage" "$(podctl port-forward web >/dev/null 2>&1; echo $?)" 2

# --- the ends
exec 8<>/dev/tcp/127.0.0.1/8007
echo open >&8
read -r line <&8
is "a connection is open" "$line" open
rm "$PODS/web.yaml"
ok "the pod goes, with a connection that is open" await 20 gone web
wait "$web"
is "podctl ends with 1" $? 1
like "and says why" "$(cat "$ROOT/web.err")" '^podctl: the pod has ended$'
is "the connection has ended" "$(timeout 60 cat <&8)" ""
exec 8>&-
podd_kill
wait "$forwarder"
is "podd goes: podctl ends with 1" $? 1
like "and says so" "$(cat "$ROOT/host.err")" 'the connection to podd was lost'
podd_start
leaves_nothing
finish
