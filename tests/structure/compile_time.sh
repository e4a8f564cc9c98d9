#!/usr/bin/env bash
# compile_time.sh COMPILER: a file that includes everything compiles without optimisation within 2 s of the processor's time
# (of the user, the best of three: other work on the machine is not counted).
set -euo pipefail
compiler=$1
limit=2.0

best=
for _ in 1 2 3; do
  seconds=$({
    TIMEFORMAT=%U
    time echo '#include <liven/liven.hpp>' | "$compiler" -x c++ -std=c++20 -O0 -I include -c -o /dev/null -
  } 2>&1) || {
    echo "$seconds"
    exit 1
  }
  [[ -n $best ]] && awk "BEGIN { exit !($best <= $seconds) }" || best=$seconds
done
echo "liven/liven.hpp compiles in $best s, $limit s are allowed"
awk "BEGIN { exit !($best <= $limit) }"
