# Runs in the guest by bash, as a service of its systemd. In the first boot podd is installed, in the second one removed.
. /root/tap.sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
tree=/sys/fs/cgroup/podd.slice/podd-pods.service/podd

main_pid() { systemctl show -P MainPID podd; }
answers() { podctl version; }
processes() { # of all pods: anchors, and the first process of each member
	local leaf
	for leaf in $tree/*/pod*/anchor $tree/*/pod*/members/app.*; do sort -n "$leaf/cgroup.procs" | head -n "$([ "${leaf##*/}" = anchor ] && echo 2 || echo 1)"; done | xargs
}
back() { [ "$(main_pid)" != "$1" ] && [ "$(main_pid)" != 0 ] && systemctl -q is-active podd && answers; }
put() { cat >"/etc/pods/.$1" && mv "/etc/pods/.$1" "/etc/pods/$1"; }

# Says what happens to it on the disk. It needs SECONDS to end, and has 30.
pod() { # NAME SECONDS
	put "$1.yaml" <<-Y
		apiVersion: v1
		kind: Pod
		metadata: {name: $1}
		spec:
		  terminationGracePeriodSeconds: 30
		  volumes: [{name: srv, hostPath: {path: /srv}}]
		  containers:
		  - name: app
		    image: rootfs:/
		    resources: {limits: {memory: 32Mi}}
		    volumeMounts: [{name: srv, mountPath: /srv}]
		    command:
		    - sh
		    - -c
		    - |
		      trap 'echo "$1 TERM" >>/srv/said; sleep $2; echo "$1 done" >>/srv/said; exit 0' TERM
		      echo "$1 starts" >>/srv/said
		      while :; do sleep 1 & wait; done
	Y
}

first_boot() {
	local was podd
	ok "the package installs" dpkg -i /root/podd.deb
	ok "podd is started" await 30 answers
	pod slow 3
	pod quick 0
	ok "a pod is ready" podctl wait --for=ready slow --timeout 60s
	ok "another pod is ready" podctl wait --for=ready quick --timeout 60s
	is "the pods are in a cgroup of their own, with limits" "$(cat $tree/*/pod*/members/app.*/memory.max | sort -u)" 33554432
	was=$(processes)
	note "processes of the pods: $was"
	for i in 1 2; do
		podd=$(main_pid)
		ok "systemctl restart podd, $i" systemctl restart podd
		ok "a new podd answers" await 30 back "$podd"
		is "the pods are as they were" "$(processes)" "$was"
	done
	podd=$(main_pid)
	kill -9 "$podd"
	ok "podd comes back after kill -9" await 30 back "$podd"
	is "the pods are as they were" "$(processes)" "$was"
	podd=$(main_pid)
	ok "systemctl reload podd" systemctl reload podd
	is "is the same podd" "$(main_pid)" "$podd"
	ok "systemctl stop podd" systemctl stop podd
	is "the pods are as they were" "$(processes)" "$was"
	ok "systemctl start podd" systemctl start podd
	ok "it answers" await 30 answers
	is "the pods are as they were" "$(processes)" "$was"
	is "no pod was started again" "$(grep -c starts /srv/said)" 2
	podctl get pods | sed 's/^/# /'
	podctl get pods -o json | jq_uids >/srv/uids
}
jq_uids() { grep -oE '"uid": ?"[^"]*"' | sort -u; }

second_boot() {
	ok "podd is there after a boot" await 60 answers
	ok "the pods are, too" podctl wait --for=ready slow quick --timeout 60s
	is "with the uids that they had" "$(podctl get pods -o json | jq_uids)" "$(cat /srv/uids)"
	: >/srv/said
	ok "the package is purged" dpkg --purge podd
	is "after the pods have ended" "$(grep -c done /srv/said)" 2
	is "no process is left" "$(pgrep -c podd)" 0
	is "no cgroup is left" "$(find /sys/fs/cgroup/podd.slice -mindepth 1 -type d)" ""
	is "no link is left" "$(ip -o link | grep -c ' pd')" 0
	is "no rule is left" "$(nft list tables | grep -c podd)" 0
	is "no mount is left" "$(grep -c podd /proc/self/mountinfo)" 0
	is "no file is left but the manifests" "$(find / /run -xdev -path '*podd*' ! -path '/root/*' | xargs)" ""
	is "the manifests are their owner's" "$(ls /etc/pods | xargs)" "quick.yaml slow.yaml"
}

printf '\n# guest started\n'
if [ -e /srv/uids ]; then second_boot; else first_boot; fi
echo "1..$tap_count"
sync
systemctl --no-block poweroff
