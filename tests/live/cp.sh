#!/bin/bash
# cp: files and directories into containers and out of them, whatever their images lack, and nothing of it leads astray.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

busybox=$(command -v busybox) || { echo "not ok 1 - busybox is installed"; exit 1; }
image=$ROOT/image here=$ROOT/here
mkdir -p "$image"/{bin,data} "$here" && cp "$busybox" "$image/bin/sleep" # no tar, no shell
podd_start || { fail "podd starts"; finish; }
pod web <<END
  terminationGracePeriodSeconds: 0
  containers:
  - {name: bare, image: "rootfs:$image", command: [/bin/sleep, "100000"]}
  - {name: user, image: "rootfs:/", command: [sleep, infinity], workingDir: /tmp, securityContext: {runAsUser: 1000, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false},
     volumeMounts: [{name: v, mountPath: /v}]}
  - {name: full, image: "rootfs:/", command: [sleep, infinity]}
  - {name: dead, image: "rootfs:/", command: ["true"]}
  volumes: [{name: v, emptyDir: {}}]
  restartPolicy: Never
END
ok "a pod runs" await 20 eval '[ -n "$(of web full .state.running)" ] && [ -n "$(of web bare .state.running)" ] && [ -n "$(of web user .state.running)" ] && [ -n "$(of web dead .state.terminated)" ]'

cd "$here" || exit 1
tree() { (cd "$1" && find . -printf '%P %y %m %l\n' | sort && find . -type f -exec sha256sum {} + | sort); } # DIRECTORY
mkdir -p t/a/b t/empty t/locked
seq 100000 >t/a/seq && printf 'x' >t/a/b/'odd name
$' && : >t/none && ln -s ../../etc/passwd t/link && ln -s nowhere t/dangling
head -c 5000000 /dev/urandom >t/random
chmod 4755 t/a/seq && chmod 600 t/none && chmod 1777 t/empty && chmod 500 t/locked
chmod 755 t/a/seq t/empty # what is kept of them
chmod 4755 t/a/seq
expected=$(chmod 755 t/a/seq && tree t && chmod 4755 t/a/seq)

# --- in and out of a container without any tool
ok "a directory goes in" podctl cp t web:/data -c bare
ok "and comes back" podctl cp web:/data/t back -c bare
is "the same, with modes and symlinks, without set-user-ID" "$(tree back)" "$expected"
ok "a file, under another name" podctl cp t/a/seq web:/data/new -c bare
ok "and back, into a directory that is there" podctl cp web:/data/new . -c bare
is "is the same" "$(sha256sum <new)" "$(sha256sum <t/a/seq)"
mkdir flat
ok "the entries of a directory" podctl cp web:/data/t/. flat -c bare
is "go right into another" "$(tree flat | grep -v '^ d')" "$(grep -v '^ d' <<<"$expected")"
echo new >t/none
ok "a copy over what is there" podctl cp t/. web:/data/t -c bare
ok "replaces files" eval 'podctl cp web:/data/t/none none -c bare && grep -qx new none'
ok "kubectl's way to name a namespace" podctl cp default/web:/data/new named -c bare

# --- as the container's user, confined as an exec
ok "as another user" podctl cp t web:/v/ -c user
is "who owns what comes" "$(podctl exec web -c user -- stat -c %u /v/t/a/seq)" 1000
like "who may not write everywhere" "$(podctl cp new web:/etc/new -c user 2>&1)" '^/etc/new: Read-only file system$'
is "that is a failure" "$(podctl cp new web:/etc/new -c user >/dev/null 2>&1; echo $?)" 1
like "nor read everything" "$(podctl cp web:/etc/shadow shadow -c user 2>&1)" '^/etc/shadow: Permission denied$'
ok "a relative path is the working directory's" eval 'podctl exec web -c full -- sh -c "echo r >/rel"; podctl cp web:rel rel -c full && grep -qx r rel'
podctl exec web -c full -- sh -c 'while [ ! -e /go ]; do sleep 0.01; done; mkdir /slow; mkfifo /slow/pipe; echo x >/slow/file' &
podctl cp new web:/go -c full
wait $!
like "a pipe is left out, and told" "$(podctl cp web:/slow slow -c full 2>&1)" '^/slow/pipe: neither a file nor a directory nor a symlink, left out$'
is "the rest comes" "$(cat slow/file)" x

# --- errors
like "nothing there" "$(podctl cp web:/nothing x -c bare 2>&1)" '^/nothing: No such file or directory$'
ok "makes nothing here" [ ! -e x ]
like "nor here" "$(podctl cp nothing web:/data -c bare 2>&1)" '^podctl: nothing: No such file or directory$'
like "no directory there" "$(podctl cp new web:/nowhere/new -c bare 2>&1)" '^/nowhere/new: No such file or directory$'
like "a container that has ended" "$(podctl cp new web:/new -c dead 2>&1)" 'container dead of pod web is not running'
like "no such pod" "$(podctl cp new nope:/new 2>&1)" 'pods "nope" not found'
is "two local paths: usage" "$(podctl cp new old >/dev/null 2>&1; echo $?)" 2

# --- a hostile source: symlinks, in the copy itself and from the one before
mkdir canary safe && echo precious >canary/file
before=$(tree canary)
in_full() { podctl exec web -c full -- sh -c "$1"; }
in_full "mkdir /evil /evil/d && ln -s $here/canary /evil/d/out && ln -s $here/canary/file /evil/d/file"
ok "symlinks come as such" podctl cp web:/evil/d safe -c full
is "with their text" "$(readlink safe/d/out)" "$here/canary"
in_full "rm /evil/d/* && mkdir /evil/d/out && echo bad >/evil/d/out/file && echo bad >/evil/d/file"
like "a directory is not put through one" "$(podctl cp web:/evil/d safe -c full 2>&1)" '^podctl: safe/d/out: (Not a directory|Too many levels of symbolic links)$'
is "a file takes its place" "$(cat safe/d/file)" bad
is "and nothing outside has changed" "$(tree canary)" "$before"
in_full 'printf x >"/evil/$(printf "\033[2Jx")"; mkfifo "/evil/$(printf "\033[2Jp")"'
unlike "names do not drive a terminal" "$(podctl cp web:/evil evil -c full 2>&1)" "$(printf '\033')"

leaves_nothing
finish
