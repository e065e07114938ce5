#!/bin/bash
# Volumes of images: all layers, read-only and without execution, chosen once for a sandbox, kept by prune.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
. "$srcdir/tests/lib/image.sh"

waits_for() { of "$1" "$2" ".state.waiting | tostring" | grep -qE -- "$3"; } # POD CONTAINER PATTERN
in_pod() { podctl exec "$1" -c "$2" -- sh -c "$3" 2>&1; }
imported() { podctl image inspect "$1" >/dev/null 2>&1; }
archive() { # FILE NAME DIRECTORY...: one layer of each directory
	local work d
	work=$(mktemp -d "$ROOT/archive-XXXXXX")
	for d in "${@:3}"; do tar -C "$d" --numeric-owner -cf "$work/${d##*/}.tar" .; done
	(cd "$work" && for d in "${@:3}"; do sha256sum "${d##*/}.tar"; done) | jq -R 'split("  ")' |
		jq -s '{architecture: "amd64", os: "linux", config: {}, rootfs: {type: "layers", diff_ids: map("sha256:" + .[0])}}' >"$work/config.json"
	jq -n --arg name "$2" '[{Config: "config.json", RepoTags: [$name], Layers: ($ARGS.positional | map(. + ".tar"))}]' \
		--args "${@##*/}" | jq '.[0].Layers |= .[2:]' >"$work/manifest.json"
	tar -C "$work" -cf "$1.part" . && mv "$1.part" "$1"
	rm -r "$work"
}

mkdir -p "$ROOT"/{low,high,next}/models
echo one >"$ROOT/low/models/a" && echo low >"$ROOT/low/models/b" && echo high >"$ROOT/high/models/b"
echo two >"$ROOT/next/models/a" && echo next >"$ROOT/next/models/b"
cp "$(command -v busybox)" "$ROOT/low/models/run" && chmod 4755 "$ROOT/low/models/run"
ln -s ../models "$ROOT/low/models/within" && ln -s /etc "$ROOT/low/models/out"
mkdir -p "$ROOT/directory" && echo plain >"$ROOT/directory/file"
archive "$ROOT/models.tar" registry.example/models:1 "$ROOT/low" "$ROOT/high"
archive "$ROOT/single.tar" registry.example/single:1 "$ROOT/low"
podd_start || exit 1

images() { # NAME [MORE OF THE SPEC]
	pod "$1" <<END
  terminationGracePeriodSeconds: 0
  ${2:-}
  volumes:
  - {name: models, image: {reference: "docker-archive:$ROOT/models.tar", pullPolicy: ${3:-IfNotPresent}}}
  - {name: single, image: {reference: "docker-archive:$ROOT/single.tar"}}
  - {name: directory, image: {reference: "rootfs:$ROOT/directory"}}
  containers:
  - name: app
    image: rootfs:/
    command: [sleep, "1000"]
    env: [{name: PART, value: models}]
    volumeMounts:
    - {name: models, mountPath: /mnt/models}
    - {name: models, mountPath: /mnt/part, subPathExpr: \$(PART)/b}
    - {name: single, mountPath: /mnt/single}
    - {name: single, mountPath: /mnt/within, subPath: models/within}
    - {name: directory, mountPath: /mnt/directory}
END
}
images web "" Always
images own "hostUsers: false"
pod waits <<END
  terminationGracePeriodSeconds: 0
  volumes: [{name: later, image: {reference: "registry.example/later:1"}}, {name: never, image: {reference: registry.example/never, pullPolicy: Never}},
    {name: out, image: {reference: "docker-archive:$ROOT/single.tar"}}]
  containers:
  - {name: later, image: "rootfs:/", command: [sleep, "1000"], volumeMounts: [{name: later, mountPath: /mnt}]}
  - {name: never, image: "rootfs:/", command: [sleep, "1000"], volumeMounts: [{name: never, mountPath: /mnt}]}
  - {name: out, image: "rootfs:/", command: [sleep, "1000"], volumeMounts: [{name: out, mountPath: /mnt, subPath: models/out}]}
  - {name: none, image: "rootfs:/", command: [sleep, "1000"], volumeMounts: [{name: out, mountPath: /mnt, subPath: models/none}]}
END
ready web
ready own
for p in web own; do
	is "$p: all layers, the upper ones first; a part by a variable; one layer; a link inside; a directory" \
		"$(in_pod $p app 'cd /mnt; cat models/models/a models/models/b part single/models/b within/a directory/file' | xargs)" \
		"one high high low one plain"
	is "$p: read-only, no execution, no set-user-ID, no devices" \
		"$(in_pod $p app 'for m in models part single within directory; do grep " /mnt/$m " /proc/self/mounts | cut -d" " -f4 | grep -oE "^ro|nosuid|nodev|noexec" | xargs; done' | sort -u)" \
		"ro nosuid nodev noexec"
	like "$p: nobody writes to it" "$(in_pod $p app 'touch /mnt/single/x')" \
		'Read-only'
	like "$p: nor runs its programs" "$(in_pod $p app '/mnt/single/models/run true')" 'ermission denied'
	is "$p: root's files are root's" "$(in_pod $p app 'stat -c %u:%g /mnt/models/models/a /mnt/single/models/a' | xargs)" "0:0 0:0"
done
ok "an image that is not there: ErrImagePull, then ImagePullBackOff" await 20 waits_for waits later ImagePullBackOff
ok "policy Never: ErrImageNeverPull" await 20 waits_for waits never 'ErrImageNeverPull.*present with pull policy of Never'
ok "a part that leads out" await 20 waits_for waits out 'models/out on /mnt: leads out of the image'
ok "a part that is not there" await 20 waits_for waits none 'models/none on /mnt: No such file'
image "$ROOT/later.tar" registry.example/later:1 "$ROOT/directory" '{}'
podctl import "$ROOT/later.tar" >/dev/null
ok "one that comes starts who waits for it" await 20 eval '[ -n "$(of waits later .state.running)" ]'
rm "$PODS/waits.yaml"

# --- what its reference becomes ---

mnt() { in_pod "$1" app 'cat /mnt/models/models/a'; }
archive "$ROOT/models.tar" registry.example/models:1 "$ROOT/next"
old=$(member_pid web app)
podctl restart web >/dev/null
ok "a container is started anew in its sandbox" await 20 replaced web app "$old"
is "what the file has become counts for the next sandbox" "$(mnt web)" one
podd_kill
podd_start
rm "$ROOT/models.tar"
podctl prune >/dev/null
old=$(member_pid web app)
podctl restart web >/dev/null
ok "also for the next podd, when the file is gone and all that nobody names was removed" await 20 replaced web app "$old"
is "it is the same" "$(mnt web)" one
archive "$ROOT/models.tar" registry.example/models:1 "$ROOT/next"
podctl stop web >/dev/null
await 20 eval '! podctl get pod web -o json | jq -e ".status.containerStatuses[0].state.running" >/dev/null'
podctl start web >/dev/null
ready web
is "policy Always: the next sandbox has the new one" "$(mnt web)" two
is "the other pod has what it had" "$(mnt own)" one
sed -i "s|docker-archive:$ROOT/models.tar|rootfs:$ROOT/next|" "$PODS/own.yaml"
ok "an edit of the reference starts the container anew" await 20 eval '[ "$(mnt own)" = two ]'

leaves_nothing
podctl prune >/dev/null
is "with all pods gone prune leaves nothing" "$(podctl images | wc -l) $(ls "$ROOT/var/lib/podd/images/layers" | wc -l)" "1 0"
podd_stop
finish
