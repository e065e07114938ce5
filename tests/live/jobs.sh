#!/bin/bash
# Jobs: how they end, what is left of them, and that they never run twice. Cron jobs: that they make them.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

podd_start || { fail "podd starts"; finish; }
mkdir "$ROOT/told"

job() { # NAME SCRIPT [SPEC-LINES...]: restartPolicy Never, retries after 100 ms
	local name=$1 script=$2
	shift 2
	cat <<-END | put "$name.yaml"
		apiVersion: batch/v1
		kind: Job
		metadata: {name: $name, labels: {of: $name}}
		spec:
		$(printf '  %s\n' "$@")
		  template:
		    metadata: {labels: {made: here}, annotations: {podd.dev/restart-backoff: initial=100ms}}
		    spec:
		      restartPolicy: ${POLICY:-Never}
		      terminationGracePeriodSeconds: 1
		      volumes: [{name: told, hostPath: {path: $ROOT/told}}]
		      containers:
		      - {name: app, image: "rootfs:/", command: [sh, -c, '$script'], volumeMounts: [{name: told, mountPath: /told}]}
	END
}
about() { podctl get job "$1" -o json | jq -r "$2"; } # NAME FILTER
status() { about "$1" '.status | "\(.succeeded // 0) \(.failed // 0) \(.active // 0) \([.conditions[] | "\(.type)=\(.reason)"] | join(","))"'; }
status_is() { [ "$(status "$1")" = "$2" ]; }
shown_is() { [ "$(podctl get job "$1" | awk 'NR == 2 { print $2, $3 }')" = "$2" ]; }
pods_of() { podctl get pods -l "job-name=$1" -o name; }
lines() { cat "$ROOT/told/$1" 2>/dev/null | wc -l; }
once() { [ "$(lines "$1")" -le 1 ] && echo once; } # a deadline of a second may pass before the first line, if the machine is busy

# --- ends ------------------------------------------------------------------------------------------------------------------------------------

job good 'echo run >>/told/good; echo done'
job many 'echo run >>/told/many' 'completions: 4' 'parallelism: 2'
job bad 'echo run >>/told/bad; exit 3' 'backoffLimit: 2'
job slow 'echo run >>/told/slow; exec sleep 1000' 'activeDeadlineSeconds: 600'
job choosy 'exit 42' 'podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [42]}}]}'
POLICY=OnFailure job inside 'echo run >>/told/inside; exit 1' 'backoffLimit: 2'
job brief 'true' 'ttlSecondsAfterFinished: 0'
job still 'echo run >>/told/still' 'suspend: true'
cat <<-END | put later.yaml
	apiVersion: v1
	kind: Pod
	metadata: {name: later, annotations: {podd.dev/after: "many:completed"}}
	spec: {restartPolicy: Never, containers: [{name: app, image: "rootfs:/", command: [sh, -c, "cat /told/many; exit"], volumeMounts: [{name: told, mountPath: /told}]}], volumes: [{name: told, hostPath: {path: $ROOT/told}}]}
END
cat <<-END | put never.yaml
	apiVersion: v1
	kind: Pod
	metadata: {name: never, annotations: {podd.dev/after: "bad:completed"}}
	spec: {containers: [{name: app, image: "rootfs:/", command: [sleep, "1000"]}]}
