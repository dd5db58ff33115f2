#!/usr/bin/env bash
# python.sh FOLDER: a Python environment for the tests only: the real clients
# and validators that the program's output is held against.
set -euo pipefail
want='pyxform==4.5.0 pyodk==1.3.0 libhxl==5.2.2 six==1.17.0 typst==0.15.2' # libhxl imports six and does not say so
dir=$1
if [ -x "$dir/bin/python" ] && [ "$(cat "$dir/want" 2>/dev/null)" = "$want" ]; then exit 0; fi
rm -rf "$dir"
python3 -m venv "$dir"
# shellcheck disable=SC2086
"$dir/bin/python" -m pip install -q --disable-pip-version-check $want
echo "$want" > "$dir/want"
