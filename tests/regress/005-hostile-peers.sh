#!/bin/bash
# Peers of the socket that mean no good: requests ahead of answers that are never read (podd kept all the answers), a thousand
# connections, heads without end, halves of requests. podd answers others meanwhile, does not grow without bound, and loses no descriptor.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

descriptors() { find "/proc/$PODD_PID/fd" -type l | wc -l; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$PODD_PID/status"; }
answers() { curl -s --max-time 60 --unix-socket "$PODD_SOCKET" http://podd/healthz | grep -qx ok; }
peer() { "${@:2}" 2>/dev/null | socat -u STDIN "UNIX-CONNECT:$PODD_SOCKET" >/dev/null 2>&1 & peers+=($!); } # NAME COMMAND...: what it says; it never reads
peers=()

podd_start || { fail "podd starts"; finish; }
for i in 1 2 3 4 5 6 7 8; do
	pod "p$i" <<<'  hostNetwork: true
  restartPolicy: Never
  containers: [{name: a, image: "rootfs:/", command: ["true"]}]'
done
ok "pods are there" await 60 eval '[ "$(podctl get pods -o json | jq -r ".items[].status.phase" | grep -c Succeeded)" = 8 ]'
before=$(descriptors) size=$(rss)

ahead() { local i; for ((i = 0; i < 1000; i++)); do printf 'GET /api/v1/pods HTTP/1.1\r\n\r\n'; done; sleep 100; }
endless() { printf 'GET / HTTP/1.1\r\nX: '; tr '\0' x </dev/zero; }
half() { printf 'GET /api/v1/pods HTTP/1.1\r\nHost:'; sleep 100; }
for i in 1 2 3 4 5; do
	peer "$i" ahead
	peer "$i" endless
	peer "$i" half
done
sleep 0.5 # whatever they can do they do at once
ok "others are answered" answers
grown=$(($(rss) - size))
note "podd grew by $grown KiB"
ok "podd did not keep what nobody reads" [ $grown -lt 4096 ]
python3 - "$PODD_SOCKET" <<'PY'
import socket, sys
held = []
for i in range(1000):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(5)
    try:
        s.connect(sys.argv[1])
        held.append(s)
    except OSError:
        pass
PY
ok "nor are a thousand connections its end" await 30 answers
kill "${peers[@]}" 2>/dev/null
ok "no descriptor is left of them" await 20 eval '[ "$(descriptors)" -le '"$before"' ]'
leaves_nothing
podd_stop
finish
