# shellcheck shell=bash
# The laboratory: four namespaces, their servers, and the words that recipes are written in.
#
#   cap-client --- cap-wire --- cap-router --- cap-server
#   192.0.2.10    (path.py)    192.0.2.1      198.51.100.0/24, 203.0.113.0/24
#   2001:db8:1::10             one IP hop     2001:db8:2::/64
#
# The wire is the only place with delay or loss. Captures are taken at the client's own interface
# (or on the trunk of the wire), so the client's packets have hop limit 64 and the servers' 63.
# Segmentation and checksum offload are off: packets look as they would on a cable.

NAMESPACES="cap-client cap-wire cap-router cap-server"
CLIENT4=192.0.2.10 CLIENT6=2001:db8:1::10
RESOLVER4=198.51.100.53 RESOLVER6=2001:db8:2::53
CA=$LAB/pki/root.pem
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy SSLKEYLOGFILE
export LC_ALL=C.UTF-8 HOME=$LAB/home

# ---- words for recipes -----------------------------------------------------------------------

client() { ip netns exec cap-client "$@"; }
server() { ip netns exec cap-server "$@"; }
pause() { sleep "$1"; }

# Start a program in the server namespace and leave it running.
serve() { server "$@" >>"$LAB/serve.log" 2>&1 & }

# wire [--delay MS] [--loss PERCENT] ...   (path.py explains); replaces the wire there was
wire() {
  kill_in cap-wire
  ip netns exec cap-wire /usr/bin/python3 "$HERE/path.py" w0 w1 "$@" 2>>"$LAB/wire.log" &
  sleep 0.5
}

# trunk --vlan ID ... [--delay MS]   two switches with tagged frames between them; capture there
trunk() {
  kill_in cap-wire
  ip -n cap-wire link add t0 type veth peer name t1
  quiet_link cap-wire t0; quiet_link cap-wire t1
  ip netns exec cap-wire /usr/bin/python3 "$HERE/path.py" w0 t0 "$@" 2>>"$LAB/wire.log" &
  local argument vlans=()
  for argument in "$@"; do [[ $argument == --delay ]] && break; vlans+=("$argument"); done
  ip netns exec cap-wire /usr/bin/python3 "$HERE/path.py" w1 t1 "${vlans[@]}" 2>>"$LAB/wire.log" &
  CAPTURE_AT="cap-wire t0"
  sleep 0.5
}

# switch   in place of the wire: no delay, and segments larger than the MTU come through; offloads on
switch() {
  kill_in cap-wire
  ip -n cap-wire link add b0 type bridge mcast_snooping 0
  ip -n cap-wire link set w0 master b0; ip -n cap-wire link set w1 master b0
  ip netns exec cap-wire sysctl -qw net.ipv6.conf.b0.disable_ipv6=1; ip -n cap-wire link set b0 up
  client ethtool -K c0 tx on tso on gso on >/dev/null 2>&1
  sleep 0.5
}

# capture pcapng|pcap|pcap-nanosecond [further arguments of dumpcap or tcpdump]
capture() {
  local interface=c0 namespace=cap-client
  if [ -n "${CAPTURE_AT:-}" ]; then read -r namespace interface <<<"$CAPTURE_AT"; fi
  FORMAT=$1; shift
  case $FORMAT in
    pcapng) set -- dumpcap -q -i "$interface" -w "$LAB/taken" "$@" ;;
    pcap) set -- tcpdump -Z root -q -n -U --immediate-mode -i "$interface" -w "$LAB/taken" "$@" ;;
    pcap-nanosecond) set -- tcpdump -Z root -q -n -U --immediate-mode --time-stamp-precision=nano -i "$interface" -w "$LAB/taken" "$@" ;;
    *) echo "capture: unknown format $FORMAT" >&2; return 1 ;;
  esac
  ip netns exec "$namespace" "$@" 2>"$LAB/capture.log" &
  CAPTURE_PROCESS=$!
  for _ in $(seq 50); do [ -s "$LAB/taken" ] && break; sleep 0.1; done
  sleep 0.5
}

