#!/bin/bash
# Images that umoci, skopeo and buildah build look, unpacked and mounted, as umoci unpacks them: modes, owners, times, links, attributes.
. "${srcdir:-$(dirname "$0")/../..}/tests/image/lib.sh"

same() { # NAME LAYOUT:TAG TRANSPORT SOURCE REFERENCE [ARGUMENT...]: what podd-image makes of SOURCE is what umoci unpacks of LAYOUT:TAG
	local name=$1 peer=$2 transport=$3 source=$4 reference=$5
	shift 5
	if ! podd_image "$source" --transport "$transport" "$@" >result; then
		fail "$name: $(cat result)"
		return
	fi
	local since=$EPOCHSECONDS
	rm -rf peer
	umoci unpack --image "$peer" peer >/dev/null 2>&1 || fail "$name: umoci unpacks"
	mount_image "$reference" "$PWD/mnt" || { fail "$name: mounted"; return; }
	ok "$name: the same files" "$srcdir/tests/image/tree.py" peer/rootfs mnt "$since"
	umount mnt
}

# --- umoci: one layer of everything, then 29 more that change it -------------------------------------------------------------------

umoci init --layout layout && umoci new --image layout:base && umoci unpack --image layout:base bundle >/dev/null
r=bundle/rootfs
long=$(printf 'n%.0s' $(seq 200))
mkdir -p $r/{etc,bin,opt/opaque/deep,srv,opt/gone/deep,opt/over/deep,var/many,tmp,$long/$long}
echo one >$r/etc/one && ln $r/etc/one $r/etc/two && ln $r/etc/one $r/bin/three
ln -s ../etc/one $r/bin/link && ln -s /nowhere $r/bin/dangling && ln $r/bin/dangling $r/bin/dangling2
cp "$(command -v busybox)" $r/bin/busybox && chmod 4755 $r/bin/busybox
cp $r/bin/busybox $r/bin/capable && chmod 755 $r/bin/capable && setcap cap_net_raw,cap_net_bind_service+ep $r/bin/capable
chmod 1777 $r/tmp && chmod 2775 $r/opt && chown 1000:2000 $r/opt && chown 4000000000:3000000000 $r/etc/two
setfattr -n user.note -v value $r/etc/one && setfattr -n user.note -v directory $r/opt/opaque
truncate -s 64M $r/var/sparse && echo end >>$r/var/sparse
echo x >"$r/$long/$long/$(printf 'é%.0s' $(seq 100))" && echo y >"$r/$(printf 'e\314\201')" && echo z >"$r/$(printf 'caf\351')" && echo w >"$r/new
line"
touch -d '1969-12-31 12:00:00' $r/etc/old && touch -d '2106-01-01' $r/etc/late && touch -d '2001-02-03 04:05:06.789' $r/etc/fraction
mkfifo $r/tmp/fifo && mknod $r/tmp/null c 1 3 && mknod $r/tmp/disk b 8 0
echo secret >$r/etc/secret && chmod 0 $r/etc/secret
for f in opaque/a opaque/deep/b gone/c gone/deep/d over/e over/deep/f; do echo $f >$r/opt/$f; done
chmod 750 $r && chown 0:5 $r
umoci repack --refresh-bundle --image layout:base bundle >/dev/null || fail "umoci packs"
(cd $r/var/many && seq -f 'file%g' 10000 | xargs touch -d '2020-02-02')
umoci repack --image layout:many bundle >/dev/null
same "umoci, many files" layout:many oci layout oci:/layout:many --name oci:/layout:many --select many

umoci tag --image layout:base thirty
mkdir -p new && echo new >new/file && umoci insert --image layout:thirty --opaque new /opt/opaque
umoci insert --image layout:thirty --whiteout /opt/gone && umoci insert --image layout:thirty --whiteout /etc/old
umoci insert --image layout:thirty --whiteout /opt/over && umoci insert --image layout:thirty new /opt/over
for i in $(seq 6 30); do
	echo "$i" >add && umoci insert --image layout:thirty add "/srv/layer$((i % 7))/file$i"
