#!/usr/bin/env bash
# build.sh PROGRAM VERSION OUT: a Debian package of a built program.
set -euo pipefail
program=$1 version=$2 out=$3
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
install -D -m 755 "$program" "$root/usr/bin/dtm"
install -D -m 644 "$here/dtm.service" "$root/usr/lib/systemd/system/dtm.service"
install -D -m 644 "$here/default" "$root/etc/default/dtm"
for f in "$here"/../../doc/*.md; do install -D -m 644 "$f" "$root/usr/share/doc/dtm/$(basename "$f")"; done
install -D -m 644 "$here/../../LICENSE" "$root/usr/share/doc/dtm/copyright"
install -D -m 644 "$here/../grafana.json" "$root/usr/share/dtm/grafana.json"
mkdir -p "$root/DEBIAN"
# What the program is linked with, in the versions it needs.
work=$(mktemp -d)
mkdir "$work/debian" && printf 'Source: dtm\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O "$root/usr/bin/dtm" | sed -n 's/^shlibs:Depends=//p')
rm -rf "$work"
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$(dpkg --print-architecture)/" -e "s/@DEPENDS@/$depends/" "$here/control" >"$root/DEBIAN/control"
echo /etc/default/dtm >"$root/DEBIAN/conffiles"
for s in postinst prerm postrm; do install -m 755 "$here/$s" "$root/DEBIAN/$s"; done
mkdir -p "$(dirname "$out")"
dpkg-deb --root-owner-group -Zxz --build "$root" "$out" >/dev/null
echo "$out"