END
await 60 [ -s "$ROOT/told/slow" ]
job slow 'echo run >>/told/slow; exec sleep 1000' 'activeDeadlineSeconds: 1' # now, so that it has begun, however slow this machine
ok "one pod succeeds" await 20 status_is good '1 0 0 SuccessCriteriaMet=CompletionsReached,Complete=CompletionsReached'
ok "four do, two at a time" await 20 status_is many '4 0 0 SuccessCriteriaMet=CompletionsReached,Complete=CompletionsReached'
ok "three fail where two may" await 20 status_is bad '0 3 0 FailureTarget=BackoffLimitExceeded,Failed=BackoffLimitExceeded'
ok "restarts inside a pod count" await 20 status_is inside '0 0 0 FailureTarget=BackoffLimitExceeded,Failed=BackoffLimitExceeded'
ok "an exit code can end it all" await 20 status_is choosy '0 1 0 FailureTarget=PodFailurePolicy,Failed=PodFailurePolicy'
ok "the deadline ends a job" await 20 status_is slow '0 0 0 FailureTarget=DeadlineExceeded,Failed=DeadlineExceeded'
is "each ran as often as it should" "$(lines good) $(lines many) $(lines bad) $(once slow)" '1 4 3 once'
is "a job that is suspended has not run" "$(ls "$ROOT/told/still" 2>&1 | grep -c 'No such') $(podctl get job still | awk 'NR == 2 { print $2 }')" '1 Suspended'
ok "its time over, no pod of a job is left" await 20 eval '[ -z "$(pods_of brief)" ] && shown_is brief "Complete 1/1"'
ok "who comes after a job begins when all of it is complete" await 20 phase_is later Succeeded
ok "and not before" await 20 eval '[ "$(podctl logs later | wc -l)" = 4 ]'
message_is() { [ "$(field "$1" '.status.message')" = "$2" ]; } # POD MESSAGE
ok "who comes after a job that failed is told so" await 20 message_is never 'waits for bad to be completed (the job has failed)'
like "get shows them" "$(podctl get jobs bad many | xargs)" 'bad Failed 0/1 .* many Complete 4/4'
pod=$(pods_of good)
like "a pod has a name of its own" "$pod" '^pod/good-[a-z0-9]{5}$'
ok "its log stays" await 20 eval '[ "$(podctl logs "${pod#pod/}")" = done ]'
is "it has labels and an owner" "$(field "${pod#pod/}" '"\(.metadata.labels.made) \(.metadata.ownerReferences[0].kind)/\(.metadata.ownerReferences[0].name)"')" \
	'here Job/good'
like "events tell" "$(podctl get events -o json | jq -r '.items[] | select(.involvedObject.kind == "Job") | "\(.involvedObject.name) \(.type) \(.reason)"' | sort -u | xargs)" \
	'bad Normal SuccessfulCreate bad Warning BackoffLimitExceeded .*good Normal Completed good Normal SuccessfulCreate .*slow Warning DeadlineExceeded .*still Normal Suspended'

is "wait knows the end of a job" "$(podctl wait --for=condition=complete job/good job/many | xargs)" 'job/good completed job/many completed'
is "also how it has failed" "$(podctl wait --for=failed job bad; podctl wait --for=completed job/bad 2>&1; echo $?)" 'job/bad failed
podctl: job bad will not become completed: it has ended
1'
is "the logs of a job are those of its pods" "$(podctl logs job/good)" done
like "describe tells of a job" "$(podctl describe job many | xargs)" \
	'Name: many .*Completions: 4 Parallelism: 2 .*Ended Pods: 4 succeeded, 0 failed Pods: many-[a-z0-9]+ Succeeded .*Complete True .*Normal Completed'
is "there is no such job" "$(podctl describe job/none 2>&1; echo $?)" 'Error from server (NotFound): jobs "none" not found
1'

# --- podd and the machine come back ----------------------------------------------------------------------------------------------------------

job running 'echo run >>/told/running; exec sleep 1000'
ok "a job runs" await 20 eval '[ -s "$ROOT/told/running" ] && shown_is running "Running 0/1"'
pod=$(pods_of running) before=$(sandbox "${pod#pod/}")
podd_kill
podd_start
ok "a new podd knows them all" await 20 shown_is running 'Running 0/1'
is "and the pod that runs" "$(sandbox "${pod#pod/}")" "$before"
is "how they ended too" "$(status good) $(status bad)" \
	'1 0 0 SuccessCriteriaMet=CompletionsReached,Complete=CompletionsReached 0 3 0 FailureTarget=BackoffLimitExceeded,Failed=BackoffLimitExceeded'
ok "and who waits for them knows it" await 20 message_is never 'waits for bad to be completed (the job has failed)'
is "their pods as well" "$(podctl get pods -l job-name=good -o json | jq -r '.items[0].status.phase')" Succeeded
podd_kill
reboot_host
podd_start
ok "after a reboot, what had not ended runs again" await 20 eval '[ "$(lines running)" = 2 ]'
is "and nothing else" "$(lines good) $(lines many) $(lines bad) $(once slow)" '1 4 3 once'
pod=$(pods_of good)
is "a pod that had ended is shown so, its log is there" "$(phase "${pod#pod/}") $(podctl logs "${pod#pod/}")" 'Succeeded done'

# --- edits -----------------------------------------------------------------------------------------------------------------------------------

is "diff has nothing to say of what is as it was" "$(podctl diff "$PODS"; echo $?)" 0
job still 'echo run >>/told/still'
job good 'echo again >>/told/good'
ok "a job that was suspended runs" await 20 shown_is still 'Complete 1/1'
ok "an edit of the template is a new job" await 20 eval '[ "$(lines good)" = 2 ]'
is "delete takes jobs" "$(podctl delete job/bad job/never 2>&1)" 'job "bad" deleted
Error (NotFound): no manifest in '"$PODS"' defines job "never"'
ok "a job goes with its manifest" await 20 eval '! podctl get job bad >/dev/null 2>&1 && [ -z "$(pods_of bad)" ]'

# --- cron jobs -------------------------------------------------------------------------------------------------------------------------------

cron() { # NAME SCRIPT SPEC-LINES...
	local name=$1 script=$2
	shift 2
	cat <<-END | put "$name.yaml"
		apiVersion: batch/v1
		kind: CronJob
		metadata: {name: $name}
		spec:
		$(printf '  %s\n' "$@")
		  jobTemplate:
		    metadata: {labels: {by: $name}}
		    spec:
		      template:
		        spec:
		          restartPolicy: Never
		          terminationGracePeriodSeconds: 1
		          volumes: [{name: told, hostPath: {path: $ROOT/told}}]
		          containers:
		          - {name: app, image: "rootfs:/", command: [sh, -c, '$script'], volumeMounts: [{name: told, mountPath: /told}]}
	END
}
jobs_by() { podctl get jobs -l "by=$1" -o name | wc -l; }

cron often 'echo run >>/told/often' 'schedule: "@every 1s"' 'successfulJobsHistoryLimit: 2'
cron alone 'echo run >>/told/alone; exec sleep 1000' 'schedule: "@every 1s"' 'concurrencyPolicy: Forbid'
cron never 'echo run >>/told/never' 'schedule: "0 0 30 2 *"' 'timeZone: Europe/Berlin'
cron lost 'true' 'schedule: "* * * * *"' 'timeZone: Europe/Nowhere'
ok "one job begins at once when asked to" await 20 podctl create job by-hand --from=cronjob/never
ok "a schedule makes jobs" await 20 eval '[ "$(lines often)" -ge 3 ]'
await 20 eval '[ -s "$ROOT/told/alone" ]'
is "with Forbid not a second one beside the first" "$(lines alone) $(jobs_by alone)" '1 1'
ok "of those that have succeeded two are kept" await 20 eval '[ "$(podctl get jobs -l by=often | grep -c Complete)" = 2 ]'
ok "and the one by hand has run" await 20 shown_is by-hand 'Complete 1/1'
like "get shows them" "$(podctl get cronjobs | xargs)" 'alone @every 1s <none> False 1 .* never 0 0 30 2 \* Europe/Berlin False 0 <none>'
ok "what is too much is deleted" await 20 eval 'podctl get events -o json | grep -q SuccessfulDelete'
cron_events() { podctl get events -o json | jq -r '.items[] | select(.involvedObject.kind == "CronJob") | "\(.involvedObject.name) \(.reason)"' | sort -u | xargs; }
await 20 eval 'cron_events | grep -q "alone JobAlreadyActive.* never SawCompletedJob"'
like "an unknown zone is told" "$(cron_events)" \
	'alone JobAlreadyActive alone SuccessfulCreate lost UnknownTimeZone never SawCompletedJob .*often SuccessfulDelete'
pod=$(podctl get pods -o name | grep pod/alone-) before=$(sandbox "${pod#pod/}")
podd_kill
podd_start
ok "a new podd goes on" await 20 eval '[ "$(jobs_by alone)" = 1 ] && [ "$(sandbox "${pod#pod/}")" = "$before" ]'
is "with what a cron job's job has done" "$(podctl get job by-hand | awk 'NR == 2 { print $2 }') $(wc -l <"$ROOT/told/never") $(podctl get cronjob never -o json | jq -r '.status.lastSuccessfulTime != null')" 'Complete 1 true'
leaves_nothing
ok "nothing is kept of them" await 20 eval '[ -z "$(ls -A "$ROOT/var/lib/podd/jobs")" ]'
finish
