#!/bin/bash
# Images from files, from the manifest to the process: imported on first use, shared, honoured, kept as long as they are wanted.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

WORK=$ROOT/work LAYOUT=$ROOT/work/layout STORE=$ROOT/var/lib/podd/images DROPINS=$ROOT/var/lib/podd/images.d
export TMPDIR=$WORK HOME=$WORK
mkdir -p "$WORK"
mount -t tmpfs -o mode=755 work "$WORK"

# --- images, made by umoci and skopeo -----------------------------------------------------------------------------------------------

quietly() { "$@" >>"$WORK/tools.log" 2>&1 || { fail "$*"; tail -n 5 "$WORK/tools.log" | sed 's/^/# /'; }; }
insert() { quietly umoci insert --image "$LAYOUT:$1" "$2" "$3"; } # TAG SOURCE TARGET: one more layer
config() { quietly umoci config --image "$LAYOUT:$1" "${@:2}"; }
docker_archive() { quietly skopeo --insecure-policy copy -q "oci:$LAYOUT:$1" "docker-archive:$2:$3"; } # TAG FILE NAME
oci_archive() { quietly skopeo --insecure-policy copy -q "oci:$LAYOUT:$1" "oci-archive:$2:$1"; }       # TAG FILE

base=$WORK/base
mkdir -p "$base"/{bin,etc,proc,sys,dev,tmp,root}
cp "$(command -v busybox)" "$base/bin/busybox"
for tool in sh cat echo id sleep ls env pwd true; do ln -s busybox "$base/bin/$tool"; done
printf 'root:x:0:0::/root:/bin/sh\nweb:x:33:34:web:/srv/web:/bin/sh\n' >"$base/etc/passwd"
printf 'root:x:0:\nweb:x:34:\nmail:x:8:web\nadm:x:4:root\n' >"$base/etc/group"
quietly umoci init --layout "$LAYOUT"
quietly umoci new --image "$LAYOUT:base"
insert base "$base" /
config base --config.entrypoint /bin/sh --config.entrypoint -c --config.cmd 'echo base; sleep 1000' --config.env FROM=image --config.env KEPT=image
for name in red blue; do
	mkdir -p "$WORK/$name"
	echo $name >"$WORK/$name/colour"
	quietly umoci tag --image "$LAYOUT:base" $name
	insert $name "$WORK/$name" /etc/$name
	config $name --config.user web:mail --config.workingdir /srv/app --config.stopsignal SIGQUIT \
		--config.cmd "trap 'echo quit; exit 3' QUIT; echo \$(cat /etc/$name/colour) \$FROM \$KEPT \$HOME \$(pwd) \$(id -u):\$(id -g) \$(id -G)
		while :; do sleep 0.1; done"
done
docker_archive red "$WORK/red.tar" registry.example/red:1
oci_archive blue "$WORK/blue.tar"
quietly skopeo --insecure-policy copy -q "oci:$LAYOUT:red" "oci:$LAYOUT:many"
head -c 40000000 /dev/urandom >"$WORK/noise"
mkdir -p "$WORK/big/x" && mv "$WORK/noise" "$WORK/big/a"
quietly umoci tag --image "$LAYOUT:base" big
insert big "$WORK/big" /big
oci_archive big "$WORK/big.tar"

events_of() { podctl events -A -o json 2>/dev/null | jq -r --arg p "$1" '.items[] | select(.involvedObject.name == $p) | "\(.reason): \(.message)"'; } # POD
reason_is() { [ "$(of "$1" "$2" .state.waiting.reason)" = "$3" ]; } # POD CONTAINER REASON
layers() { ls "$STORE/layers"; }
layer_count() { layers | wc -l; }
image_of() { podctl image inspect "$1" | jq -r "$2"; } # NAME FILTER
imported() { podctl image inspect "$1" >/dev/null 2>&1; }
idle() { [ -z "$(ls "$STORE/tmp")" ]; }

podd_start || { fail "podd starts"; finish; }

# --- archives in manifests ------------------------------------------------------------------------------------------------------------

pod red <<END
  terminationGracePeriodSeconds: 5
  containers:
  - {name: app, image: "docker-archive:$WORK/red.tar", env: [{name: FROM, value: manifest}]}
