#!/bin/bash
# A manifest's own stop signal wins over the image's, also when it is SIGTERM. (SIGTERM was taken for "the manifest says nothing".)
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
. "$srcdir/tests/lib/image.sh"

image_base "$ROOT/base"
image "$ROOT/quit.tar" quit:1 "$ROOT/base" '{"StopSignal": "SIGQUIT", "Entrypoint": ["/bin/sh", "-c",
	"trap \"exit 3\" QUIT; trap \"exit 15\" TERM; trap \"exit 10\" USR1; echo ready; while :; do sleep 0.05; done"]}'

podd_start || { fail "podd starts"; finish; }
for signal in none SIGTERM SIGUSR1; do
	lifecycle=
	[ $signal = none ] || lifecycle=", lifecycle: {stopSignal: $signal}"
	pod "${signal,,}" <<<"  containers: [{name: a, image: \"docker-archive:$ROOT/quit.tar\"$lifecycle}]"
done
code() { # POD: with which exit code it is stopped
	await 20 said "$1" a ready && podctl restart "$1" >/dev/null
	await 20 restarts_are "$1" a 1
	of "$1" a .lastState.terminated.exitCode
}
is "nothing in the manifest: the image's" "$(code none)" 3
is "SIGTERM in the manifest" "$(code sigterm)" 15
is "another one in the manifest" "$(code sigusr1)" 10
leaves_nothing
podd_stop
finish
