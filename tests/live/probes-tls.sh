#!/bin/bash
# What podd-probe asks: HTTPS, gRPC, hosts by name, redirects; without privileges, and nobody's loss when it dies.
. "$(dirname "$0")/../lib/host.sh"
. "$srcdir/tests/lib/pods.sh"

mkdir "$ROOT/told"
cp "$builddir/tests/lib/grpcd" "$ROOT/told/"
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=elsewhere -keyout "$ROOT/told/key" -out "$ROOT/told/cert" 2>/dev/null
cat "$ROOT/told/key" >>"$ROOT/told/cert"
cat >"$ROOT/told/serve" <<'END'
#!/bin/sh
read -r method path version
while read -r line && [ ${#line} -gt 1 ]; do case $line in Host:*) host=${line#Host: } ;; esac; done
status=503 to=
case $path in
/ok) status=200 ;;
/dir/hop?) status=302 to='ok?x=1' ;;
"/dir/ok?x=1") status=200 ;;
/full) status=307 to="http://${host%:*}:8081/ok" ;;
/full-tls) status=308 to="https://${host%:*}:8443/ok" ;;
/away) status=302 to=http://elsewhere.test/ ;;
/ring) status=302 to=/ring ;;
esac
printf 'HTTP/1.1 %s As It Is\r\nContent-Length: 0\r\n' $status
[ -z "$to" ] || printf 'Location: %s\r\n' "$to" | tr -d '\r' | sed 's/$/\r/'
printf '\r\n'
END
chmod +x "$ROOT/told/serve"
{ cat /etc/hosts; echo "127.0.0.1 web.test"; } >"$ROOT/hosts"
chmod 755 "$ROOT" && mount --bind "$ROOT/hosts" /etc/hosts
socat TCP-LISTEN:8090,bind=127.0.0.1,fork,reuseaddr "EXEC:$ROOT/told/serve" 2>/dev/null &
podd_start || { fail "podd starts"; finish; }

asks() { # NAME PROBE [SECONDS]: a container that is asked this
	printf '  - {name: %s, image: "rootfs:/", command: [sleep, infinity], readinessProbe: {periodSeconds: 1, timeoutSeconds: %s, %s}}\n' "$1" "${3:-30}" "$2"
}
tls() { asks "$1" "httpGet: {scheme: HTTPS, port: 8443, path: $2}"; }
http() { asks "$1" "httpGet: {port: 8081, path: $2}"; }
grpc() { asks "$1" "grpc: {port: 50051, service: \"$2\"}" "${3:-}"; }
{
	cat <<-END
	  terminationGracePeriodSeconds: 0
	  volumes: [{name: told, hostPath: {path: "$ROOT/told"}}]
	  containers:
	  - name: servers
	    image: rootfs:/
	    command:
	    - sh
	    - -c
	    - |
	      socat OPENSSL-LISTEN:8443,cert=/told/cert,verify=0,fork,reuseaddr EXEC:/told/serve &
	      socat OPENSSL-LISTEN:50443,cert=/told/cert,verify=0,fork,reuseaddr TCP:127.0.0.1:50051 &
	      socat TCP-LISTEN:8081,fork,reuseaddr EXEC:/told/serve &
	      exec /told/grpcd 50051
	    volumeMounts: [{name: told, mountPath: /told}]
	END
	tls tls /ok
	tls tls-sick /no
	asks tls-plain "httpGet: {scheme: HTTPS, port: 50051}"
	http hop /dir/hop1
	http full /full
	http full-tls /full-tls
	http away /away
	http ring /ring
	grpc serving ""
	grpc sick sick
	grpc strange strange
	grpc old old
	grpc slow slow 2
	asks grpc-tls 'grpc: {port: 50443, mode: TLS}'
	asks grpc-none 'grpc: {port: 50052}'
	asks grpc-http 'grpc: {port: 8081}'
	asks name 'httpGet: {host: web.test, port: 8090, path: /ok}'
	asks name-tcp 'tcpSocket: {host: web.test, port: 8090}'
	asks nowhere 'tcpSocket: {host: nowhere.test, port: 8090}'
} | pod asked
event_is() { podctl events 2>/dev/null | grep -qE -- "$1"; }
ready_of() { [ "$(of asked "$1" '.ready | tostring')" = "${2:-true}" ]; }
answers() { ok "$2" await 60 ready_of "$1"; }
complains() { # CONTAINER TEXT-OF-TEST EVENT
	ok "$2" await 60 event_is "$3"
	ok "  and makes it unready" ready_of "$1" false
}
prober() { pgrep -P "$PODD_PID" -x podd-probe; }

answers tls "HTTPS is asked for, and no certificate verified"
complains tls-sick "an answer of 503 over HTTPS is a failure" 'Readiness probe failed: HTTP probe failed with statuscode: 503'
complains tls-plain "a server that speaks no TLS fails" 'Readiness probe failed: Get: [0-9.]*:50051: tls: '
answers hop "a relative redirect is followed"
answers full "one to another port of the host, too"
answers full-tls "or to HTTPS there"
answers away "one to another host is not: it is a success"
ok "  and a warning" await 60 event_is 'ProbeWarning.*Probe terminated redirects, statuscode: 302'
complains ring "redirects end" 'Readiness probe failed: Get: stopped after 10 redirects'
answers serving "a service that is SERVING is ready"
answers grpc-tls "also over TLS"
complains sick "one that is not, is not" 'Readiness probe failed: service unhealthy \(responded with "NOT_SERVING"\)'
complains strange "an error of gRPC is a failure" 'Readiness probe failed: error: health rpc probe failed: rpc error: code = 5 desc = as asked'
complains old "so is a server without the health service" 'this server does not implement the grpc health protocol'
complains slow "and one that is too slow" 'timeout: health rpc did not complete within 2s'
complains grpc-none "and a refused connection" 'error: failed to connect service: dial tcp [0-9.]*:50052: connect: connection refused'
complains grpc-http "and one that is no HTTP/2" 'health rpc probe failed: [0-9.]*:8081: '
answers name "a host is found by its name, for a request"
answers name-tcp "and for a connection"
complains nowhere "a name that is not known fails" 'dial tcp lookup nowhere.test: '

pid=$(prober)
is "one process asks all that" "$(wc -w <<<"$pid")" 1
is "it is nobody" "$(awk '/^Uid|^Gid|^Groups/ { print $2, $5 }' "/proc/$pid/status" | xargs)" "65534 65534 65534 65534"
is "without capabilities, and without a way to them" \
	"$(awk '/^Cap(Prm|Eff|Bnd|Inh|Amb)|^NoNewPrivs/ { print $2 }' "/proc/$pid/status" | sort -u | xargs)" "0000000000000000 1"
is "it has one descriptor of podd's beside stdio" "$(find "/proc/$pid/fd" -mindepth 1 | grep -vE '/[012]$' | grep -c '/3$')" 1
kill -KILL "$pid"
anew() { local now; now=$(prober) && [ -n "$now" ] && [ "$now" != "$pid" ]; }
ok "another one is started when it dies" await 20 anew
ok "that is told" grep -q 'podd-probe died' "$ROOT/podd.log"
ok "and nobody became unready by that" ready_of tls

leaves_nothing
podd_stop
ok "it ends with podd" await 30 eval '! pgrep -x podd-probe'
finish
