#!/bin/bash
# Does a pod's port answer everywhere it should, do pods find each other by name, and is what others break in the network repaired?
. "$(dirname "$0")/../lib/host.sh"
ip link add uplink type veth peer name far && ip link set far up && ip addr add 192.0.2.1/24 dev uplink && ip link set uplink up
pod() { # NAME PORT HOSTPORT
	cat <<-EOF
	apiVersion: v1
	kind: Pod
	metadata: {name: $1}
	spec:
	  terminationGracePeriodSeconds: 0
	  containers:
	  - name: app
	    image: rootfs:/
	    command: [busybox, nc, -ll, -p, "$2", -e, echo, "this is $1"]
	    ports: [{containerPort: $2, hostPort: $3}]
	EOF
}
answers() { # COMMAND-PREFIX ADDRESS PORT TEXT: asks by bash's own TCP
	$1 timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2" && cat <&3' - "$2" "$3" | grep -qx "$4"
}
in_pod() { echo "podctl exec $1 -c app --"; }
podd_start || exit 1
pod one 7001 17001 | put one.yaml
pod two 7002 17002 | put two.yaml
ok "two pods" eval 'ready one && ready two'
ip1=$(field one .status.podIP) ip2=$(field two .status.podIP)

all_answer() { # WHEN
	ok "$1: by the pod's address" await 30 answers "" "$ip1" 7001 "this is one"
	ok "$1: hostPort at 127.0.0.1" await 30 answers "" 127.0.0.1 17001 "this is one"
	ok "$1: hostPort at an address of the host" await 30 answers "" 192.0.2.1 17001 "this is one"
	ok "$1: hostPort from another pod" await 30 answers "$(in_pod two)" 192.0.2.1 17001 "this is one"
	ok "$1: hostPort from the pod itself" await 30 answers "$(in_pod one)" 192.0.2.1 17001 "this is one"
	ok "$1: another pod by its name" await 30 answers "$(in_pod two)" one 7001 "this is one"
	ok "$1: and the other way round" await 30 answers "$(in_pod one)" two 7002 "this is two"
}
all_answer "at first"
pids="$(member_pid one app) $(member_pid two app)"
nft flush ruleset
all_answer "after nft flush ruleset"
ok "an event says so" await 30 eval 'podctl events | grep -q NetworkRepaired'
ip link del "$(ip -o link show | sed -n 's/^[0-9]*: \(pd[^:@]*\).*/\1/p' | head -n 1)"
all_answer "after a link was deleted"
is "with the same addresses" "$(field one .status.podIP) $(field two .status.podIP)" "$ip1 $ip2"
is "and the same processes" "$(member_pid one app) $(member_pid two app)" "$pids"
echo 0 >/proc/sys/net/ipv4/ip_forward # of this test's own network namespace
podd_kill
podd_start || exit 1
all_answer "after podd came back"
ok "a pod that goes takes its name along" eval 'rm "$PODS/two.yaml"; await 20 eval "! podctl exec one -c app -- grep -qw two /etc/hosts"'
rm "$PODS/one.yaml"
ok "nothing is left over" await 30 census_clean
podd_stop
finish
