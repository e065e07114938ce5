#!/bin/bash
# podctl without podd: validate, apply, delete, plan, usage, exit codes.
srcdir=$(cd "${srcdir:-$(dirname "$0")/../..}" && pwd)
builddir=$(cd "${builddir:-$srcdir/build}" && pwd)
. "$srcdir/tests/lib/tap.sh"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/etc/pods"
pods=$dir/etc/pods

podctl() { "$builddir/bin/podctl" --root "$dir" "$@"; }
exit_of() { "$@" >/dev/null 2>&1 </dev/null; echo $?; }
pod() { # NAME [IMAGE]
	printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nspec:\n  containers:\n  - {name: app, image: "%s", command: [sleep, "1"]}\n' "$1" "${2:-rootfs:/}"
}

# --- usage
is "no verb" "$(exit_of podctl)" 2
is "an unknown verb" "$(exit_of podctl frobnicate)" 2
is "an unknown option" "$(exit_of podctl get pods --nope)" 2
is "an option of another verb" "$(exit_of podctl get pods --tail 3)" 2
is "a value that is missing" "$(exit_of podctl get pods -o)" 2
is "help" "$(exit_of podctl help)" 0
like "help of a verb" "$(podctl logs --help)" '^podctl logs POD'
like "options may stand before the verb" "$(podctl -n x --socket /nonexistent get pods 2>&1)" "can't be reached at /nonexistent"
is "no podd" "$(exit_of podctl get pods)" 4
is "exec without podd" "$(exit_of podctl exec web -- true)" 125
like "a name that can't be" "$(podctl describe pod a/b/c 2>&1)" 'names no pod'
long=$dir/$(printf 'x%.0s' {1..120})
mkdir -p "$long/run/podd"
like "a path longer than a socket's" "$("$builddir/bin/podctl" --root "$long" get pods 2>&1)" 'No such file or directory'

# --- validate
pod web >"$dir/good.yaml"
sed 's/containers/containres/' "$dir/good.yaml" >"$dir/bad.yaml"
is "a good manifest" "$(podctl validate "$dir/good.yaml" 2>&1; echo $?)" 0
like "a bad one" "$(podctl validate "$dir/bad.yaml" 2>&1)" 'bad.yaml:5:3: error: .*containres.*containers'
is "its exit code" "$(exit_of podctl validate "$dir/good.yaml" "$dir/bad.yaml")" 1
is "standard input" "$(pod web | podctl validate - >/dev/null 2>&1; echo $?)" 0
is "a missing file" "$(exit_of podctl validate "$dir/none.yaml")" 1
mkdir "$dir/many" && cp "$dir/bad.yaml" "$dir/many/.hidden.yaml" && cp "$dir/bad.yaml" "$dir/many/bad.txt" && cp "$dir/good.yaml" "$dir/many/"
is "a directory: hidden and other files do not count" "$(exit_of podctl validate "$dir/many")" 0
{ pod web && echo '  schedulingGates: [{name: a}]'; } >"$dir/refused.yaml"
is "legal Kubernetes that podd refuses" "$(exit_of podctl validate "$dir/refused.yaml")" 3
is "worst: 1 before 3" "$(exit_of podctl validate "$dir/refused.yaml" "$dir/bad.yaml")" 1
is "worst: 3 before 0" "$(exit_of podctl validate "$dir/good.yaml" "$dir/refused.yaml")" 3
is "JSON" "$(podctl validate -o json "$dir/bad.yaml" | jq -r '.findings[0] | .severity + " " + (.line | tostring)')" "error 5"

is "not portable is no error" "$(exit_of podctl validate --portable "$dir/good.yaml")" 0
like "an image that is podd's own" "$(podctl validate --portable "$dir/good.yaml" 2>&1)" 'containers\[0\].image: not portable: rootfs: is podd.s own'
{ pod web && echo '  serviceAccountName: a'; } >"$dir/account.yaml"
like "what a kubelet refuses" "$(podctl validate --portable "$dir/account.yaml" 2>&1)" 'spec.serviceAccountName: not portable: a kubelet refuses'
{ pod web && printf '    %s\n' 'readinessProbe: {tcpSocket: {port: 80}}'; } | sed 's/  - {\(.*\)}$/  - {\1, readinessProbe: {tcpSocket: {port: 80}}}/; /^    readiness/d' >"$dir/ready.yaml"
like "what podman ignores" "$(podctl validate --portable "$dir/ready.yaml" 2>&1)" 'readinessProbe: not portable: podman kube play ignores it'
is "not asked for, not said" "$(podctl validate "$dir/account.yaml" 2>&1 | grep -c portable)" 0

# --- explain
like "a field" "$(podctl explain pod.spec.containers.image)" '^field +pod.spec.containers.image <string>, required$'
like "with its values" "$(podctl explain spec.restartPolicy)" '^values +Always\|OnFailure\|Never$'
like "what is below" "$(podctl explain pod.spec.containers[].livenessProbe)" '^  periodSeconds <int32>'
like "never done, but this instead" "$(podctl explain pod.spec.volumes.gitRepo)" '^instead +clone it'
is "no field" "$(exit_of podctl explain pod.spec.containres)" 1
is "no output of this name" "$(exit_of podctl explain -o yaml)" 2
is "every field as JSON" "$(podctl explain -o json | jq '[.fields[] | select(.path | startswith("spec."))] | length > 480')" true
podctl explain -o markdown >"$dir/FIELDS.md"
ok "docs/FIELDS.md is what podctl explain -o markdown prints" cmp "$dir/FIELDS.md" "$srcdir/docs/FIELDS.md"

