#!/bin/bash
# Who can speak to podd: root, by one socket of the file system. Nothing else of podd's listens anywhere.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
pod web <<'END'
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, infinity], ports: [{containerPort: 80, hostPort: 20080}]}
END
pod host <<'END'
  hostNetwork: true
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, infinity]}
END
ok "pods are ready" podctl wait --for=ready web host --timeout 30s

sockets() { find "$ROOT/run" "$ROOT/var" "$ROOT/etc" -type s; }
connect() { # PATH [COMMAND...]: which connects, by perl-base's own means
	"${@:2}" perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($ARGV[0])) or die "$!\n"' "$1" 2>&1
}
as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
is "the API's socket is root's alone" "$(stat -c '%U %G %a' "$PODD_SOCKET")" "root root 600"
ok "root can connect" connect "$PODD_SOCKET"
chmod 755 "$ROOT" # so that it is the socket, or its directory, that says no
is "nobody can't" "$(connect "$PODD_SOCKET" "${as_nobody[@]}")" "Permission denied"
is "nor can podctl as nobody: exit code 4" "$("${as_nobody[@]}" "$builddir/bin/podctl" --root "$ROOT" get pods >/dev/null 2>&1; echo $?)" 4
is "anchors' sockets are root's alone, too" "$(sockets | grep anchor.sock | xargs stat -c '%U %a' | sort | uniq -c | xargs)" "2 root 600"
is "and so are their directories" "$(stat -c '%U %a' "$ROOT"/run/podd/pods/*/ | sort -u)" "root 700"

# Every socket of podd's processes, in each network namespace that one of them is in.
processes() { { echo "$PODD_PID"; find "$(cgroup_v2)/$PODD_HOST" -path '*/anchor/cgroup.procs' -exec cat {} +; } | sort -un; }
listening() { # PID: what listens in its network namespace, TCP, UDP or raw
	nsenter -t "$1" -n ss -Hltunw
}
is "nothing listens on TCP or UDP on the host" "$(listening "$PODD_PID")" ""
is "nor in a pod that does not itself" "$(listening "$(anchor_pid web)")" ""
for p in $(processes); do
	abstract=$(awk '$8 ~ /^@/' "/proc/$p/net/unix")
	is "no abstract socket in the namespace of $(cat "/proc/$p/comm")" "$abstract" ""
done
ok "a member sees neither socket" eval '! podctl exec web -- sh -c "ls /run/podd/podd.sock '"$ROOT"'/run/podd/podd.sock" 2>/dev/null | grep -q sock'
ok "and inherits no descriptor but its three" [ "$(podctl exec web -- sh -c 'ls /proc/1/fd' | xargs)" = "0 1 2" ]

# What a peer sends is limited and does not end podd.
before=$PODD_PID
send() { # PERL-EXPRESSION: the first line of the answer
	perl -MSocket -e '$SIG{PIPE} = "IGNORE"; alarm 60; socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($ARGV[0])) or die;
		my $text = eval $ARGV[1]; for (my $at = 0; $at < length $text;) { my $n = syswrite(S, $text, 4096, $at) or last; $at += $n }
		sysread(S, my $answer, 200); print +(split /\r\n/, $answer)[0] || "cut off"' "$PODD_SOCKET" "$1"
}
like "rubbish is answered by 400" "$(send '"\x00\xff rubbish\r\n\r\n"')" '^HTTP/1.1 400'
like "a head without end is cut off" "$(send '"GET / HTTP/1.1\r\nX: " . "a" x 1000000')" '^(HTTP/1.1 4[0-9][0-9]|cut off)'
like "an unknown path is 404" "$(send '"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"')" '^HTTP/1.1 404'
ok "podd answers as before" eval 'kill -0 $before && podctl get pods'

leaves_nothing
finish
