#!/bin/bash
# What `podctl diff` predicts of an edit is what happens: some forty kinds of edit, each of a pod of its own, made at once while podd runs,
# and taken back while it does not.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"
mkdir -p "$ROOT/other" "$ROOT/a" "$ROOT/b" "$ROOT/stage"
mount --bind / "$ROOT/other"

# The pod that is edited: `app` is what the edits are about, `beside` should notice none that is not its own.
base=$(jq -n --arg dir "$ROOT/a" '
	{image: "rootfs:/", command: ["sleep", "infinity"], resources: {requests: {cpu: "10m"}}} as $c
	| {apiVersion: "v1", kind: "Pod", metadata: {name: ""}, spec: {
		terminationGracePeriodSeconds: 0,
		containers: [$c + {name: "app", volumeMounts: [{name: "dir", mountPath: "/mnt"}]}, $c + {name: "beside"}],
		volumes: [{name: "dir", hostPath: {path: $dir}}]}}')

# NAME POD APP BESIDE FIELD: what the edit costs the pod's own fields, the two containers (and a third one), and the field that causes the
# worst of it; then, as filters of jq, what makes the pod before and after the edit. "-": no line at all.
edits=(
	'same          - - - -                                                      | . | (.spec |= with_entries(.))'
	'reordered     - - - -                                                      | . | (.spec.containers |= reverse)'
	'label         update none none metadata.labels                             | . | (.metadata.labels.a = "b")'
	'annotation    update none none metadata.annotations                        | (.metadata.annotations.a = "b") | (.metadata.annotations.a = "c")'
	'grace         update none none spec.terminationGracePeriodSeconds          | . | (.spec.terminationGracePeriodSeconds = 1)'
	'policy        update none none spec.restartPolicy                          | . | (.spec.restartPolicy = "OnFailure")'
	'port          none update none spec.containers[0].ports[0].containerPort   | . | (A.ports = [{containerPort: 80}])'
	'resizepolicy  none update none spec.containers[0].resizePolicy             | . | (A.resizePolicy = [{resourceName: "cpu", restartPolicy: "RestartContainer"}])'
	'volume        update none none spec.volumes[1].name                        | . | (.spec.volumes += [{name: "spare", emptyDir: {}}])'
	'cpuup         none resize none spec.containers[0].resources.limits.cpu     | (A.resources.limits.cpu = "100m") | (A.resources.limits.cpu = "300m")'
	'cpudown       none resize none spec.containers[0].resources.limits.cpu     | (A.resources.limits.cpu = "500m") | (A.resources.limits.cpu = "100m")'
	'cpulimit      none resize none spec.containers[0].resources.limits.cpu     | . | (A.resources.limits.cpu = "300m")'
	'cpurequest    none resize none spec.containers[0].resources.requests.cpu   | . | (A.resources.requests.cpu = "100m")'
	'memoryup      none resize none spec.containers[0].resources.limits.memory  | (A.resources.limits.memory = "32Mi") | (A.resources.limits.memory = "64Mi")'
	'memorydown    none resize none spec.containers[0].resources.limits.memory  | (A.resources.limits.memory = "64Mi") | (A.resources.limits.memory = "32Mi")'
	'memoryanew    none restart none spec.containers[0].resources.limits.memory | (A |= RESTARTS) | (A.resources.limits.memory = "48Mi")'
	'cpuinplace    none resize none spec.containers[0].resources.limits.cpu     | (A |= RESTARTS) | (A.resources.limits.cpu = "300m")'
	'qos           none recreate recreate spec.containers[0].resources.requests.cpu | (.spec.containers[].resources = {}) | (A.resources.requests.cpu = "10m")'
	'image         none restart none spec.containers[0].image                   | . | (A.image = "rootfs:" + $root + "/other")'
	'command       none restart none spec.containers[0].command                 | . | (A.command = ["sleep", "1000000"])'
	'args          none restart none spec.containers[0].args                    | (A.command = ["sleep"] | A.args = ["1000000"]) | (A.args = ["1000001"])'
	'envadd        none restart none spec.containers[0].env                     | . | (A.env = [{name: "A", value: "b"}])'
	'envset        none restart none spec.containers[0].env[0].value            | (A.env = [{name: "A", value: "b"}]) | (A.env[0].value = "c")'
	'workingdir    none restart none spec.containers[0].workingDir              | . | (A.workingDir = "/tmp")'
	'unmount       none restart none spec.containers[0].volumeMounts            | . | (A.volumeMounts = [])'
	'mountpath     none restart none spec.containers[0].volumeMounts[0].mountPath | . | (A.volumeMounts[0].mountPath = "/srv")'
	'readonly      none restart none spec.containers[0].volumeMounts[0].readOnly | . | (A.volumeMounts[0].readOnly = true)'
	'hostpath      update restart none spec.volumes[0].hostPath.path            | . | (.spec.volumes[0].hostPath.path = $root + "/b")'
	'medium        update restart none spec.volumes[0].emptyDir.medium          | (.spec.volumes[0] = {name: "dir", emptyDir: {}}) | (.spec.volumes[0].emptyDir.medium = "Memory")'
	'sizelimit     update restart none spec.volumes[0].emptyDir.sizeLimit       | (.spec.volumes[0] = {name: "dir", emptyDir: {medium: "Memory", sizeLimit: "1Mi"}}) | (.spec.volumes[0].emptyDir.sizeLimit = "2Mi")'
	'volumemount   update restart none spec.containers[0].volumeMounts          | . | (.spec.volumes += [{name: "more", emptyDir: {medium: "Memory"}}] | A.volumeMounts += [{name: "more", mountPath: "/srv"}])'
	'user          none restart none spec.containers[0].securityContext.runAsUser | . | (A.securityContext.runAsUser = 1000)'
	'capability    none restart none spec.containers[0].securityContext.capabilities.drop | . | (A.securityContext.capabilities.drop = ["ALL"])'
	'readonlyroot  none restart none spec.containers[0].securityContext.readOnlyRootFilesystem | . | (A.securityContext.readOnlyRootFilesystem = true)'
	'poduser       none restart restart spec.securityContext.runAsUser          | . | (.spec.securityContext.runAsUser = 1000)'
	'added         none none none start spec.containers[2]                      | . | (.spec.containers += [A + {name: "third"}])'
	'removed       none none none stop spec.containers                          | (.spec.containers += [A + {name: "third"}]) | (.spec.containers |= .[:2])'
	'hostname      recreate recreate recreate spec.hostname                     | . | (.spec.hostname = "other")'
	'hostnetwork   recreate recreate recreate spec.hostNetwork                  | . | (.spec.hostNetwork = true)'
	'sharedpids    recreate recreate recreate spec.shareProcessNamespace        | . | (.spec.shareProcessNamespace = true)'
	'hostport      none resize none spec.containers[0].ports                    | . | (A.ports = [{containerPort: 80, hostPort: 8080}])'
	'hostportset   none resize none spec.containers[0].ports[0].hostPort        | (A.ports = [{containerPort: 80, hostPort: 8081}]) | (A.ports[0].hostPort = 8082)'
)

manifest() { # NAME FILTER
	jq --arg name "$1" --arg root "$ROOT" ".metadata.name = \$name | $(sed 's/\bA\b/.spec.containers[0]/g; s/RESTARTS/(.resizePolicy = [{resourceName: "memory", restartPolicy: "RestartContainer"}] | .resources.limits = {cpu: "200m", memory: "32Mi"})/' <<<"$2")" <<<"$base"
}
# The two versions of each pod, and what is expected of the edit, as "NAME: POD APP BESIDE [THIRD] FIELD".
names=()
mkdir "$ROOT/before" "$ROOT/after"
for e in "${edits[@]}"; do
	read -r name cost <<<"${e%%|*}"
	rest=${e#*|} before=${rest%%| (*} after="(${rest#*| (}"
	names+=("$name")
	echo "$name: $(echo $cost)" >>"$ROOT/expected"
	manifest "$name" "$before" >"$ROOT/before/$name.yaml"
	manifest "$name" "${before} | $after" >"$ROOT/after/$name.yaml"
done

# What is: a line of JSON for each pod, from the API and the cgroup tree.
observe() {
	grep -rH . --include=cgroup.procs "$(cgroup_v2)/$PODD_HOST" 2>/dev/null |
		sed -nE 's|.*/pod([^/]*)/(anchor)/cgroup.procs:(.*)|\1 \2 \3|p; s|.*/pod([^/]*)/members/([^/]*)\.[0-9]+/cgroup.procs:(.*)|\1 \2 \3|p' |
		sort -k1,2 -k3,3n | sort -u -k1,2 >"$ROOT/pids"
	podctl get pods -o json | jq -c --rawfile pids "$ROOT/pids" '
		($pids | split("\n") | map(split(" ") | select(length == 3)) | group_by(.[0])
			| map({key: .[0][0], value: (map({key: .[1], value: .[2]}) | from_entries)}) | from_entries) as $by
		| [.items[] | {key: .metadata.name, value: {uid: .metadata.uid, ip: .status.podIP, generation: .metadata.generation, pids: $by[.metadata.uid],
			ready: ([.status.conditions[] | select(.type == "Ready").status] == ["True"]),
			restarts: ([.status.containerStatuses[] | {key: .name, value: .restartCount}] | from_entries)}}] | from_entries'
}
# What became of each pod between two observations, in the words of the expectation but for the field.
happened() { # BEFORE AFTER
	jq -rn --slurpfile a "$1" --slurpfile b "$2" '
		$a[0] as $a | $b[0] as $b | $a | keys[] | . as $n | $a[$n] as $from | $b[$n] as $to
		| ($from.pids.anchor != $to.pids.anchor) as $anew
		| def fate(c): if $from.pids[c] == null then (if $to.pids[c] == null then empty else "start" end)
			elif $to.pids[c] == null then "stop" elif $anew then "recreate"
			elif $from.pids[c] != $to.pids[c] then (if $to.restarts[c] == $from.restarts[c] + 1 then "restart" else "restart*" end)
			elif $to.restarts[c] != $from.restarts[c] then "restart*" else "kept" end;
		  "\($n): \([fate("app"), fate("beside"), fate("third")] | join(" "))\(if $anew or $from.ip == $to.ip then "" else " other address" end)\(if $to.ready then "" else " not ready" end)"'
}
# The same, as an expectation (or a prediction) has it; what is not seen from outside counts as kept.
foretold() { # FILE of lines NAME: POD APP BESIDE [THIRD] FIELD
	sed -E 's/^([^:]*): - - - -$/\1: - none none -/; s/ [^ ]*$//; s/^([^:]*): [^ ]*/\1:/; s/ (none|update|resize)/ kept/g' "$1" | sort
}
predicted() { # the lines of `podctl diff -o json`, as the expectations are written
	jq -r --argjson names "$(printf '%s\n' "${names[@]}" | jq -R . | jq -s .)" '
		.edits | group_by(.pod) | map({key: .[0].pod, value: .}) | from_entries as $by | $names[] | . as $n
		| if $by[$n] == null then "\($n): - - - -" else
			def cost(c): ($by[$n][] | select(.container == c).edit) // empty;
			["none", "update", "resize", "restart", "start", "stop", "recreate"] as $order
			| ([$by[$n][] | select(.container == null).edit][0] // "none") as $own
			| ($by[$n] | map(select(.field) | .rank = (.edit as $e | $order | index($e))) | (map(.rank) | max) as $max | map(select(.rank == $max))[0].field) as $field
			| "\($n): \([$own, cost("app"), cost("beside"), cost("third"), $field] | join(" "))" end'
}

podd_start || { fail "podd starts"; finish; }
cp "$ROOT"/before/*.yaml "$PODS"
all_ready() { [ "$(podctl get pods -o json | jq '[.items[].status.conditions[] | select(.type == "Ready" and .status == "True")] | length')" = ${#names[@]} ]; }
ok "${#names[@]} pods are ready" await 90 all_ready
ok "nothing differs from what runs" podctl diff
observe >"$ROOT/one"

# --- while podd runs ----------------------------------------------------------------------------------------------------------------------------

podctl diff -o json "$ROOT/after" >"$ROOT/diff.json"
is "edits to come: exit code" $? 1
predicted <"$ROOT/diff.json" >"$ROOT/predicted"
is "each edit costs what it should, because of the field that it should" "$(diff "$ROOT/expected" "$ROOT/predicted")" ""

arrived() { # WHAT: the pods are as foretold
	podctl diff && observe >"$ROOT/$1" && happened "$2" "$ROOT/$1" | sort >"$ROOT/happened" && cmp -s "$ROOT/foretold" "$ROOT/happened"
}
foretold "$ROOT/predicted" >"$ROOT/foretold"
for f in "$ROOT"/after/*.yaml; do put "${f##*/}" <"$f"; done
await 90 arrived two "$ROOT/one"
is "what podctl diff foretold is what happened" "$(diff "$ROOT/foretold" "$ROOT/happened")" ""
generations() { jq -rn --slurpfile a "$1" --slurpfile b "$2" '[$a[0] | keys[] | select($a[0][.].generation == $b[0][.].generation)] | join(" ")'; }
is "the generation counts edits of the spec" "$(generations "$ROOT/one" "$ROOT/two")" "annotation label reordered same"

limit() { # POD CONTAINER V1FILE V2FILE
	local h
	for h in $(host_hierarchies); do
		find "$h/$PODD_HOST" \( -path "*pod$(jq -r ".$1.uid" "$ROOT/two")/members/$2.*/$3" -o -path "*pod$(jq -r ".$1.uid" "$ROOT/two")/members/$2.*/$4" \) -exec cat {} + 2>/dev/null
	done
}
cpu() { limit "$1" "$2" cpu.cfs_quota_us cpu.max | awk '{ print $1 }'; }
memory() { limit "$1" "$2" memory.limit_in_bytes memory.max; }
is "limits are as edited" \
	"$(cpu cpuup app) $(cpu cpudown app) $(cpu cpulimit app) $(cpu cpuinplace app) $(memory memoryup app) $(memory memorydown app) $(memory memoryanew app)" \
	"30000 10000 30000 30000 $((64 << 20)) $((32 << 20)) $((48 << 20))"
is "volumes are as edited" "$(podctl exec hostpath -c app -- stat -c %i /mnt) $(podctl exec sizelimit -c app -- stat -fc %b /mnt) $(podctl exec medium -c app -- stat -fc %T /mnt)" \
	"$(stat -c %i "$ROOT/b") $((2 << 20 >> 12)) tmpfs"

elements() { podctl census | awk '$1 == "element" && $2 !~ /hairpin/ { print $2 }' | sort | xargs; }
ok "hostPorts are as edited" await 20 eval '[ "$(elements)" = "tcp/8080 tcp/8082" ]'

# --- what can't be done in place at once ------------------------------------------------------------------------------------------------------

edit() { podctl get pod "$1" -o json | jq "del(.status, .metadata.annotations) | $2" | put "$1.yaml"; } # NAME FILTER
warned() { podctl get events -A | grep FailedResize | grep -q "$1"; }
edit hostport '.spec.containers[0].ports[0].hostPort = 8082'
ok "a hostPort that another pod has is told" await 20 warned "hostPort 8082 is taken by pod default/hostportset"
is "and the former one stays" "$(elements)" "tcp/8080 tcp/8082"
edit hostportset '.spec.containers[0].ports[0].hostPort = 8083'
ok "once it is free it is taken" await 20 eval '[ "$(elements)" = "tcp/8082 tcp/8083" ]'

manifest full '(.spec.containers[0].resources |= (.limits.memory = "64Mi" | .requests.memory = "1Mi"))' | put full.yaml
await 20 ready full
podctl exec full -c app -- dd if=/dev/zero of=/dev/shm/fill bs=1M count=32 2>/dev/null
uid=$(pod_uid full)
edit full '.spec.containers[0].resources.limits.memory = "16Mi"'
limit_of_full() {
	local h
	for h in $(host_hierarchies); do
		find "$h/$PODD_HOST" \( -path "*pod$uid/members/app.*/memory.limit_in_bytes" -o -path "*pod$uid/members/app.*/memory.max" \) -exec cat {} + 2>/dev/null
	done
}
ok "a limit below what is used is told" await 20 warned "app uses more memory than its new limit"
is "and the former one stays" "$(limit_of_full)" $((64 << 20))
podctl exec full -c app -- rm /dev/shm/fill
ok "once less is used it is in force" await 60 eval '[ "$(limit_of_full)" = $((16 << 20)) ]'
is "all that without a restart" "$(podctl get pods full hostport hostportset -o json | jq -c '[.items[].status.containerStatuses[].restartCount] | unique')" "[0]"
rm "$PODS/full.yaml"
await 20 gone full
observe >"$ROOT/two"

# --- while it does not ------------------------------------------------------------------------------------------------------------------------

podctl diff -o json "$ROOT/before" >"$ROOT/diff.json"
predicted <"$ROOT/diff.json" >"$ROOT/predicted"
foretold "$ROOT/predicted" >"$ROOT/foretold"
podd_kill
for f in "$ROOT"/before/*.yaml; do put "${f##*/}" <"$f"; done
podd_start
await 90 arrived three "$ROOT/two"
is "edits made while podd was down come to the same" "$(diff "$ROOT/foretold" "$ROOT/happened")" ""

ok "hostPorts, too" await 20 eval '[ "$(elements)" = tcp/8081 ]'

# --- what podctl diff says else -----------------------------------------------------------------------------------------------------------------

manifest fresh . >"$ROOT/stage/fresh.yaml"
is "a pod that is not there would be created" "$(podctl diff "$ROOT/stage/fresh.yaml" | tail -n 1 | awk '{ print $1, $3 }')" "default/fresh create"
podctl diff "$ROOT/stage" >"$ROOT/text"
is "a directory without the others would remove them" "$(grep -c ' remove *$' "$ROOT/text")" ${#names[@]}
echo 'spec: {' >"$ROOT/stage/broken.yaml"
podctl diff "$ROOT/stage/broken.yaml" >/dev/null 2>&1
is "a broken file: exit code" $? 3
podd_stop
podctl diff >/dev/null 2>&1
is "no podd: exit code" $? 4
podd_start

umount "$ROOT/other"
leaves_nothing
finish