# End the capture. Called for the recipe when it is through, after the last packets have come.
end_capture() {
  [ -n "${CAPTURE_PROCESS:-}" ] || return 0
  sleep "${1:-0.5}"
  kill -INT "$CAPTURE_PROCESS"; wait "$CAPTURE_PROCESS" || true
  CAPTURE_PROCESS=""
}

# HTTP/3 beside the web server, by aioquic: $PYTHON must have it (pip install aioquic). Requests answered are kept with the capture.
PYTHON=${PYTHON:-/usr/bin/python3}
serve_http3() { # [--retry]
  "$PYTHON" -c 'import aioquic' || { echo "HTTP/3 needs a Python with aioquic: PYTHON=..." >&2; return 1; }
  serve "$PYTHON" "$HERE/h3.py" serve 198.51.100.10 "$LAB/pki/www.chain" "$LAB/pki/www.key" "$LAB/www" "$LAB/requests.txt" "$@"
  sleep 1
}
ask_http3() { client "$PYTHON" "$HERE/h3.py" ask "$CA" "$LAB/keylog.txt" "$@"; }

# Key log of everything the recipe starts from here on.
keep_keys() { export SSLKEYLOGFILE=$LAB/keylog.txt; }

# Commands that are meant to fail: the recipe goes on.
fails() { if "$@"; then echo "fails: this should have failed: $*" >&2; return 1; fi; }

# ---- what recipes do not call ----------------------------------------------------------------

keep() {
  [ -n "${FORMAT:-}" ] || { echo "$1: the recipe captures nothing" >&2; return 1; }
  end_capture
  local name=$1 suffix=${FORMAT%%-*}
  if [ "$suffix" = pcapng ]; then /usr/bin/python3 "$HERE/anonymous.py" "$LAB/taken"; fi
  mv "$LAB/taken" "$OUT/$name.$suffix"
  rm -f "$OUT/$name.keylog.txt"
  if [ -s "$LAB/keylog.txt" ]; then mv "$LAB/keylog.txt" "$OUT/$name.keylog.txt"; fi
  rm -f "$OUT/$name.requests.txt"
  if [ -s "$LAB/requests.txt" ]; then mv "$LAB/requests.txt" "$OUT/$name.requests.txt"; fi
  chmod 644 "$OUT/$name".*
  echo "$name: $(capinfos -Tmrc "$OUT/$name.$suffix" | tail -n 1 | sed 's/.*,//') packets, $(stat -c %s "$OUT/$name.$suffix") bytes"
}

kill_in() {
  local process
  for process in $(ip netns pids "$1" 2>/dev/null); do kill "$process" 2>/dev/null || true; done
}

lab_down() {
  local namespace
  for namespace in $NAMESPACES; do kill_in "$namespace"; done
  sleep 0.3
  for namespace in $NAMESPACES; do
    for process in $(ip netns pids "$namespace" 2>/dev/null); do kill -9 "$process" 2>/dev/null || true; done
    ip netns del "$namespace" 2>/dev/null || true
    rm -rf "/etc/netns/$namespace"
  done
}

# Offloads off, no router solicitations, no address detection: nothing speaks unless a recipe says so.
quiet_link() {
  ip netns exec "$1" sh -c "
    sysctl -qw net.ipv6.conf.$2.accept_dad=0 net.ipv6.conf.$2.accept_ra=0 net.ipv6.conf.$2.router_solicitations=0
    ethtool -K $2 tx off rx off tso off gso off gro off >/dev/null 2>&1
    case $1 in cap-wire) sysctl -qw net.ipv6.conf.$2.disable_ipv6=1; ip link set $2 promisc on ;; esac
    ip link set lo up; ip link set $2 up"
}

