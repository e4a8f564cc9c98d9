#!/usr/bin/env bash
# headers.sh COMPILER: every public header compiles by itself, with nothing but include/ to look in, without a warning.
set -euo pipefail
compiler=$1

check() {
  echo "#include \"${2#include/}\"" |
    "$1" -x c++ -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Werror -I include - || {
    echo "$2 does not compile by itself"
    return 1
  }
}
export -f check

find include/liven -name '*.hpp' -print0 | sort -z | xargs -0 -P "$(nproc)" -I {} bash -c 'check "$@"' _ "$compiler" {}
echo "$(find include/liven -name '*.hpp' | wc -l) public headers, each compiles by itself"
