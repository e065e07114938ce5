#!/bin/bash
# Deployment, DaemonSet, ReplicaSet, StatefulSet: each is one pod.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }

workload() { # KIND NAME [REPLICAS [LABEL [ARGUMENT]]]
	cat <<-END | put "$2.yaml"
		apiVersion: apps/v1
		kind: $1
		metadata: {name: $2, labels: {of: object}}
		spec:
		  ${3:+replicas: $3}
		  selector: {matchLabels: {app: $2}}
		  template:
		    metadata: {labels: {app: $2, version: "${4:-1}"}}
		    spec:
		      terminationGracePeriodSeconds: 1
		      containers:
		      - {name: app, image: "rootfs:/", command: [sleep, "${5:-1000}"]}
		      - {name: other, image: "rootfs:/", command: [sleep, "1000"]}
	END
}

workload Deployment web
workload DaemonSet agent
workload ReplicaSet set 1
workload StatefulSet db 3
for pod in web agent set db-0; do ok "$pod runs" ready $pod; done
is "that is all" "$(podctl get pods -o name | sort | xargs)" "pod/agent pod/db-0 pod/set pod/web"
is "the pod has the template's labels, and no owner" "$(field web '"\(.metadata.labels | tojson) \(.metadata.ownerReferences)"')" \
	'{"app":"web","version":"1"} null'
like "another number of replicas than one is told" "$(podctl validate "$PODS/db.yaml" 2>&1)" 'notice: spec.replicas: 3 replicas: podd runs one pod'

# --- an edit of the template is an edit of the pod -------------------------------------------------------------------------------------------

before=$(sandbox web) app=$(member_pid web app) other=$(member_pid web other)
label_is() { [ "$(field web .metadata.labels.version)" = "$1" ]; }
workload Deployment web 1 2
ok "a label of the template is edited" await 20 label_is 2
is "nothing restarts" "$(sandbox web) $(member_pid web app)" "$before $app"
workload Deployment web 1 2 2000
ok "an edit of a container restarts it" await 20 replaced web app "$app"
is "and it alone, in the same sandbox" "$(sandbox web) $(member_pid web other)" "$before $other"
podd_kill
podd_start
ok "a new podd finds the pod" ready web
is "as it was" "$(sandbox web) $(member_pid web other)" "$before $other"

# --- mistakes, and the end -------------------------------------------------------------------------------------------------------------------

printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: app, image: "rootfs:/", command: [sleep, "1000"]}]}\n' | put web2.yaml
ok "a Pod of the same name is refused" await 20 eval 'podctl status | grep -q "pod default/web is defined by .*web.yaml already"'
rm "$PODS/web2.yaml"
sed -i 's/image: "rootfs:\/"/imag: x/' "$PODS/web.yaml"
ok "a broken template is refused" await 20 eval 'podctl status | grep -q "web.yaml.*spec.template.spec.containers"'
is "the last good version stays" "$(sandbox web) $(member_pid web other)" "$before $other"
workload Deployment web 0
ok "replicas: 0 ends the pod" await 20 gone web
ok "and no file is refused" podctl validate "$PODS"
workload Deployment web 1
ok "replicas: 1 begins it anew" ready web

leaves_nothing
podd_stop
finish