lab_up() {
  lab_down 2>/dev/null
  rm -f "$LAB/keylog.txt" "$LAB/requests.txt" "$LAB/taken"
  mkdir -p "$HOME"
  local namespace address
  for namespace in $NAMESPACES; do ip netns add "$namespace"; done
  ip link add c0 netns cap-client address 02:00:5e:00:53:10 type veth peer name w0 netns cap-wire
  ip link add r0 netns cap-router address 02:00:5e:00:53:01 type veth peer name w1 netns cap-wire
  ip link add s0 netns cap-server address 02:00:5e:00:53:53 type veth peer name r1 netns cap-router
  quiet_link cap-client c0; quiet_link cap-wire w0; quiet_link cap-wire w1
  quiet_link cap-router r0; quiet_link cap-router r1; quiet_link cap-server s0

  ip -n cap-client address add $CLIENT4/24 dev c0
  ip -n cap-client address add $CLIENT6/64 dev c0 nodad
  ip -n cap-client route add default via 192.0.2.1
  ip -n cap-client route add default via 2001:db8:1::1
  ip -n cap-router address add 192.0.2.1/24 dev r0
  ip -n cap-router address add 2001:db8:1::1/64 dev r0 nodad
  ip -n cap-router address add 198.51.100.1/24 dev r1
  ip -n cap-router address add 2001:db8:2::1/64 dev r1 nodad
  ip -n cap-router route add blackhole 203.0.113.66
  ip -n cap-router route add unreachable 203.0.113.77
  ip netns exec cap-router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  for address in 10 11 12 21 22 23 24 25 26 30 31 53; do ip -n cap-server address add 198.51.100.$address/24 dev s0; done
  for address in 10 30 53; do ip -n cap-server address add 2001:db8:2::$address/64 dev s0 nodad; done
  ip -n cap-server route add default via 198.51.100.1
  ip -n cap-server route add default via 2001:db8:2::1
  server sysctl -qw net.ipv4.tcp_fastopen=3 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0

  mkdir -p /etc/netns/cap-client
  printf 'nameserver %s\n' $RESOLVER4 >/etc/netns/cap-client/resolv.conf
  printf '127.0.0.1 localhost\n' >/etc/netns/cap-client/hosts

  [ -f "$CA" ] || make_certificates
  [ -d "$LAB/www" ] || /usr/bin/python3 "$HERE/site.py" "$LAB/www"
  start_names
  start_web
  wire --delay 10
}

# One root, one intermediate that servers send along, and a leaf for every site.
make_certificates() {
  mkdir -p "$LAB/pki"
  ( cd "$LAB/pki"
    key() { if [ "$1" = rsa ]; then openssl genrsa -out "$2.key" 2048; else openssl ecparam -name "$1" -genkey -noout -out "$2.key"; fi 2>/dev/null; }
    sign() { # NAME SUBJECT BEGINS DAYS ISSUER EXTENSIONS
      openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
      printf '%b\n' "$6" >"$1.ext"
      local issuer=(-CA "$5.pem" -CAkey "$5.key"); [ "$5" != self ] || issuer=(-signkey "$1.key")
      faketime "$3" openssl x509 -req -in "$1.csr" "${issuer[@]}" -set_serial "0x$(openssl rand -hex 16 | sed 's/^./5/')" \
        -sha256 -days "$4" -extfile "$1.ext" -out "$1.pem" 2>/dev/null; }
    authority='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash'
    leaf='basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature,keyEncipherment\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\ncertificatePolicies=2.23.140.1.2.1\nauthorityInfoAccess=OCSP;URI:http://ocsp.example.com,caIssuers;URI:http://ca.example.com/int.der\nextendedKeyUsage='
    key rsa root; sign root "/C=ZZ/O=Example Trust/CN=Example Root R1" '-900 days' 7300 self "$authority"
    key rsa int-rsa; sign int-rsa "/C=ZZ/O=Example Trust/CN=Example Issuing CA RSA 1" '-600 days' 3650 root "$authority\nauthorityKeyIdentifier=keyid"
    key prime256v1 int-ec; sign int-ec "/C=ZZ/O=Example Trust/CN=Example Issuing CA ECC 1" '-600 days' 3650 root "$authority\nauthorityKeyIdentifier=keyid"
    site() { # NAME KEY ISSUER BEGINS DAYS HOST...
      local name=$1 kind=$2 issuer=$3 begins=$4 days=$5 host hosts=""; shift 5
      for host; do hosts+=",DNS:$host"; done
      key "$kind" "$name"; sign "$name" "/CN=$1" "$begins" "$days" "$issuer" "${leaf}serverAuth\nsubjectAltName=${hosts#,}"
      cat "$name.pem" "$issuer.pem" >"$name.chain"; }
    site www prime256v1 int-ec '-20 days' 90 www.example.org example.org six.example.org dual.example.org again.example.org
    site static prime256v1 int-ec '-20 days' 90 static.example.net '*.cdn.example.net'
    site api rsa int-rsa '-20 days' 90 api.example.net
    site rsa rsa int-rsa '-20 days' 90 rsa.example.org
    site ecdsa prime256v1 int-ec '-20 days' 90 ecdsa.example.org
    site strict secp384r1 int-ec '-20 days' 90 strict.example.org
    site dns prime256v1 int-ec '-20 days' 90 dns.example.net
    site members prime256v1 int-ec '-20 days' 90 members.example.org
    site expired prime256v1 int-ec '-120 days' 90 expired.example.org
    key prime256v1 alice; sign alice "/O=Example Members/CN=alice@example.org" '-20 days' 365 int-ec "${leaf}clientAuth\nsubjectAltName=email:alice@example.org"
    cat alice.pem int-ec.pem >alice.chain
    # what the site's authority says about one certificate, to be stapled
    printf 'V\t%s\t\t%s\tunknown\t/CN=ecdsa.example.org\n' "$(date -u -d '+60 days' +%y%m%d%H%M%SZ)" \
      "$(openssl x509 -noout -serial -in ecdsa.pem | sed 's/serial=//')" >index.txt
    openssl ocsp -index index.txt -CA int-ec.pem -rsigner int-ec.pem -rkey int-ec.key -issuer int-ec.pem \
      -cert ecdsa.pem -no_nonce -ndays 7 -respout ecdsa.ocsp >/dev/null 2>&1
  )
}

