#!/usr/bin/env bash
# s3.sh: print where the tests' S3 server is (internal/testtool/s3); build it first when
# this version was not built here yet, which takes half a minute on a new machine.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
module=$root/internal/testtool/s3
made=$root/.cache/bin/s3server-$(go -C "$module" list -m -f '{{.Version}}' github.com/rclone/rclone)
mkdir -p "$root/.cache/bin"
exec 9>"$root/.cache/bin/.lock"
flock 9
[ -x "$made" ] || { go -C "$module" build -o "$made.coming" . && mv "$made.coming" "$made"; }
echo "$made"
