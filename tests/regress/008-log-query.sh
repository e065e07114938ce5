#!/bin/bash
# What a request for a log asks is done or refused. (sinceTime, limitBytes and stream were passed over, and a container that waited for its
# image was said to be created.)
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
pod p <<<'  terminationGracePeriodSeconds: 0
  containers:
  - {name: a, image: "rootfs:/", command: [sh, -c, "echo one; until [ -e /dev/shm/2 ]; do sleep 0.02; done; echo two; until [ -e /dev/shm/3 ]; do sleep 0.02; done; echo three; sleep 1000"]}
  - {name: none, image: "registry.example/none"}'
# What is read at once has one time.
await 20 said p a one && touch "/proc/$(member_pid p a)/root/dev/shm/2"
await 20 said p a two && touch "/proc/$(member_pid p a)/root/dev/shm/3"
ok "a pod prints" await 20 said p a three
log() { curl -sG --max-time 60 --unix-socket "$PODD_SOCKET" "http://podd/api/v1/namespaces/default/pods/p/log" -d container="${2:-a}" --data-urlencode "$1" "${@:3}"; }
reason() { log "$@" | jq -r '"\(.code) \(.message)"'; }
second=$(log timestamps=1 | awk '/two/ { print $1 }')
is "since a moment" "$(log "sinceTime=$second")" "two
three"
is "in another zone" "$(log "sinceTime=$(TZ=UTC-5:30 date -d "$second" +%Y-%m-%dT%H:%M:%S.%N+05:30)")" "two
three"
is "since the future" "$(log sinceTime=2200-01-01T00:00:00Z)" ""
for time in "" yesterday 2026-01-02 2026-01-02T03:04:05 2026-13-02T03:04:05Z 2026-01-02T03:04:05+25:00 1960-01-01T00:00:00Z 9999-01-01T00:00:00Z; do
	is "no time: \"$time\"" "$(reason "sinceTime=$time")" "400 sinceTime has to be a time as 2006-01-02T15:04:05Z"
done
is "so many bytes" "$(log limitBytes=5)" "one
t"
is "more than there are" "$(log limitBytes=500)" "$(log x=)"
is "of what is followed, which ends with them" "$(log limitBytes=5 a -d follow=1)" "one
t"
is "no bytes" "$(reason limitBytes=0)" "400 limitBytes has to be a number of at least 1"
like "one stream" "$(reason stream=Stdout)" "^400 .*stream=All"
ok "a container that waits for its image" await 20 eval 'reason x= none | grep -qE "is waiting to start: (ErrImagePull|ImagePullBackOff)$"'
leaves_nothing
podd_stop
finish
