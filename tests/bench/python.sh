#!/usr/bin/env bash
# python.sh TEST.py: tests of the benchmarks' Python, which needs nothing else.
set -euo pipefail
if ! command -v python3 >/dev/null; then
  echo "skipped: python3 is missing (Debian package python3)"
  exit 77
fi
exec python3 -B "$(dirname "${BASH_SOURCE[0]}")/$1"