END
pod blue <<END
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "oci-archive:$WORK/blue.tar:blue"}
  - {name: other, image: "oci:$LAYOUT:base", command: ["/bin/sh", -c], args: ["echo \$(GIVEN) \$FROM; pwd; sleep 1000"], env: [{name: GIVEN, value: given}], workingDir: /made}
END
ok "a container of a docker-archive runs" ready red
ok "containers of an oci-archive and of an oci directory run" ready blue
ok "Cmd, User by name, its groups, HOME, WorkingDir, and Env below the manifest's" await 20 said red app '^red manifest image /srv/web /srv/app 33:8 8$'
ok "each container sees its own image" await 20 said blue app '^blue image image /srv/web /srv/app 33:8 8$'
ok "command and args take the place of Entrypoint and Cmd" await 20 said blue other '^given image$'
is "the base's layer is there once, each other once" "$(layer_count)" 3
is "imageID is the image's own" "$(of red app .imageID)" "$(image_of "docker-archive:$WORK/red.tar" .id)"
like "Pulling and Pulled are told as the kubelet does" "$(events_of red | paste -sd " ")" "Pulling: Pulling image \"docker-archive:$WORK/red.tar\".*Pulled: Successfully pulled image \"docker-archive:$WORK/red.tar\" in [0-9.]+s"
is "a session runs as the image's user, in its directory" "$(podctl exec red -- sh -c 'id -u; pwd; echo $KEPT' | paste -sd ' ')" "33 /srv/app image"
ok "podctl plan reads the image" eval 'podctl plan "$PODS/red.yaml" | grep -q "uid 33 gid 8 groups"'
ok "the store is whole" podctl image fsck

before=$(member_pid red app)
podd_kill
podd_start
is "podd restarted: the container runs on, its image is known" "$(member_pid red app) $(of red app .imageID)" "$before $(image_of "docker-archive:$WORK/red.tar" .id)"
is "and a session is as before" "$(podctl exec red -- sh -c 'id -u; pwd; echo $KEPT' | paste -sd ' ')" "33 /srv/app image"

# --- what a tag or file becomes later ---------------------------------------------------------------------------------------------------

old=$(of red app .imageID)
docker_archive blue "$WORK/new.tar" registry.example/red:2
mv "$WORK/new.tar" "$WORK/red.tar"
is "a changed file alone restarts nothing" "$(member_pid red app) $(of red app .imageID)" "$before $old"
podctl restart red >/dev/null
ok "the next start runs what is in the file now" await 20 said red app '^blue manifest'
ok "stopped by the image's StopSignal" eval '[ "$(of red app .lastState.terminated.exitCode)" = 3 ]'
like "imageID is another" "$(of red app .imageID)" "^sha256:$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "blue") | .digest' "$LAYOUT/index.json" | sed 's/sha256://' | xargs -I{} jq -r .config.digest "$LAYOUT/blobs/sha256/{}" | sed 's/sha256://')$"

# --- names ------------------------------------------------------------------------------------------------------------------------------

pod named <<END
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: registry.example/red:1}
  - {name: never, image: registry.example/never, imagePullPolicy: Never}
  - {name: bad, image: Nginx}
  - {name: fine, image: "oci:$LAYOUT:base", imagePullPolicy: Never}
END
ok "a name that is not in the store: ErrImagePull, then ImagePullBackOff" await 20 reason_is named app ImagePullBackOff
like "the message names the ways out" "$(of named app .state.waiting.message)" "podctl import.*$DROPINS"
ok "policy Never: ErrImageNeverPull" await 20 reason_is named never ErrImageNeverPull
is "in the kubelet's words" "$(of named never .state.waiting.message)" 'Container image "registry.example/never" is not present with pull policy of Never'
ok "a name that is none: InvalidImageName" await 20 reason_is named bad InvalidImageName
ok "policy Never of what is there: runs" await 20 eval '[ -n "$(of named fine .state.running)" ]'
docker_archive red "$WORK/by-hand.tar" registry.example/red:1
is "podctl import takes an archive" "$(podctl import "$WORK/by-hand.tar")" "registry.example/red:1 imported"
ok "the container that waited for it starts at once" await 20 eval '[ -n "$(of named app .state.running)" ]'
like "podctl images lists it" "$(podctl images)" 'registry.example/red:1 +[0-9a-f]{12} +2 +[0-9.]+MB +wanted'
like "what is no archive is refused by name" "$(podctl import "$PODS/named.yaml" 2>&1)" "named.yaml: .*"

