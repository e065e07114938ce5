#!/bin/bash
# Two pods that swap their hostPorts in one file once waited for each other for ever.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

both() { # PORT-OF-A PORT-OF-B
	for p in "a $1" "b $2"; do
		set -- $p
		cat <<-END
			apiVersion: v1
			kind: Pod
			metadata: {name: $1}
			spec:
			  terminationGracePeriodSeconds: 0
			  containers: [{name: app, image: "rootfs:/", command: [sleep, "1000"], ports: [{containerPort: 80, hostPort: $2}]}]
			---
		END
	done | put both.yaml
}
address() { field "$1" .status.podIP; }
forwards() { nft list ruleset | grep -qE "tcp \. $1 .*: $2 \. 80\b"; } # PORT ADDRESS
swapped() { forwards 8081 "$(address a)" && forwards 8080 "$(address b)"; }

podd_start || exit 1
both 8080 8081
ready a && ready b
a=$(sandbox a) b=$(sandbox b)
both 8081 8080
ok "they have swapped" await 20 swapped
is "in place" "$(sandbox a) $(sandbox b)" "$a $b"
leaves_nothing
podd_stop
finish
