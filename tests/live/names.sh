#!/bin/bash
# Names inside a pod: resolv.conf from the host and the manifest, lines of /etc/hosts, the host name in all its forms.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

# The host's file is the test's own, and must be a file to be mounted over.
printf 'search host.example\nnameserver 192.0.2.53\noptions ndots:2\n' >"$ROOT/resolv.conf"
mount --bind "$ROOT/resolv.conf" "$(readlink -f /etc/resolv.conf)"

printf '127.0.0.1\tlocalhost\n192.0.2.77\tprinter' >"$ROOT/hosts"
mount --bind "$ROOT/hosts" /etc/hosts

names() { # NAME: standard input is more of the spec
	{
		cat <<-X
			  terminationGracePeriodSeconds: 0
			  containers: [{name: c, image: "rootfs:/", command: [sleep, "100000"]}]
		X
		cat
	} | pod "$1"
}
see() { podctl exec "$1" -- cat "$2" 2>&1; }
resolv() { see "$1" /etc/resolv.conf | paste -sd '|'; }
says() { [ "$(resolv "$1")" = "$2" ]; }
line() { see "$1" /etc/hosts | grep "^$2[[:space:]]"; } # POD ADDRESS
address() { field "$1" .status.podIP; }
found() { inside "$1" getent ahostsv4 "$2" | awk 'NR == 1 { print $1 }'; } # POD NAME: by /etc/hosts alone, which no server is asked for
inside() { podctl exec "$1" -- "${@:2}" 2>&1; }

knows() { see "$1" /etc/hosts | grep -qw "$2"; } # POD NAME

podd_start || exit 1
names plain <<<''
names cluster <<<'  dnsPolicy: ClusterFirst'
names host <<<'  dnsPolicy: ClusterFirstWithHostNet
  hostNetwork: true
  hostAliases: [{ip: 192.0.2.9, hostnames: [nine]}]'
names none <<<'  dnsPolicy: None
  dnsConfig: {nameservers: [192.0.2.1]}'
names more <<<'  dnsConfig: {nameservers: [192.0.2.1, "2001:db8::1"], searches: [pod.example], options: [{name: ndots, value: "5"}, {name: edns0}]}'
names alias <<<'  hostAliases: [{ip: 192.0.2.7, hostnames: [db, db.example.com]}, {ip: "2001:db8::7", hostnames: [six]}]'
names sub <<<'  hostname: db-0
  subdomain: db'
names full <<<'  subdomain: db
  setHostnameAsFQDN: true'
names over <<<'  hostname: other
  hostnameOverride: any.example.com'
for p in plain cluster host none more alias sub full over; do ready $p; done

# --- resolv.conf ---
own='search host.example|nameserver 192.0.2.53|options ndots:2'
is "by default name servers are the host's" "$(resolv plain)" "$own"
is "... with ClusterFirst, since there is no cluster" "$(resolv cluster)" "$own"
is "... and in the host's network" "$(resolv host)" "$own"
like "... which podctl validate tells" "$(podctl validate "$PODS/cluster.yaml" 2>&1)" 'notice.*spec.dnsPolicy.*no cluster'
is "with None they are the manifest's" "$(resolv none)" 'nameserver 192.0.2.1'
is "dnsConfig adds to the host's, an option in place of its namesake" "$(resolv more)" \
	'search host.example pod.example|nameserver 192.0.2.53|nameserver 192.0.2.1|nameserver 2001:db8::1|options ndots:5 edns0'
pid=$(member_pid more c)
names more <<<'  dnsPolicy: None
  dnsConfig: {nameservers: [192.0.2.2]}'
ok "an edit is in force at once" await 30 says more 'nameserver 192.0.2.2'
names more <<<'  dnsConfig: {searches: [longer.example]}'
ok "... also one that makes it longer" await 30 says more 'search host.example longer.example|nameserver 192.0.2.53|options ndots:2'
is "... without a restart" "$(member_pid more c)" "$pid"
podd_kill
names more <<<'  dnsPolicy: None
  dnsConfig: {nameservers: [192.0.2.3]}'
podd_start
ok "... and one that podd was not there for" await 30 says more 'nameserver 192.0.2.3'
await 30 knows alias plain
is "... likewise" "$(member_pid more c)" "$pid"

# --- /etc/hosts ---
like "hostAliases are lines of /etc/hosts" "$(line alias 192.0.2.7)" $'^192.0.2.7\tdb\tdb.example.com$'
like "... after those of the namespace" "$(see alias /etc/hosts | paste -sd '|')" $'\tplain\\|.*\\|\\|# Entries added by HostAliases.\\|192.0.2.7.*\\|2001:db8::7\tsix$'
is "in the host's network the host's own lines come first" "$(see host /etc/hosts | head -n 3 | paste -sd '|')" \
	$'# Kubernetes-managed hosts file (host network).|127.0.0.1\tlocalhost|192.0.2.77\tprinter'
is "... and the aliases last" "$(see host /etc/hosts | tail -n 2 | paste -sd '|')" $'# Entries added by HostAliases.|192.0.2.9\tnine'
is "... and pods are known by name" "$(found host plain) $(found host printer)" "$(address plain) 192.0.2.77"
is "... which are not told of the host's" "$(line plain 192.0.2.77)" ""
is "... and nobody else's" "$(line plain 192.0.2.7)" ""
is "they are found" "$(found alias db)" 192.0.2.7
names late <<<''
ready late
ok "a pod that comes later is there, too" await 30 eval '[ -n "$(line alias "$(address late)")" ]'
pid=$(member_pid alias c)
names alias <<<'  hostAliases: [{ip: 192.0.2.8, hostnames: [db]}]'
ok "an edit of them restarts the containers" await 30 replaced alias c "$pid"
is "... which see it" "$(found alias db)" 192.0.2.8
pid=$(member_pid alias c)
names alias <<<''
ok "... also when none is left" await 30 replaced alias c "$pid"
unlike "... which they see, too" "$(see alias /etc/hosts)" 'HostAliases|192.0.2.8'

# --- host names ---
is "a subdomain makes a full name" "$(inside sub hostname) $(inside sub hostname -f)" "db-0 db-0.db.default.svc.cluster.local"
is "... which other pods know" "$(found plain db-0.db.default.svc.cluster.local)" "$(address sub)"
is "... beside the short ones" "$(found plain db-0) $(found plain sub)" "$(address sub) $(address sub)"
is "it can be the host name" "$(inside full hostname) $(see full /etc/hostname) $(inside full sh -c 'echo $HOSTNAME')" \
	"full.db.default.svc.cluster.local full.db.default.svc.cluster.local full.db.default.svc.cluster.local"
is "a host name of any form" "$(inside over hostname) $(inside over hostname -f)" "any.example.com any.example.com"
leaves_nothing
podd_stop
finish
