#!/bin/bash
# fsGroup of volumes that were there before: who owns them then, when it is done again, and that nobody but the pod waits for it.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

CLAIMS=$ROOT/var/lib/podd/volumes
in_pod() { podctl exec "$1" -c app -- sh -c "$2" 2>&1; }
look() { (cd "$CLAIMS/$1" && find . -printf '%p %m %U:%G\n' | sort | xargs); } # CLAIM
fill() { # CLAIM: what a pod of another group has left
	mkdir -p "$CLAIMS/$1/d" && chmod 700 "$CLAIMS/$1" "$CLAIMS/$1/d" && (cd "$CLAIMS/$1" && echo x >f && chmod 600 f &&
		echo x >d/setuid && chmod 4711 d/setuid && ln -s "$ROOT/canary" link && ln -s "$ROOT/canary" d/link && mkfifo d/fifo && chmod 600 d/fifo)
}
claim() { # POD CLAIM GROUP [MORE OF THE SPEC] [MORE OF THE CLAIM] [POLICY]
	pod "$1" <<END
  terminationGracePeriodSeconds: 0
  ${4:-}
  securityContext: {fsGroup: $3, fsGroupChangePolicy: ${6:-Always}, runAsUser: 1000, runAsGroup: 1000}
  containers: [{name: app, image: "rootfs:/", command: [sleep, "1000"], volumeMounts: [{name: c, mountPath: /mnt}]}]
  volumes: [{name: c, persistentVolumeClaim: {claimName: $2${5:-}}}]
END
}

mkdir -p "$ROOT/canary" "$CLAIMS" && chmod 700 "$CLAIMS" && echo canary >"$ROOT/canary/file" && chmod 600 "$ROOT/canary/file"
before=$(find "$ROOT/canary" -printf '%p %m %u:%g %C@\n')
for c in all mapped readonly mismatch match; do fill $c; done
mkdir -m 700 "$ROOT/other" && mkdir "$CLAIMS/all/mounted" && mount --bind "$ROOT/other" "$CLAIMS/all/mounted" && touch "$CLAIMS/all/mounted/file"
chgrp 3000 "$CLAIMS/match" && chmod 2770 "$CLAIMS/match"
podd_start || exit 1
claim all all 2000
claim mapped mapped 2000 'hostUsers: false'
claim readonly readonly 2000 '' ', readOnly: true'
claim mismatch mismatch 3000 '' '' OnRootMismatch
claim match match 3000 '' '' OnRootMismatch
for p in all mapped readonly mismatch match; do ready $p; done
owned='. 2770 0:2000 ./d 2770 0:2000 ./d/fifo 660 0:2000 ./d/link 777 0:2000 ./d/setuid 4771 0:2000 ./f 660 0:2000 ./link 777 0:2000'
is "everything is the group's: to read, write and enter, and what is made later; set-user-ID stays" \
	"$(umount "$CLAIMS/all/mounted"; look all | sed 's| ./mounted [^ ]* [^ ]*||')" "$owned"
is "neither what links lead to" "$(find "$ROOT/canary" -printf '%p %m %u:%g %C@\n')" "$before"
is "nor what is mounted inside" "$(in_pod all 'stat -c "%a %g" /mnt/mounted')" "700 0"
is "its user may" "$(in_pod all 'id -G; cat /mnt/f; echo y >/mnt/f && touch /mnt/d/made && stat -c "%u:%g" /mnt/d/made' | xargs)" "1000 2000 x 1000:2000"
is "with hostUsers: false likewise" "$(look mapped)" "$owned"
is "... and inside" "$(in_pod mapped 'touch /mnt/d/made && stat -c "%u:%g" /mnt/f /mnt/d/made' | xargs)" "0:2000 1000:2000"
is "... the same ids outside" "$(stat -c %u:%g "$CLAIMS/mapped/d/made")" "1000:2000"
is "of a claim that is mounted read-only the group may read" "$(look readonly | cut -d' ' -f1-6)" ". 2750 0:2000 ./d 2750 0:2000"
is "OnRootMismatch: all of it, if its directory is not the group's" "$(look mismatch)" "${owned//2000/3000}"
is "... nothing, if it is" "$(look match)" \
	'. 2770 0:3000 ./d 700 0:0 ./d/fifo 600 0:0 ./d/link 777 0:0 ./d/setuid 4711 0:0 ./f 600 0:0 ./link 777 0:0'

chmod 600 "$CLAIMS/all/f"
old=$(member_pid all app)
podctl restart all >/dev/null
ok "a container is started anew" await 20 replaced all app "$old"
is "in the same sandbox that changes nothing" "$(stat -c %a "$CLAIMS/all/f")" 600
claim all all 4000
ok "another group makes another sandbox, and does" await 20 eval '[ "$(stat -c "%a %g" "$CLAIMS/all/f" "$CLAIMS/all/d/made" | xargs)" = "660 4000 664 4000" ]'

# --- a walk that takes its time ---

fill slow
ready all
CAUGHT=
catch() { # the child of podd that walks, stopped; others may come and go
	local n p
	for ((n = 0; n < 1000000; n++)); do
		for p in $(<"/proc/$PODD_PID/task/$PODD_PID/children"); do
			kill -STOP "$p" 2>/dev/null && [[ $(readlink /proc/"$p"/fd/* 2>/dev/null) == *volumes/slow* ]] && CAUGHT=$p && return 0
			kill -CONT "$p" 2>/dev/null
		done
	done
	false
}
# So many files that its child is caught, which is nice to who catches it.
mkdir "$CLAIMS/slow/many" && (cd "$CLAIMS/slow/many" && seq 30000 | xargs touch)
chgrp -R 0 "$CLAIMS/slow"
renice -n 10 -p "$PODD_PID" >/dev/null
claim slow slow 2000
catch
renice -n 0 -p "$PODD_PID" >/dev/null
ok "a walk under way" [ -n "$CAUGHT" ]
ok "podd answers meanwhile, and the container waits" await 20 eval '[ "$(of slow app .state.waiting.reason)" = ContainerCreating ]'
pod other <<END
  terminationGracePeriodSeconds: 0
  containers: [{name: app, image: "rootfs:/", command: [sleep, "1000"]}]
END
ok "another pod starts" ready other
rm "$PODS/slow.yaml"
ok "the pod can go, and takes the walk along" await 20 gone slow
ok "... which ends" await 20 eval '! [ -e /proc/$CAUGHT ]'
claim slow slow 2000 '' '' OnRootMismatch
ok "the next finishes what was begun" ready slow
is "all of it" "$(find "$CLAIMS/slow" ! -group 2000 | wc -l)" 0

# --- what can't be done ---

(cd "$CLAIMS" && mkdir deep && cd deep && for ((i = 0; i < 500; i++)); do mkdir d && cd d || exit; done)
claim deep deep 2000
ok "directories that nest too deep" await 20 eval 'of deep app .state.waiting.message | grep -q "nested deeper than 400"'

leaves_nothing
finish
