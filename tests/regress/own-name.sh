#!/bin/bash
# Many pods that begin at once: each finds its own name in /etc/hosts, from its first instruction on.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
for ((i = 0; i < 40; i++)); do
	cat <<-END
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: pod-$i}
		spec:
		  restartPolicy: Never
		  containers: [{name: app, image: "rootfs:/", command: [grep, -w, pod-$i, /etc/hosts]}]
	END
done | put pods.yaml
over() { [ "$(podctl get pods -o json | jq '[.items[] | select(.status.phase == "Succeeded" or .status.phase == "Failed")] | length')" = 40 ]; }
ok "all have run" await 60 over
is "nobody missed its name" "$(podctl get pods -o json | jq -r '.items[] | select(.status.phase != "Succeeded").metadata.name' | xargs)" ""
leaves_nothing
podd_stop
finish
