#!/bin/bash
# Which system calls a container may make: RuntimeDefault unless something else is asked for, the same for an exec, and what it costs to get out.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

image=$ROOT/image
mkdir -p "$image/bin" "$ROOT/etc/podd/seccomp/own"
cp "$builddir/tests/lib/inmate" "$image/bin/inmate"

inmate() { # NAME SECURITY-CONTEXT [POD-SECURITY-CONTEXT]
	pod "$1" <<X
  terminationGracePeriodSeconds: 0
  securityContext: ${3:-{\}}
  containers:
  - {name: c, image: "rootfs:$image", command: [/bin/inmate, sleep], securityContext: $2}
X
}
calls() { podctl exec "$1" -- /bin/inmate call "${@:2}" | sed 's/^call\.//' | tr '\n' ' ' | sed 's/ $//'; }
mode() { awk '$1 == "Seccomp:" { print $2 }' "/proc/$(member_pid "$1" c)/status"; }
waits_with() { [ "$(of "$1" c .state.waiting.reason)" = "$2" ]; }

cat >"$ROOT/etc/podd/seccomp/own/no-getcwd.json" <<'X'
{ "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [ { "names": ["bpf", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 61 },
                { "names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [ { "index": 0, "value": 38, "op": "SCMP_CMP_EQ" } ] },
                { "names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "excludes": { "caps": ["CAP_SYS_ADMIN"] } } ] }
X
echo '{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"}' >"$ROOT/etc/podd/seccomp/odd.json"

podd_start || exit 1
inmate plain '{}'
inmate strict '{allowPrivilegeEscalation: false, runAsUser: 1000}'
inmate admin '{capabilities: {add: [SYS_ADMIN]}}'
inmate free '{seccompProfile: {type: Unconfined}}'
inmate poddefault '{}' '{seccompProfile: {type: Unconfined}}'
inmate owndefault '{seccompProfile: {type: RuntimeDefault}}' '{seccompProfile: {type: Unconfined}}'
inmate mighty '{privileged: true}'
inmate local '{seccompProfile: {type: Localhost, localhostProfile: own/no-getcwd.json}}'
inmate missing '{seccompProfile: {type: Localhost, localhostProfile: none.json}}'
inmate odd '{seccompProfile: {type: Localhost, localhostProfile: odd.json}}'
inmate nonroot '{runAsNonRoot: true}'
inmate nonroot1000 '{runAsUser: 1000}' '{runAsNonRoot: true}'
for p in plain strict admin free poddefault owndefault mighty local nonroot1000; do ready $p; done

is "a container has a filter" "$(mode plain)$(mode strict)$(mode owndefault)$(mode local)" 2222
is "but for Unconfined and privileged" "$(mode free)$(mode poddefault)$(mode mighty)" 000

# What RuntimeDefault denies, each by name, though the container is root with the default capabilities.
while read -r want names; do
	for n in $names; do is "RuntimeDefault: $n" "$(calls plain "$n")" "$n $want"; done
done <<'X'
EPERM io_uring_setup io_uring_enter io_uring_register userfaultfd keyctl add_key request_key bpf perf_event_open mount umount2 open_tree
EPERM move_mount fsopen fsconfig fsmount fspick mount_setattr unshare setns pivot_root swapon swapoff kexec_load open_by_handle_at
EPERM nfsservctl quotactl reboot syslog acct migrate_pages move_pages init_module finit_module delete_module settimeofday clock_settime
EPERM sethostname setdomainname personality clone_newuser fanotify_init lookup_dcookie kcmp pidfd_getfd process_madvise get_mempolicy mbind
EPERM tiocsti tiocsti_high socket_alg socket_high socket_vsock chroot
ENOSYS clone3 unheard_of
EFAULT memfd_create
EINVAL socket getrandom
X
is "a call that came after the compiler's library" "$(calls plain mseal)" "mseal $("$builddir/tests/lib/inmate" call mseal | cut -d' ' -f2)"
is "an exec has the very same filter" "$(podctl exec plain -- /bin/inmate facts | grep -E '^status.(Seccomp|NoNewPrivs)')" \
	"$(sed -n 's/\t/ /; s/^\(Seccomp\|NoNewPrivs\):/status.&/p' "/proc/$(member_pid plain c)/status" | grep -v Filters)"
is "without privilege escalation: the same calls, and no_new_privs" "$(calls strict mount bpf clone3)" "bpf EPERM mount EPERM clone3 ENOSYS"
unlike "what a capability is for, it allows: mount" "$(calls admin mount)" EPERM
unlike "... unshare" "$(calls admin unshare)" EPERM
unlike "... clone3" "$(calls admin clone3)" ENOSYS
is "... but not another capability's call" "$(calls admin kexec_load init_module)" "kexec_load EPERM init_module EPERM"
is "Unconfined: the kernel decides" "$(calls free unheard_of personality)" "personality 0 unheard_of ENOSYS"
is "the container's profile goes before the pod's" "$(calls owndefault personality)" "personality EPERM"
is "a profile of the node's" "$(calls local bpf keyctl socket_alg)" "keyctl EPERM bpf 61 socket_alg EPERM"
unlike "... which allows the rest" "$(calls local unshare)" EPERM
ok "a profile that is not there" await 30 waits_with missing CreateContainerConfigError
like "... is named" "$(of missing c .state.waiting.message)" 'cannot read the seccomp profile "none.json": No such file'
ok "a profile with a field that nobody knows" await 30 waits_with odd CreateContainerConfigError
like "... says which" "$(of odd c .state.waiting.message)" 'unknown field "listenerPath"'
ok "runAsNonRoot and an image that runs as root" await 30 waits_with nonroot CreateContainerConfigError
like "... says so" "$(of nonroot c .state.waiting.message)" 'container has runAsNonRoot and image will run as root'
is "runAsNonRoot of the pod and a user of the container's" "$(awk '$1 == "Uid:" { print $2 }' "/proc/$(member_pid nonroot1000 c)/status")" 1000
sed -i 's/, "listenerPath": "\/x"//' "$ROOT/etc/podd/seccomp/odd.json"
ok "a mended profile is used at the next start" ready odd
leaves_nothing
podd_stop
finish
