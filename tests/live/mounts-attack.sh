#!/bin/bash
# Containers that attack what is mounted for their neighbours, what podd writes and deletes, and the host's disk: the host must not notice.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
. "$srcdir/tests/lib/image.sh"

STARTS=${STARTS:-100}
canary=$ROOT/canary
mkdir -p "$canary/dir" && echo precious >"$canary/file"
look() { find "$canary" -printf '%P %y %m %U:%G %s %T@ %C@\n' | sort; cat "$canary/file"; cat /proc/sys/kernel/core_pattern; }
before=$(look)
unharmed() { [ "$(look)" = "$before" ]; }
in_it() { podctl exec "$1" -c "${3:-app}" -- sh -c "$2" 2>&1; }
exchange=316 # renameat2(2)
[ "$(uname -m)" = x86_64 ] || exchange=276
podd_start || exit 1

# --- a neighbour swaps what podd mounts on, or makes it in, for a link to the host's files -----------------------------------------------------

# Three places: a directory that is there, one that podd makes, and a file that it makes. And what is mounted, for a link to podd's own files.
mkdir -p "$ROOT/parent/a/there" "$ROOT/parts" && echo part >"$ROOT/parts/file" && ln -s "$canary" "$ROOT/parent/link" && mkdir "$canary/there"
mkdir "$ROOT/parent/source" && touch "$ROOT/parent/source/good" && ln -s "$ROOT/run/podd" "$ROOT/parent/own"
before=$(look)
pod parent <<END
  terminationGracePeriodSeconds: 0
  volumes:
  - {name: v, hostPath: {path: $ROOT/parent}}
  - {name: w, emptyDir: {}}
  - {name: parts, hostPath: {path: $ROOT/parts}}
  - {name: source, hostPath: {path: $ROOT/parent/source, type: Directory}}
  containers:
  - name: racer
    image: rootfs:/
    command: [perl, -e, 'chdir "/mnt" or die; my @names = qw(a link source own source own); while (1) { for (0, 2, 4) { syscall($exchange, -100, \$names[\$_], -100, \$names[\$_ + 1], 2) == 0 or die } }']
    volumeMounts: [{name: v, mountPath: /mnt}]
  - name: app
    image: rootfs:/
    command: [sh, -c, 'for f in /v/a/there /v/a/made; do touch \$f/x; done; echo x >/v/a/new; [ -e /source/good ] || touch /v/stolen']
    volumeMounts:
    - {name: v, mountPath: /v}
    - {name: w, mountPath: /v/a/there}
    - {name: w, mountPath: /v/a/made}
    - {name: parts, subPath: file, mountPath: /v/a/new}
    - {name: source, mountPath: /source}
END
sed -i 's/^metadata:/metadata:\n  annotations: {podd.dev\/restart-backoff: "initial=1ms, max=1ms"}/' "$PODS/parent.yaml"
tries() { # POD CONTAINER REASON...: how often the container was started, or failed to
	podctl events --for "$1" -o json | jq --arg f "{$2}" '[.items[] | select(.involvedObject.fieldPath // "" | contains($f)) |
		select(.reason | IN($ARGS.positional[])) | .count // 1] | add // 0' --args "${@:3}"
}
ok "$STARTS starts, while a neighbour swaps the parent of three mounts for a link" await $((200 + STARTS)) eval '[ "$(tries parent app Started Failed)" -ge "$STARTS" ]'
is "it was swapped all the time" "$(of parent racer '.restartCount | tostring')" 0
told() { podctl events --for parent | grep -qF -- "$1"; }
ok "some starts went well" await 200 eval '[ "$(tries parent app Started)" -ge 1 ]'
ok "... some found the link" await 200 told 'mounting on /v/a/'
ok "... some podd's own directory in the place of what they mount" await 200 told "hostPath $ROOT/parent/source belongs to podd"
ok "... which none of them has seen" [ ! -e "$ROOT/parent/stolen" ]
rm "$PODS/parent.yaml"

# An image made a volume's place a link to /dev, so what podd makes there is the neighbour's to swap: nodes, terminals, the termination log.
image_base "$ROOT/dev" && ln -s /dev "$ROOT/dev/data"
pod dev <<END
  terminationGracePeriodSeconds: 0
  volumes: [{name: v, emptyDir: {}}]
  containers:
  - name: racer
    image: rootfs:/
    command:
    - perl
    - -e
    - |
      chdir "/mnt" or die;
      my @names = qw(null tty ptmx console pts shm termination-log);
      for (@names) { mkdir if /pts|shm/; symlink /pts|shm/ ? "$canary" : "/proc/sys/kernel/core_pattern", "link-\$_" or die }
      while (1) { for (@names) { my (\$a, \$b) = (\$_, "link-\$_"); syscall($exchange, -100, \$a, -100, \$b, 2) } }
    volumeMounts: [{name: v, mountPath: /mnt}]
  - &app
    name: app
    image: "rootfs:$ROOT/dev"
    command: [sh, -c, 'for f in /dev/*; do echo "|/bin/bad" >\$f; done; echo "|/bin/bad" >/proc/sys/kernel/core_pattern; touch /dev/pts/x /dev/shm/x']
    volumeMounts: [{name: v, mountPath: /data}]
  - {<<: *app, name: app-tty, tty: true}
