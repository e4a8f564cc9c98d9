#!/usr/bin/env bash
# Dependencies between rooms run one way. `knows` is the whole rule; a room is a folder of include/liven, of src, or kernels.
set -euo pipefail

declare -A knows=(
  [core]=""
  [kernels]="core"
  [reference]="core kernels"
  [graph]="core kernels reference"
  [ops]="core graph"
  [nn]="core graph ops"
  [models]="core graph ops nn"
  [optim]="core graph ops nn"
  [data]="core"
  [metrics]="core"
  [io]="core"
  [report]="core data metrics io"
  [train]="core kernels graph ops nn models optim data metrics io report"
  [cli]="core kernels reference graph ops nn models optim data metrics io report train"
)

# room_of PATH: "graph" for include/liven/graph/node.hpp, "liven/graph/node.hpp", "src/graph/plan.cpp"; nothing for liven.hpp.
room_of() {
  local path=${1#include/}
  case $path in
    kernels/*) echo kernels ;;
    liven/*/* | src/*/*)
      path=${path#*/}
      echo "${path%%/*}"
      ;;
  esac
}

bad=0 files=0
while read -r file; do
  room=$(room_of "$file")
  [[ -n $room ]] || continue
  ((++files))
  if [[ ! -v knows[$room] ]]; then
    echo "$file: the room '$room' is not in the list of tests/structure/rooms.sh"
    bad=1
    continue
  fi
  while read -r include; do
    other=$(room_of "$include")
    if [[ -n $other && $other != "$room" && " ${knows[$room]} " != *" $other "* ]]; then
      echo "$file: includes $include, but $room knows only: ${knows[$room]:-nothing}"
      bad=1
    fi
  done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]+)".*/\1/p' "$file")
done < <(find include/liven src kernels -name '*.hpp' -o -name '*.cpp' | sort)
((files > 0)) || bad=1
((bad)) || echo "$files files, every include runs the allowed way"
exit "$bad"
