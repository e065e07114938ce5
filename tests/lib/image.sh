# Images for live tests, made of a directory by tar alone. Sourced after host.sh.

# A docker-archive. Changes $3 in no way.
image() { # FILE NAME DIRECTORY CONFIG: the configuration's "config", as JSON
	local work
	work=$(mktemp -d "$ROOT/image-XXXXXX")
	tar -C "$3" --numeric-owner -cf "$work/layer.tar" .
	jq -n --argjson config "$4" --arg id "sha256:$(sha256sum <"$work/layer.tar" | cut -d' ' -f1)" \
		'{architecture: "amd64", os: "linux", config: $config, rootfs: {type: "layers", diff_ids: [$id]}}' >"$work/config.json"
	jq -n --arg name "$2" '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' >"$work/manifest.json"
	tar -C "$work" -cf "$1.part" manifest.json config.json layer.tar && mv "$1.part" "$1"
	rm -r "$work"
}

# The least that runs: busybox.
image_base() { # DIRECTORY
	mkdir -p "$1"/{bin,etc,proc,sys,dev,tmp,root}
	cp "$(command -v busybox)" "$1/bin/busybox"
	local tool
	for tool in sh cat echo id sleep ls env pwd true; do ln -s busybox "$1/bin/$tool"; done
	printf 'root:x:0:0::/root:/bin/sh\nweb:x:33:34:web:/srv/web:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\nweb:x:34:\nmail:x:8:web\n' >"$1/etc/group"
}