done
layers=$(umoci stat --image layout:thirty --json | jq '[.history[] | select(.empty_layer != true)] | length')
ok "the image has 30 layers" [ "$layers" -ge 30 ]
same "umoci, $layers layers" layout:thirty oci layout oci:/layout:thirty --name oci:/layout:thirty --select thirty
ok "the first layer is shared with the other image" [ "$(ls "$STORE/layers" | wc -l)" = $((layers + 1)) ]

# --- skopeo: the other formats -----------------------------------------------------------------------------------------------------

skopeo copy -q oci:layout:thirty oci-archive:thirty.tar:example.org/thirty:1
skopeo copy -q oci:layout:thirty docker-archive:docker.tar:example.org/docker:1
skopeo copy -q --dest-compress-format zstd --dest-compress oci:layout:thirty oci:zstd:t
rm -rf "$STORE" && mkdir "$STORE"
same "skopeo, oci-archive" layout:thirty archive thirty.tar example.org/thirty:1 --stem thirty
ok "its drop-in is pinned" [ "$(podd_image thirty.tar --transport archive --stem x --pin >/dev/null && record example.org/thirty:1 .pinned)" = true ]
rm -rf "$STORE" && mkdir "$STORE"
same "skopeo, docker-archive" layout:thirty archive docker.tar example.org/docker:1 --stem thirty
rm -rf "$STORE" && mkdir "$STORE" && gzip -1 docker.tar
same "docker-archive, compressed as a whole" layout:thirty docker-archive docker.tar.gz docker-archive:/d --name docker-archive:/d
rm -rf "$STORE" && mkdir "$STORE"
ok "skopeo packed with zstd" grep -q 'tar+zstd' zstd/blobs/sha256/*
# Debian's umoci reads no zstd: skopeo, which unpacks it, stands between.
skopeo copy -q --dest-decompress oci:zstd:t dir:plain && skopeo copy -q dir:plain oci:unzstd:t
same "skopeo, zstd" unzstd:t oci zstd oci:/zstd --name oci:/zstd
# podman unpacks zstd by itself. Its vfs driver copies each layer whole, which cuts hard links and touches directories: those are not compared.
p() { podman --root "$ROOT/p" --runroot "$ROOT/pr" --storage-driver vfs "$@"; }
listing() { (cd "$1" && find . -printf '%P %y %m %U:%G %l\n' | sort && find . -type f -exec sha256sum {} + | sort); }
image=$(p pull -q oci:zstd:t 2>pulled) && seen=$(p image mount "$image")
if [ -n "$seen" ] && mount_image oci:/zstd "$PWD/mnt"; then
	ok "podman unpacks the same from it" diff <(listing "$seen") <(listing mnt)
	umount mnt
	p image umount "$image" >/dev/null
else
	fail "podman pulls zstd: $(cat pulled)"
fi

# --- buildah ---------------------------------------------------------------------------------------------------------------------

b() { buildah --root "$ROOT/b" --runroot "$ROOT/br" --storage-driver vfs "$@"; }
mkdir -p files/sub && echo f >files/f && ln files/f files/sub/g && chmod 6755 files/f && ln -s f files/l
c=$(b from scratch)
b copy -q "$c" files /data >/dev/null && b config --entrypoint '["/data/f","-x"]' --cmd 'a b' --env 'A=b c' --user 1000:7 --workingdir /data \
	--stop-signal SIGQUIT --label l=m "$c" && b commit -q "$c" oci-archive:built.tar:built:1 >/dev/null
skopeo copy -q oci-archive:built.tar oci:built:1
same "buildah" built:1 oci-archive built.tar oci-archive:/b --name oci-archive:/b
is "its configuration" "$(record oci-archive:/b '.config | [.entrypoint, .cmd, .env, .user, .workingDir, .stopSignal] | tojson')" \
	'[["/data/f","-x"],["a","b"],["A=b c"],"1000:7","/data","SIGQUIT"]'
is "a name without a tag's repository" "$(podd_image built.tar --transport archive --stem drop | jq -r '.references[0]')" docker.io/library/built:1

is "nothing stays in tmp" "$(ls "$STORE/tmp")" ""
finish