# unbound is the recursive resolver the client asks; nsd behind it is authoritative for everything.
start_names() {
  local zone
  mkdir -p "$LAB/names"
  /usr/bin/python3 "$HERE/zones.py" "$LAB/names"
  { printf 'server:\n  ip-address: 198.51.100.53@5300\n  ip-address: 127.0.0.1@5300\n  server-count: 1\n  username: ""\n  chroot: ""\n  ipv4-edns-size: 4096\n'
    printf '  zonesdir: "%s"\n  database: ""\n  pidfile: ""\n  xfrdfile: "%s/xfrd"\n  zonelistfile: "%s/zone.list"\n  xfrdir: "%s"\n  logfile: "%s/nsd.log"\n' \
      "$LAB/names" "$LAB/names" "$LAB/names" "$LAB/names" "$LAB/names"
    printf 'remote-control:\n  control-enable: no\n'
    for zone in "$LAB"/names/*.zone; do zone=$(basename "$zone" .zone); printf 'zone:\n  name: "%s"\n  zonefile: "%s.zone"\n' "${zone/#root/.}" "$zone"; done
  } >"$LAB/nsd.conf"
  { printf 'server:\n  interface: %s\n  interface: %s\n  interface: 198.51.100.53@853\n  interface: 198.51.100.53@443\n  access-control: 0.0.0.0/0 allow\n  access-control: ::/0 allow\n' $RESOLVER4 $RESOLVER6
    printf '  username: ""\n  chroot: ""\n  directory: "%s"\n  pidfile: ""\n  use-syslog: no\n  logfile: "%s/unbound.log"\n  do-daemonize: no\n' "$LAB" "$LAB"
    printf '  do-not-query-localhost: no\n  module-config: "iterator"\n  num-threads: 1\n  edns-buffer-size: 1232\n  minimal-responses: yes\n'
    printf '  local-zone: "%s" nodefault\n' 2.0.192.in-addr.arpa 100.51.198.in-addr.arpa 113.0.203.in-addr.arpa 8.b.d.0.1.0.0.2.ip6.arpa
    printf '  local-zone: "refused.example.net" refuse\n'
    printf '  tls-service-pem: "%s/pki/dns.chain"\n  tls-service-key: "%s/pki/dns.key"\n' "$LAB" "$LAB"
    printf 'remote-control:\n  control-enable: no\n'
    printf 'stub-zone:\n  name: "."\n  stub-addr: 127.0.0.1@5300\n  stub-prime: no\n'
  } >"$LAB/unbound.conf"
  serve nsd -d -c "$LAB/nsd.conf"
  serve unbound -d -c "$LAB/unbound.conf"
  for _ in $(seq 50); do server dig +time=1 +tries=1 @$RESOLVER4 ready.example.com A >/dev/null 2>&1 && return; sleep 0.1; done
  echo "the resolver does not answer" >&2; return 1
}

start_web() {
  local pki=$LAB/pki
  listen() { # ADDRESS NAMES CERTIFICATE PROTOCOLS EXTRA
    printf '  server { listen %s:80%s; listen %s:443 ssl%s; server_name %s; ssl_certificate %s.chain; ssl_certificate_key %s.key; ssl_protocols %s; %s include site; }\n' \
      "$1" "${FAST_OPEN:-}" "$1" "${H2:-}" "$2" "$pki/$3" "$pki/$3" "$4" "${5:-}"; }
  cat >"$LAB/site" <<S
root $LAB/www;
location = /old { return 301 /about.html; }
location ~ ^/(report|orders) { proxy_pass http://127.0.0.1:8000; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off; }
location = /chat { proxy_pass http://127.0.0.1:8001; proxy_http_version 1.1; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; }
S
  { printf 'user root; worker_processes 1; daemon off; pid %s/nginx.pid; error_log %s/nginx.log;\nevents {}\nhttp {\n' "$LAB" "$LAB"
    printf '  types { text/html html; text/css css; application/javascript js; application/json json; image/png png; image/svg+xml svg; application/octet-stream bin; }\n'
    printf '  access_log off; sendfile on; gzip on; gzip_min_length 500; gzip_types text/css application/javascript application/json image/svg+xml;\n'
    printf '  keepalive_timeout 5; add_header Access-Control-Allow-Origin https://www.example.org;\n'
    printf '  %s_temp_path %s/temporary;\n' client_body "$LAB" proxy "$LAB" fastcgi "$LAB" uwsgi "$LAB" scgi "$LAB"
    H2=" http2" listen 198.51.100.10 www.example.org www "TLSv1.2 TLSv1.3"
    H2=" http2" listen 198.51.100.11 "static.example.net *.cdn.example.net" static "TLSv1.2 TLSv1.3"
    H2=" http2" listen 198.51.100.12 api.example.net api "TLSv1.2 TLSv1.3"
    listen 198.51.100.21 rsa.example.org rsa TLSv1.2
    listen 198.51.100.22 ecdsa.example.org ecdsa TLSv1.2 "ssl_stapling on; ssl_stapling_file $pki/ecdsa.ocsp;"
    listen 198.51.100.23 strict.example.org strict TLSv1.3 "ssl_ecdh_curve secp384r1;"
    printf '  server { listen 198.51.100.23:443 ssl default_server; ssl_protocols TLSv1.3; ssl_ecdh_curve secp384r1; ssl_reject_handshake on; }\n'
    listen 198.51.100.24 members.example.org members TLSv1.2 "ssl_verify_client on; ssl_client_certificate $pki/int-ec.pem; ssl_trusted_certificate $CA; ssl_verify_depth 2;"
    listen 198.51.100.25 expired.example.org expired "TLSv1.2 TLSv1.3"
    FAST_OPEN=" fastopen=16" listen 198.51.100.31 again.example.org www "TLSv1.2 TLSv1.3" "ssl_session_cache shared:sessions:1m; ssl_early_data on;"
    H2=" http2" listen 198.51.100.30 dual.example.org www "TLSv1.2 TLSv1.3"
    H2=" http2" listen "[2001:db8:2::30]" dual.example.org www "TLSv1.2 TLSv1.3"
    H2=" http2" listen "[2001:db8:2::10]" six.example.org www "TLSv1.2 TLSv1.3"
    printf '}\n'
  } >"$LAB/nginx.conf"
  serve /usr/bin/python3 "$HERE/origin.py" 127.0.0.1 8000
  serve nginx -p "$LAB" -c "$LAB/nginx.conf"
  for _ in $(seq 50); do server curl -s -o /dev/null --max-time 1 http://198.51.100.10/ && return; sleep 0.1; done
  cat "$LAB/serve.log" "$LAB/nginx.log" >&2; echo "the web server does not answer" >&2; return 1
}
