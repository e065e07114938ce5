#!/bin/bash
# Terminals: exec -it and attach, their keys, sizes, signals and exit codes; how the user's own terminal is left.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
pod web <<'END'
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, infinity]}
  - {name: user, image: "rootfs:/", command: [sleep, infinity], securityContext: {runAsUser: 1000}}
END
ok "a pod is ready" ready web

podctl=$builddir/bin/podctl
typist() { "$builddir/tests/lib/typist" "$@" | tr -d '\r'; }
at() { # STEP... : in a shell of the pod with a terminal; exec's own options in $options
	typist "$@" -- "$podctl" --root "$ROOT" exec -it web ${options:--c app} -- env PS1='$ ' sh
}

# --- exec -it
out=$(at 'wait:$ ' 'send:tty; stty size; echo $TERM\r' wait:xterm 'send:exit 7\r')
like "the command has a terminal, of the container's own" "$out" '^/dev/pts/0$'
like "as large as the user's" "$out" '^30 100$'
like "its exit code is podctl's" "$out" '^\[exit 7\]$'
like "and the user's terminal is as it was" "$out" '^\[cooked\]$'
like "a size that changes is passed on" "$(at 'wait:$ ' size:132x43 'send:sleep 0.1; while [ "$(stty size)" != "43 132" ]; do :; done; echo now $((1+1))\r' 'wait:now 2' 'send:exit\r')" '^\[exit 0\]'
like "^C goes to the command" "$(at 'wait:$ ' 'send:sleep 1000\r' quiet:200 'send:\x03' 'wait:$ ' 'send:echo $?\r' wait:130 'send:exit 0\r')" '^\[exit 0\]'
like "^Z stops it, there" "$(at 'wait:$ ' 'send:set -m; sleep 1000\r' quiet:200 'send:\x1a' 'wait:topped' 'send:fg\r' quiet:200 'send:\x03' 'wait:$ ' 'send:exit 3\r')" '^\[exit 3\]'
like "^D ends a shell" "$(at 'wait:$ ' 'send:\x04')" '^\[exit 0\]'
like "what had been printed before the end arrives" "$(typist -- "$podctl" --root "$ROOT" exec -it web -c app -- seq 20000)" '^20000$'
is "all of it" "$(typist -- "$podctl" --root "$ROOT" exec -it web -c app -- seq 20000 | grep -c '^[0-9]')" 20000
out=$(options='-c user' at 'wait:$ ' 'send:id -u; stat -c "owner %u mode %a" $(tty)\r' 'wait:owner' 'send:exit\r')
like "a terminal belongs to the container's user" "$out" '^owner 1000 mode 620$'
out=$(typist -- "$podctl" --root "$ROOT" exec -it web -c app -- /nonexistent)
like "a command that is not there: 127" "$out" '^\[exit 127\]$'
like "and the terminal is as it was" "$out" '^\[cooked\]$'
like "one that may not run: 126" "$(typist -- "$podctl" --root "$ROOT" exec -it web -c app -- /etc/passwd)" '^\[exit 126\]$'
like "no such pod: 125" "$(typist -- "$podctl" --root "$ROOT" exec -it nope -- sh)" '^\[exit 125\]$'
out=$(at 'wait:$ ' signal:15)
like "podctl that is told to end does" "$out" '^\[signal 15\]$'
like "with the terminal as it was" "$out" '^\[cooked\]$'
ok "and the command has ended too" await 10 eval '! podctl exec web -c app -- sh -c "pgrep -t pts/0 | grep ."'
out=$(echo 'echo piped' | podctl exec -it web -c app -- sh 2>&1)
like "without a terminal of one's own there is none" "$out" 'Unable to use a TTY'
like "but the command runs" "$out" '^piped$'
like "-t alone: a terminal to print on" "$(podctl exec -t web -c app -- sh -c 'test -t 1 && stty size <&1; echo end')" '^end'

# --- podd goes while a terminal is open
at 'wait:$ ' 'send:touch /dev/shm/ready; sleep 1000\r' >"$ROOT/out" &
typing=$!
await 20 podctl exec web -c app -- test -e /dev/shm/ready
podd_kill
wait $typing
out=$(cat "$ROOT/out")
like "podd is killed: the session says so and ends" "$out" 'the connection to podd was lost'
like "with 125" "$out" '^\[exit 125\]$'
like "and the terminal as it was" "$out" '^\[cooked\]$'
podd_start
ok "with the next podd there are terminals as before" eval 'at "wait:$ " "send:exit 5\r" | grep -qF "[exit 5]"'

leaves_nothing
finish
