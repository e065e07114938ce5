# podd-image alone, in a throw-away host: $STORE is its store.
. "${srcdir:-$(dirname "$0")/../..}/tests/lib/host.sh"
mkdir "$ROOT/work" && cd "$ROOT/work" || exit 1
# In memory, where a sync costs nothing; older kernels have no user attributes there.
mount -t tmpfs -o mode=755 work . && cd . && cd "$ROOT/work" && setfattr -n user.try -v it . 2>/dev/null || { cd / && umount "$ROOT/work"; cd "$ROOT/work" || exit 1; }
STORE=$ROOT/work/images
mkdir -p "$STORE"

podd_image() { # SOURCE ARGUMENT...: its result line; the status is podd-image's
	local source=$1
	shift
	"${PODD_IMAGE:-$builddir/bin/podd-image}" import "$@" 3<"$STORE" 4<"$source" </dev/null
}

record() { # REFERENCE FILTER: from its record
	jq -r "$2" "$STORE/refs/$(printf %s "$1" | sha256sum | cut -d' ' -f1).json"
}

mount_image() { # REFERENCE DIR: as podd-launch does
	local layer layers=
	for layer in $(record "$1" '.layers | reverse | .[]'); do
		layers=$layers:$layer
	done
	mkdir -p "$2"
	(cd "$STORE/layers" && # short names: mount(8) takes one page of options
		if [ "$(record "$1" '.layers | length')" = 1 ]; then
			mount --bind "${layers#:}" "$2"
		else
			mount -t overlay -o "ro,redirect_dir=nofollow,metacopy=off,lowerdir=${layers#:}" overlay "$2"
		fi)
}
