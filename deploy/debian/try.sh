#!/usr/bin/env bash
# try.sh OLD.deb NEW.deb: install, start, upgrade, remove and purge in a fresh Debian
# root, with doctor in between; the new program also with no system calls but those its
# unit allows. Needs root and the packages mmdebstrap, python3-seccomp, systemd and curl;
# uses this machine's sources of packages.
set -euo pipefail
old=$1 new=$2
root=$(mktemp -d)
cleanup() {
  [ -n "${alone:-}" ] && kill "$alone" 2>/dev/null && wait "$alone" 2>/dev/null
  [ -n "${server:-}" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
  umount "$root/proc" 2>/dev/null || true
  rm -rf --one-file-system "$root"
}
trap cleanup EXIT
echo "== a fresh Debian"
. /etc/os-release
sources=$(find /etc/apt/sources.list /etc/apt/sources.list.d -name "*.list" -o -name "*.sources" 2>/dev/null || true)
# shellcheck disable=SC2086
cat $sources | mmdebstrap --variant=minbase --quiet --include=libstdc++6,init-system-helpers \
  --aptopt='APT::Sandbox::User "root"' ${APT_OPTIONS:-} "$VERSION_CODENAME" "$root" - 2>&1 | tail -3
mount -t proc proc "$root/proc"
cp "$old" "$root/old.deb"
cp "$new" "$root/new.deb"
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
as() { inside su -s /bin/sh dtm -c "$*"; }
start() {
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin su -s /bin/sh dtm -c 'exec env DTM_CACHE=/var/cache/dtm dtm serve -data /var/lib/dtm -listen 127.0.0.1:18080' &
  server=$!
  for _ in $(seq 100); do
    curl -sf http://127.0.0.1:18080/readyz >/dev/null && return
    sleep 0.2
  done
  echo "the server did not start"
  exit 1
}
stop() {
  as 'kill $(sed "s/pid //" /var/lib/dtm/lock)'
  wait "$server" 2>/dev/null || true
  server=
}
# clean: the doctor finds nothing, but for what a root without an init has none of: a
# service that keeps the clock right, and a certificate.
clean() {
  as dtm doctor -data /var/lib/dtm | tee "$root/said"
  if grep -E '^(fault|warning|advice) ' "$root/said" | grep -vE '^advice +(clock|certificate) '; then
    echo "the doctor is not content"
    exit 1
  fi
  rm "$root/said"
}
echo "== install"
inside dpkg -i /old.deb
inside test "$(inside stat -c '%U %a' /var/lib/dtm)" = 'dtm 700'
start
stop
# What the doctor asks for first: somebody who may sign in, and backups.
as 'umask 077; echo "a sentence of five words" >/var/cache/dtm/password; dtm user add -data /var/lib/dtm -email admin@example.org -role admin -password-file /var/cache/dtm/password; rm /var/cache/dtm/password'
inside install -d -o dtm -g dtm -m 700 /srv/shelf
key=$(as 'dtm backup key -out /var/cache/dtm/secret 2>/dev/null')
as "printf 'backup_dir = \"/srv/shelf\"\nbackup_recipient = \"%s\"\n' $key >>/var/lib/dtm/config.toml"
start
as dtm backup now -data /var/lib/dtm
clean
as dtm device add -data /var/lib/dtm -name Obock-1 >/dev/null
echo "== upgrade"
stop
inside dpkg -i /new.deb
start
as dtm device list -data /var/lib/dtm | grep Obock-1
clean
as dtm check -data /var/lib/dtm
stop
echo "== under the system calls of its unit"
mkdir -m 700 "$root/mnt/alone"
chown nobody "$root/mnt/alone"
chmod 755 "$root" # so that nobody gets there
setpriv --reuid nobody --regid nogroup --clear-groups env HOME="$root/mnt/alone" TMPDIR="$root/mnt/alone" \
  /usr/bin/python3 "$(dirname "$0")/underunit.py" "$root/usr/lib/systemd/system/dtm.service" \
  "$root/usr/bin/dtm" demo -listen 127.0.0.1:18081 -cache "$root/mnt/alone/cache" -months 2 >"$root/said" 2>&1 &
alone=$!
curl -sf --retry 120 --retry-delay 1 --retry-connrefused http://127.0.0.1:18081/readyz >/dev/null || { cat "$root/said"; exit 1; }
month=$(date -d "$(date +%Y-%m-15) -1 month" +%Y-%m)
for page in en/ en/points/ en/data/map.png api/v1/flows.xlsx api/v1/flows.parquet "ar/report/$month.pdf"; do
  curl -sf -o /dev/null -w "$page %{http_code}, %{size_download} bytes\n" "http://127.0.0.1:18081/$page"
done
kill -INT "$alone"
wait "$alone"
alone=
rm -r "$root/mnt/alone" "$root/said"
echo "== remove"
inside dpkg -r dtm
inside test ! -e /usr/bin/dtm
inside test -e /var/lib/dtm/dtm.db
echo "== purge"
inside dpkg -P dtm
inside test ! -e /etc/default/dtm -a ! -e /var/cache/dtm -a -e /var/lib/dtm/dtm.db
left=$(inside find / -xdev -name '*dtm*' -not -path '/proc/*' -not -path '/var/lib/dtm*' -not -path '/srv/shelf/*' | grep -v '^/\(old\|new\)' || true)
echo "left behind, data and backups apart: ${left:-nothing}"
[ -z "$left" ]
echo "== done"