# --- plan
like "a plan" "$(podctl plan "$dir/good.yaml")" '^# default/web, container app$'
is "a container that is not there" "$(exit_of podctl plan "$dir/good.yaml" -c nope)" 1

# --- apply
is "apply" "$(podctl apply -f "$dir/good.yaml")" "pod/web created"
ok "the file is the manifest" cmp "$dir/good.yaml" "$pods/web.yaml"
is "apply again" "$(podctl apply -f "$dir/good.yaml")" "pod/web unchanged"
pod web rootfs:/usr | podctl apply -f - >/dev/null
ok "overwritten" grep -q rootfs:/usr "$pods/web.yaml"
is "a refused manifest is not written" "$(exit_of podctl apply -f "$dir/refused.yaml")" 3
ok "the file is as it was" grep -q rootfs:/usr "$pods/web.yaml"
is "nothing is written if anything is refused" "$(pod new >"$dir/new.yaml"; exit_of podctl apply -f "$dir/new.yaml" -f "$dir/bad.yaml"; ls "$pods")" "1
web.yaml"
sed 's/name: web/name: web, namespace: net/' "$dir/good.yaml" | podctl apply -f - >/dev/null
is "outside of default" "$(ls "$pods")" "net_web.yaml
web.yaml"
mv "$pods/web.yaml" "$pods/10-site.yaml"
podctl apply -f "$dir/good.yaml" >/dev/null
is "the file that holds the pod is the one that is written" "$(ls "$pods"; grep -c rootfs:/usr "$pods/10-site.yaml")" "10-site.yaml
net_web.yaml
0"
{ pod one; echo ---; echo '# two'; pod two; echo '--- # and three'; pod three; } >"$dir/three.yaml"
is "several documents, a file each" "$(podctl apply -f "$dir/three.yaml")" "pod/one created
pod/two created
pod/three created"
is "each valid by itself" "$(exit_of podctl validate "$pods"/{one,two,three}.yaml)" 0
is "and only itself" "$(grep -h 'name: \(one\|two\|three\)' "$pods"/two.yaml)" "metadata: {name: two}"
rm "$pods"/{one,two,three}.yaml
cp "$dir/three.yaml" "$pods/"
like "a shared file is refused by name" "$(pod two | podctl apply -f - 2>&1)" 'three.yaml together with others'
is "with exit code 1" "$(pod two >"$dir/two.yaml"; exit_of podctl apply -f "$dir/two.yaml")" 1
pod other >"$pods/x.yaml"
like "a file that holds something else is not overwritten" "$(pod x | podctl apply -f - 2>&1)" 'x.yaml is there already and does not hold pod x'
rm "$pods"/{x,three}.yaml

# ConfigMaps and Secrets beside pods, all called alike
config() { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {key: %s}\n' "$1" "$2"; }
secret() { printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: %s}\nstringData: {key: %s}\n' "$1" "$2"; }
(umask 077; { pod db; echo ---; config db a; echo ---; secret db b; } >"$dir/db.yaml")
(umask 022; printf old >"$pods/.tmp-db.secret.yaml") # that of a podctl that was killed
is "what a pod uses is applied before it" "$(umask 022; podctl apply -f "$dir/db.yaml")" "configmap/db created
secret/db created
pod/db created"
is "only root reads a Secret" "$(stat -c '%a %n' "$pods"/db.*)" "644 $pods/db.configmap.yaml
600 $pods/db.secret.yaml
644 $pods/db.yaml"
is "each has its own text" "$(grep -l key "$pods"/db.*; grep -L key "$pods"/db.*)" "$pods/db.configmap.yaml
$pods/db.secret.yaml
$pods/db.yaml"
is "apply again" "$(podctl apply -f "$dir/db.yaml" | grep -c unchanged)" 3
is "an edited Secret" "$(secret db c | podctl apply -f -; stat -c %a "$pods/db.secret.yaml")" "secret/db configured
600"
chmod 600 "$pods/db.yaml"
is "a file that others could not read stays so" "$(pod db rootfs:/usr | podctl apply -f -; stat -c %a "$pods/db.yaml")" "pod/db configured
600"
is "delete means the pod" "$(podctl delete pod db; ls "$pods")" "pod \"db\" deleted
10-site.yaml
db.configmap.yaml
db.secret.yaml
net_web.yaml"
is "by file, each kind" "$(podctl delete -f "$dir/db.yaml" 2>/dev/null; ls "$pods")" "configmap \"db\" deleted
secret \"db\" deleted
10-site.yaml
net_web.yaml"
cp "$dir/three.yaml" "$pods/"
pod other >"$pods/x.yaml"
is "no temporary is left" "$(find "$pods" -name '.*' -type f)" ""
is "no manifest directory" "$("$builddir/bin/podctl" --root "$dir/nowhere" apply -f "$dir/good.yaml" >/dev/null 2>&1; echo $?)" 1

# --- delete
like "a shared file is not deleted" "$(podctl delete pod two 2>&1)" 'three.yaml together with others'
is "delete by name" "$(podctl delete pod web)" 'pod "web" deleted'
is "delete by namespace and name" "$(podctl delete pod net/web; ls "$pods")" "pod \"web\" deleted
three.yaml
x.yaml"
is "delete by file" "$(podctl delete -f "$pods/x.yaml"; ls "$pods")" "pod \"other\" deleted
three.yaml"
is "what is not there" "$(exit_of podctl delete pod web)" 1
finish
