#!/bin/bash
# Does the last good version of a pod survive a reboot of the host with its manifest broken, as the same pod with its data and logs?
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
manifest() {
	cat <<-'EOF'
	apiVersion: v1
	kind: Pod
	metadata: {name: web}
	spec:
	  terminationGracePeriodSeconds: 1
	  volumes: [{name: data, emptyDir: {}}]
	  containers:
	  - name: app
	    image: rootfs:/
	    volumeMounts: [{name: data, mountPath: /mnt}]
	    command: [sh, -c, "echo start >>/mnt/starts; echo this is start $(busybox wc -l </mnt/starts); exec sleep 31536000"]
	EOF
}
log_files() { find "$ROOT/var/log/pods" -name '*.log' -printf '%P\n' | sort; }
running() { [ -n "$(member_pid "$1" app)" ]; }
said() { grep -q "$1" <<<"$(podctl logs web)"; }

manifest | put web.yaml
podd_start || exit 1
ok "a pod runs" await 20 running web
ok "and says so" await 20 said 'start 1'
manifest | sed 's/name: web/name: other/' | put other.yaml
ok "another one beside it" await 20 running other
uid=$(pod_uid web) ip=$(field web .status.podIP)
sed 's/containers:/containres:/' "$PODS/web.yaml" >"$PODS/.new" && mv "$PODS/.new" "$PODS/web.yaml"
ok "its manifest is broken" await 20 eval 'podctl status | grep -q "web.yaml.*containres"'
rm "$PODS/other.yaml"
podd_kill # at once: the removal was not seen by this podd, or not to its end

for round in 1 2; do
	reboot_host
	ok "reboot $round: nothing runs" await 20 eval '! pgrep "podd|sleep"'
	podd_start || exit 1
	ok "the last good version runs" await 30 running web
	is "as the same pod" "$(pod_uid web)" "$uid"
	is "with its address" "$(field web .status.podIP)" "$ip"
	ok "and its emptyDir" await 20 said "start $((round + 1))"
	ok "its logs go on, the ones of the start before are there" await 20 eval '[ "$(log_files | xargs)" = "default_web_$uid/app/$((round - 1)).log default_web_$uid/app/$round.log" ]'
	like "and can be read" "$(podctl logs --previous web)" "start $round\$"
	ok "status still names the typo" await 20 eval 'podctl status | grep -q "web.yaml:7:3: error: spec.containres.*did you mean"'
	ok "the pod that was removed before does not come back" await 30 eval '! podctl get pod other'
	ok "nothing is left over" await 20 podctl census
done

manifest | sed 's/this is start/healed, start/' | put web.yaml
ok "the healed manifest is taken" await 30 said 'healed, start 4'
is "by the same pod" "$(pod_uid web)" "$uid"
rm "$PODS/web.yaml"
ok "and its removal removes it" await 30 census_clean
podd_stop
finish
