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
# Who types ^C or ^Z waits for what the job itself prints: then it is in the foreground.
like "^C goes to the command" "$(at 'wait:$ ' 'send:sh -c "echo go$((1+1)); exec sleep 1000"\r' wait:go2 'send:\x03' 'wait:$ ' 'send:echo $?\r' wait:130 'send:exit 0\r')" '^\[exit 0\]'
job=$'send:sh -c "trap \'echo on$((1+1))\' CONT; echo go$((1+1)); while :; do sleep 0.1; done"\r'
like "^Z stops it, there" "$(at 'wait:$ ' "$job" wait:go2 'send:\x1a' 'wait:topped' 'send:fg\r' wait:on2 'send:\x03' 'wait:$ ' 'send:exit 3\r')" '^\[exit 3\]'
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
ok "and the command has ended too" await 30 eval '! podctl exec web -c app -- sh -c "pgrep -t pts/0 | grep ."'
out=$(echo 'echo piped' | podctl exec -it web -c app -- sh 2>&1)
like "without a terminal of one's own there is none" "$out" 'Unable to use a TTY'
like "but the command runs" "$out" '^piped$'
like "-t alone: a terminal to print on" "$(podctl exec -t web -c app -- sh -c 'test -t 1 && stty size <&1; echo end')" '^end'

# --- podd.dev/tty: a terminal of the host; who is at its other end types what comes to the fifo
mkfifo "$ROOT/keys"
python3 -c 'import os, select, sys, time
master, slave = os.openpty()
print(os.ttyname(slave)[5:], file=open(sys.argv[1], "w"))
keys = os.open(sys.argv[2], os.O_RDWR)
while True:
    ready = select.select([master, keys], [], [])[0]
    if keys in ready: os.write(master, os.read(keys, 4096))
    try:
        if master in ready: os.write(1, os.read(master, 4096))
    except OSError: time.sleep(0.02)  # nobody has it open
' "$ROOT/line" "$ROOT/keys" >"$ROOT/screen" &
line=$!
ok "a line of the host" await 30 test -s "$ROOT/line"
tty=$(cat "$ROOT/line")
on_line() { # NAME TTY
	put "$1.yaml" <<END
apiVersion: v1
kind: Pod
metadata: {name: $1, annotations: {podd.dev/tty: "$2", podd.dev/restart-backoff: "initial=100ms, max=500ms"}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: beside, image: "rootfs:/", command: [sleep, infinity]}
  - {name: it, tty: true, stdin: true, image: "rootfs:/", command: [sh, -i], env: [{name: PS1, value: "$1 "}], securityContext: {runAsUser: 1000}}
END
}
shows() { await 20 grep -q -- "$1" "$ROOT/screen"; }
types() { echo "$1" >"$ROOT/keys"; }
on_line first "$tty"
ok "its program is on it" shows '^first '
types 'echo $TERM $(id -u) $((20+1)); echo controls >/dev/tty'
ok "... and hears what is typed" shows '^xterm 1000 21'
ok "... as its controlling terminal" shows '^controls'
types 'sh -c "echo sleeps >/dev/tty; exec sleep 1000"'
ok "... and its job in the foreground" shows '^sleeps'
types $'\x03'
types 'exit 3'
ok "^C and the end come by it" await 20 eval '[ "$(of first it .lastState.terminated.exitCode)" = 3 ]'
ok "it is started again there" await 20 eval 'restarts_are first it 1 && [ -n "$(of first it .state.running)" ]'
on_line second "$tty"
ok "another pod does not get it, and says why" await 20 eval 'podctl describe pod second | grep -q "another session has it, as a getty or another pod"'
on_line none nothing-there
ok "nor anybody one that is not there" await 20 eval 'podctl describe pod none | grep -q "podd.dev/tty: /dev/nothing-there: No such file"'
on_line none null
ok "... or is none" await 20 eval 'podctl describe pod none | grep -q "podd.dev/tty: /dev/null: Inappropriate ioctl"'
like "attach leads to the host's end" "$(podctl attach first -c it 2>&1)" "is on the host's terminal /dev/$tty"
rm "$PODS/first.yaml" "$PODS/none.yaml"
ok "when it is free the other pod has it" shows 'second '
rm "$PODS/second.yaml"
kill "$line"

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

