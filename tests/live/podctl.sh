#!/bin/bash
# podctl beside a podd that runs: templates, watches over a restart of podd, events, completion by a real shell.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
simple() { # NAME APP
	put "$1.yaml" <<END
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {app: $2}, annotations: {example.com/note: "a\\tb"}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, infinity]}
  - {name: side, image: "rootfs:/", command: [sleep, infinity]}
END
}
simple db back
simple web front
ok "pods are ready" eval 'ready web && ready db'
podctl=$builddir/bin/podctl

# --- templates
is "jsonpath of a list" "$(podctl get pods -o 'jsonpath={.items[*].metadata.name}')" "db web"
is "of one pod" "$(podctl get pod web -o 'jsonpath={.metadata.name} {.status.phase}')" "web Running"
is "a range" "$(podctl get pods -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.spec.containers[0].name}{"\n"}{end}')" "db	app
web	app"
is "a filter" "$(podctl get pods -o 'jsonpath={.items[?(@.metadata.labels.app=="back")].metadata.name}')" db
is "a key with a dot" "$(podctl get pod web -o 'jsonpath={.metadata.annotations.example\.com/note}')" "a	b"
is "with a selector" "$(podctl get pods -l app=front -o jsonpath='{.items[*].metadata.name}')" web
like "a mistake has its place" "$(podctl get pods -o 'jsonpath={.items[}' 2>&1)" 'column 9: an index is a whole number'
is "and is one of usage" "$(podctl get pods -o 'jsonpath={.items[}' 2>/dev/null; echo $?)" 2
is "an index beyond the end: no" "$(podctl get pods -o 'jsonpath={.items[7]}' 2>/dev/null; echo $?)" 1
is "columns of one's own" "$(podctl get pods -o 'custom-columns=NAME:.metadata.name,APPS:.spec.containers[*].name,NO:.nothing' | tr -s ' ')" "NAME APPS NO
db app,side <none>
web app,side <none>"
is "names" "$(podctl get pods -o name | xargs)" "pod/db pod/web"

# --- selectors
is "describe -l" "$(podctl describe pod -l app=front | grep '^Name:' | tr -s ' ')" "Name: web"
is "wait -l" "$(podctl wait --for=ready -l 'app in (front,back)' | xargs)" "pod/db ready pod/web ready"
is "logs -l" "$(podctl logs -l app=front --all-containers; echo "exit $?")" "exit 0"
ok "restart -l" podctl restart -l app=back -c side
ok "acts on those pods" await 20 restarts_are db side 1
is "and no others" "$(of web side .restartCount)" 0
is "none with these labels" "$(podctl delete pod -l app=none 2>&1; echo "exit $?")" "No resources found
exit 0"
is "names and a selector: usage" "$(podctl restart web -l app=front 2>/dev/null; echo $?)" 2
ready db

# --- watches
lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }
"$podctl" --root "$ROOT" get pods -w >"$ROOT/watch" 2>/dev/null &
watch=$!
ok "get -w begins with what is there" await 30 lines "$ROOT/watch" 3
podctl delete pod db >/dev/null
ok "and prints what changes" await 30 eval 'tail -n +4 "$ROOT/watch" | grep -qE "^db +[0-9]/2"'
"$podctl" --root "$ROOT" events -f >"$ROOT/events" 2>/dev/null &
events=$!
ok "events -f begins with what has happened" await 30 grep -q 'pod/web' "$ROOT/events"
await 30 gone db
before=$(wc -l <"$ROOT/watch")
podd_kill
podd_start
simple late front
ok "both go on after podd's restart: pods" await 20 grep -q '^late .*2/2' "$ROOT/watch"
ok "and events" await 20 grep -q 'pod/late' "$ROOT/events"
is "what had been printed is not printed again" "$(tail -n +$((before + 1)) "$ROOT/watch" | grep -c '^web')" 0
is "one heading" "$(grep -c '^NAME' "$ROOT/watch")" 1
kill $watch $events
wait $watch $events 2>/dev/null
read -r -t 30 first < <(exec "$podctl" --root "$ROOT" get pod web -w -o name)
is "one pod by its name, as names" "$first" pod/web
like "events of one pod" "$(podctl events --for pod/late)" 'pod/late'
is "and of no other" "$(podctl events --for pod/late | grep -c pod/web)" 0
is "-w needs podd" "$("$podctl" --socket /nonexistent get pods -w 2>/dev/null; echo $?)" 4

# --- top
top=$(podctl top --once -A)
like "top: a heading" "$top" '^NAMESPACE +POD +CONTAINER +CPU +MEMORY +LIMIT +PIDS +RX +TX +RESTARTS$'
like "a line for a container" "$top" '^default +web +app +[0-9]+m +[0-9.]+(Ki|Mi)? +- +1 +[0-9.]+(Ki)?/s +[0-9.]+(Ki)?/s +0$'
is "in order of pods" "$(podctl top --once | awk 'NR > 1 { print $1 }' | xargs)" "late late web web"
is "by labels" "$(podctl top --once -l app=none | wc -l)" 1
like "refreshed on a terminal" "$("$builddir/tests/lib/typist" wait:RESTARTS wait:RESTARTS 'send:\x03' -- "$podctl" --root "$ROOT" top)" '^\[signal 2\]'

# --- completion
completes() { # WORD...: what the last word may become
	bash --norc -c 'podctl() { "'"$podctl"'" --root "'"$ROOT"'" "$@"; }; source <(podctl completion bash)
		COMP_WORDS=(podctl "$@") COMP_CWORD=$#; _podctl; echo "${COMPREPLY[*]}"' bash "$@"
}
is "verbs" "$(completes de)" "describe debug delete"
is "pods" "$(completes describe pod w)" web
is "pods, after options with values" "$(completes -n default logs --tail 3 la)" late
is "containers" "$(completes exec web -c "")" "app side"
is "options of the verb" "$(completes exec --t)" "--tty"
is "formats" "$(completes get pods -o js)" "json jsonpath="
is "what to get" "$(completes get ev)" events
is "nothing after --" "$(completes exec web -- l)" ""
if type zsh >/dev/null 2>&1; then
	ok "zsh takes its script" zsh -fc 'source <('"$podctl"' completion zsh) && whence _podctl'
else
	ok "zsh's script is bash's, with a heading" eval '[ "$(podctl completion zsh | tail -n +3)" = "$(podctl completion bash)" ]'
fi
is "no other shell" "$(podctl completion fish 2>/dev/null; echo $?)" 2

leaves_nothing
finish