END
sed -i 's/^metadata:/metadata:\n  annotations: {podd.dev\/restart-backoff: "initial=1ms, max=1ms"}/' "$PODS/dev.yaml"
ok "20 starts below a /dev that a neighbour swaps" await 200 eval '[ "$(tries dev app Started)" -ge 1 ] && [ "$(tries dev app Started Failed)" -ge 20 ]'
ok "... and with a terminal" await 200 eval '[ "$(tries dev app-tty Started Failed)" -ge 20 ]'
is "... all the time" "$(of dev racer '.restartCount | tostring')" 0
ok "nothing of the host was written to, nothing made there" unharmed
rm "$PODS"/*.yaml

# --- /proc, /sys and the cgroups ------------------------------------------------------------------------------------------------------------

printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {key: value}\n' | put config.yaml
pod attacker <<END
  terminationGracePeriodSeconds: 0
  volumes: [{name: e, emptyDir: {}}, {name: c, configMap: {name: c}}, {name: claim, persistentVolumeClaim: {claimName: kept}}]
  containers:
  - {name: app, image: "rootfs:/", command: [sleep, "1000"], volumeMounts: [{name: e, mountPath: /mnt/e}, {name: c, mountPath: /mnt/c}, {name: claim, mountPath: /mnt/claim}]}
END
for path in /proc /proc/ /proc/self/attr //proc/../proc /proc/sys /dev /dev/null /dev/pts /dev//pts/ /sys /sys/fs/cgroup; do
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: a, image: "rootfs:/", volumeMounts: [{name: e, mountPath: "%s"}]}]\n  volumes: [{name: e, emptyDir: {}}]\n' "$path" >"$ROOT/mount.yaml"
	like "no volume takes the place of $path, where a neighbour could put links for podd" "$(podctl validate "$ROOT/mount.yaml" 2>&1)" 'mountPath: .*(not supported by podd|must|Invalid)'
done
ready attacker
is "no hierarchy of cgroups can be mounted, no user namespace made to try in, nothing written above" \
	"$(in_it attacker 'for c in cpu cpuacct cpuset memory devices freezer blkio pids net_cls perf_event hugetlb rdma; do mkdir -p /tmp/$c; mount -t cgroup -o $c none /tmp/$c 2>/dev/null && echo mounted $c; done
		mount -t cgroup2 none /tmp/cpu 2>/dev/null && echo mounted; unshare -UrmC true 2>/dev/null && echo unshared
		for f in $(find /sys/fs/cgroup -name release_agent -o -name notify_on_release -o -name cgroup.procs -o -name tasks); do echo 1 2>/dev/null >$f && echo wrote $f; done; true')" ""

# --- what podd writes to and deletes ----------------------------------------------------------------------------------------------------------

like "where podd writes files, nobody else does" "$(in_it attacker "ln -sfn $canary /mnt/c/..data; ln -s $canary/file /mnt/c/key2")" 'Read-only.*Read-only|Read-only'
in_it attacker "cd /mnt/e && ln -s $canary out && ln -s $canary/file file && mkdir d && ln -s $canary d/out && touch 'a
b' \$(printf 'c\\033[2J') -- -rf && mkfifo pipe && chmod 0 d" >/dev/null
in_it attacker 'cd /mnt/e && perl -e "for (1 .. 3000) { mkdir q(d) or die; chdir q(d) or die }"' >/dev/null
volume=$ROOT/var/lib/podd/pods/$(pod_uid attacker)/volumes/e
mkdir "$volume/mounted" && mount --bind "$canary/dir" "$volume/mounted"
touch "$canary/dir/kept" && before=$(look)

# --- whom podd's directories let in -------------------------------------------------------------------------------------------------------------

nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@" 2>/dev/null; }
is "no user of the host finds a file of a pod" \
	"$(nobody find "$ROOT/var/lib/podd" "$ROOT/run/podd" "$ROOT/var/log/pods" -mindepth 1 ! -type d | wc -l)" 0
is "nor connects to a socket" "$(nobody find "$ROOT/run/podd" -type s | wc -l)" 0

# --- the disk ------------------------------------------------------------------------------------------------------------------------------------

used() { df --output=used -B1 "$ROOT/var/lib/podd" | tail -n 1; }
full=$(in_it attacker 'for f in /dev/shm/x /dev/x; do head -c 200000000 /dev/zero >$f; rm -f $f; done; for f in /etc/hosts /etc/hostname /etc/resolv.conf; do head -c 100000000 /dev/zero >>$f; done')
is "what podd gives a container has an end of its own, or can't be written" "$(grep -cE 'No space|Read-only' <<<"$full")" 5

umount "$volume/mounted"
rm "$PODS"/*.yaml
ok "a pod that left links, deep directories and strange names is gone" await 60 gone attacker
trash() { find "$ROOT/var/lib/podd/trash" -mindepth 1 2>/dev/null | head -n 3; }
ok "and all that it left" await 60 eval '[ -z "$(trash)" ]'
ok "but nothing that links led to" unharmed

leaves_nothing
finish