# --- drop-ins ---------------------------------------------------------------------------------------------------------------------------

docker_archive blue "$WORK/drop.tar" registry.example/never:latest
cp "$WORK/drop.tar" "$DROPINS/drop.tar"
ok "an archive in images.d is imported and its container starts" await 20 eval '[ -n "$(of named never .state.running)" ]'
ok "it is pinned" await 20 eval '[ "$(image_of registry.example/never .pinned)" = true ]'
rm "$PODS/named.yaml"
await 20 gone named
podctl prune >/dev/null
ok "a pinned image is not pruned" imported registry.example/never
ok "an image that nobody names is" eval '! imported registry.example/red:1'
rm "$DROPINS/drop.tar"
ok "without its file it is unpinned" await 20 eval '[ "$(image_of registry.example/never .pinned)" = false ]'

# --- prune ------------------------------------------------------------------------------------------------------------------------------

podctl stop red >/dev/null
podctl prune >/dev/null
ok "an image that a pod names is kept while the pod is stopped" imported "docker-archive:$WORK/red.tar"
ok "and one that nobody names goes" eval '! imported registry.example/never'
podctl start red >/dev/null
ok "the pod starts again from the store" ready red
rm "$WORK/red.tar"
podctl restart red >/dev/null
ok "also when the file is gone" eval 'now=$(member_pid red app); podctl restart red >/dev/null; await 20 replaced red app "$now"'
await 20 idle
ok "the store is whole after it all" podctl image fsck

# Waits for an import to have unpacked something and stops it there, so that it takes as long as the test needs. Without a fork: it is soon
# done, though nice meanwhile.
catch() { # what standard input makes the pod big
	local n p name work
	await 20 idle
	renice -n 10 -p "$PODD_PID" >/dev/null
	pod big
	for ((n = 0; n < 2000000; n++)); do
		work=("$STORE"/tmp/*/*)
		[ -e "${work[0]}" ] && break
	done
	for p in /proc/[0-9]*; do
		name=
		{ read -r -d '' name <"$p/cmdline"; } 2>/dev/null
		[ "$name" != podd-image ] || kill -STOP "${p#/proc/}"
	done
	renice -n 0 -p "$PODD_PID" >/dev/null
	[ -e "${work[0]}" ]
}

# --- interruptions ----------------------------------------------------------------------------------------------------------------------

ok "an import under way" catch <<END
  terminationGracePeriodSeconds: 600
  containers:
  - {name: app, image: "oci-archive:$WORK/big.tar:big"}
END
rm "$PODS/big.yaml"
ok "a pod that is deleted meanwhile is gone at once, whatever its grace" await 20 gone big
ok "the import ended with it" eval '! imported "oci-archive:$WORK/big.tar:big"'
ok "an import under way again" catch <<END
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "oci-archive:$WORK/big.tar:big"}
END
podd_kill
ok "it dies with podd" await 20 eval '! grep -qsaz podd-image /proc/[0-9]*/cmdline'
podd_start
ok "the next podd imports it" ready big
ok "and nothing is left of the first" await 20 idle

# --- many layers ------------------------------------------------------------------------------------------------------------------------

config many --config.user root --config.workingdir / --config.cmd 'ls /layers | wc -l; cat /layers/top; sleep 1000'
mkdir -p "$WORK/layer"
for ((i = 3; i <= 100; i++)); do
	echo $i >"$WORK/layer/top"
	rm -f "$WORK/layer"/z*
	ln -s top "$WORK/layer/z$i"
	insert many "$WORK/layer" /layers
done
oci_archive many "$WORK/many.tar"
pod many <<END
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: "oci-archive:$WORK/many.tar:many"}
END
ok "an image of a hundred layers runs" ready many
is "it has them all" "$(image_of "oci-archive:$WORK/many.tar:many" '.layers | length')" 100
ok "in their order: the topmost file wins, every layer shows" await 20 eval '[ "$(podctl logs many | paste -sd " ")" = "99 100" ]'

leaves_nothing
podctl prune >/dev/null
is "with all pods gone prune leaves nothing" "$(podctl images | wc -l) $(layer_count) $(ls "$STORE/blobs/sha256" | wc -l)" "1 0 0"
podd_stop
finish