# --- attach
pod console <<'END'
  terminationGracePeriodSeconds: 0
  containers:
  - {name: shell, image: "rootfs:/", command: [env, "PS1=$ ", sh], stdin: true, tty: true}
  - {name: cat, image: "rootfs:/", command: [sh, -c, "while read -r l; do echo got $l; echo err $l >&2; done; echo end; sleep infinity"], stdin: true}
  - {name: once, image: "rootfs:/", command: [sh, -c, "cat; echo closed; sleep infinity"], stdin: true, stdinOnce: true}
  - {name: plain, image: "rootfs:/", command: [sh, -c, "while :; do echo tick; sleep 0.05; done"]}
END
ready console
attached() { # CONTAINER STEP...
	local c=$1
	shift
	typist "$@" -- "$podctl" --root "$ROOT" attach -it console -c "$c"
}
out=$(attached shell 'wait:leaves' 'send:\r' 'wait:$ ' 'send:tty; stty size; echo $TERM $((40+2))\r' 'wait:xterm 42' 'send:\x10\x11')
like "attach: the container's terminal" "$out" '^/dev/(pts/0|console)$'
like "as large as the user's window" "$out" '^30 100$'
like "^P ^Q leaves" "$out" '^\[exit 0\]$'
like "the user's terminal as it was" "$out" '^\[cooked\]$'
is "and the container runs on" "$(of console shell .restartCount)" 0
ok "what a terminal prints is in the log" await 30 said console shell 'xterm 42'
shell=$(member_pid console shell)
podd_kill
podd_start
is "podd is killed and started: the same process" "$(member_pid console shell)" "$shell"
like "and attach works again" "$(attached shell wait:leaves 'send:\r' 'wait:$ ' 'send:echo back $((1+1))\r' 'wait:back 2' 'send:\x10\x11')" '^\[exit 0\]$'
mkfifo "$ROOT/input"
timeout 120 "$podctl" --root "$ROOT" attach -i console -c cat <"$ROOT/input" >"$ROOT/got" 2>"$ROOT/err" &
exec 7>"$ROOT/input"
echo one >&7
ok "without a terminal: input" await 30 grep -q 'got one' "$ROOT/got"
ok "and both outputs" await 30 grep -q 'err one' "$ROOT/err"
exec 7>&-
kill $!
wait $! 2>/dev/null
is "stdout and stderr by themselves" "$(cat "$ROOT/got" "$ROOT/err" | xargs)" "got one err one"
ok "the end of one's input is not the container's" eval '! said console cat "^end"'
echo first | timeout 120 "$podctl" --root "$ROOT" attach -i console -c once >"$ROOT/once" &
ok "but with stdinOnce it is" await 30 said console once '^closed'
kill $! 2>/dev/null
like "and nobody gets it again" "$(echo x | podctl attach -i console -c once 2>&1; echo "exit $?")" 'standard input is closed'
like "attach without input sees what is printed" "$(timeout 60 "$podctl" --root "$ROOT" attach console -c plain | head -n 3)" '^tick$'
like "a container without stdin takes none" "$(podctl attach -i console -c plain 2>&1; echo "exit $?")" 'takes no input'
like "one without a terminal has none" "$(attached cat)" 'has no terminal'
out=$(attached shell wait:leaves 'send:\r' 'wait:$ ' 'send:exit 9\r')
like "when the container ends, so does attach, with its exit code" "$out" '^\[exit 9\]$'
ok "and the container is started again" await 20 restarts_are console shell 1

leaves_nothing
finish
