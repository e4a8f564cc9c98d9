#!/usr/bin/env bash
# Dependencies between rooms run one way. `knows` is the whole rule; a room is a folder of include/liven, of src, or kernels.
set -euo pipefail

declare -A knows=(
  [core]=""
  [kernels]="core"
  [reference]="core kernels"
  [graph]="core"
  [ops]="core graph"
  [plan]="core kernels reference graph ops"
  [nn]="core graph ops"
  [models]="core graph ops nn"
  [optim]="core graph ops nn"
  [data]="core"
  [metrics]="core"
  [io]="core"
  [report]="core data metrics io"
  [explain]="core graph ops nn data io"
  [train]="core kernels graph ops nn models optim data metrics io report explain"
  [protocol]="core nn models data metrics io report train"
  [cli]="core kernels reference graph ops plan nn models optim data metrics io report explain train protocol"
)

# shellcheck disable=SC2016  # awk's own variables
# "file include" for every include of a project header, and "file" for every file; the rooms are in the paths.
for room in "${!knows[@]}"; do echo "knows $room ${knows[$room]}"; done | cat - <(
  find include/liven src kernels -name '*.hpp' -o -name '*.cpp' | sort | xargs awk '
    FNR == 1 { print "file", FILENAME }
    /^[ \t]*#[ \t]*include[ \t]*"/ { split($0, part, "\""); print "include", FILENAME, part[2] }'
) | awk '
  # "graph" for include/liven/graph/node.hpp, liven/graph/node.hpp and src/plan/plan.cpp; nothing for liven.hpp.
  function room_of(path,   part, count) {
    sub(/^include\//, "", path)
    count = split(path, part, "/")
    if (part[1] == "kernels") return "kernels"
    return count >= 3 && (part[1] == "liven" || part[1] == "src") ? part[2] : ""
  }
  $1 == "knows" { listed[$2]; for (i = 3; i <= NF; ++i) { allowed[$2, $i]; names[$2] = names[$2] " " $i } }
  $1 == "file" {
    room = room_of($2)
    ++files
    if (room != "" && !(room in listed)) { print $2 ": the room " room " is not in the list of tests/structure/rooms.sh"; bad = 1 }
  }
  $1 == "include" {
    room = room_of($2); other = room_of($3)
    if (room in listed && other != "" && other != room && !((room, other) in allowed)) {
      print $2 ": includes " $3 ", but " room " knows only:" (names[room] == "" ? " nothing" : names[room]); bad = 1
    }
  }
  END {
    if (!files) { print "no files found"; bad = 1 }
    if (!bad) print files " files, every include runs the allowed way"
    exit bad
  }'
