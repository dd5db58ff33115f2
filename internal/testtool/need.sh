#!/usr/bin/env bash
# need.sh build|test: see that the programs are there; install Debian's packages
# when we may, and say plainly what is missing when we may not.
set -u
declare -A build=([gcc]=gcc [g++]=g++ [npm]=npm)
declare -A test=([fc-list]=fontconfig [chromium]=chromium [pdftotext]=poppler-utils [pdfinfo]=poppler-utils [java]=default-jre-headless [python3]=python3 [strace]=strace)
missing=()
want() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
for p in "${!build[@]}"; do want "$p" "${build[$p]}"; done
if [ "$1" = test ]; then
  for p in "${!test[@]}"; do want "$p" "${test[$p]}"; done
  ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null 2>&1 || missing+=(postgresql)
  fc-list 2>/dev/null | grep -q 'Inter' || missing+=(fonts-inter)
  fc-list 2>/dev/null | grep -q 'Noto Sans Arabic' || missing+=(fonts-noto-core)
  python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
fi
[ ${#missing[@]} -eq 0 ] && exit 0
pkgs=$(printf '%s\n' "${missing[@]}" | sort -u | tr '\n' ' ')
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "installing: $pkgs"
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  # shellcheck disable=SC2086
  if { apt-get update -q && apt-get install -y -q --no-install-recommends $pkgs; } >"$log" 2>&1; then
    rm -f "$log"
    exit 0
  fi
  tail -20 "$log"
fi
echo "missing: $pkgs" >&2
echo "install them, for example: sudo apt-get install $pkgs" >&2
exit 1
