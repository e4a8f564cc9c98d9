#!/usr/bin/env bash
# Dependencies between rooms run one way. `knows` is the whole rule; a room is a folder of include/liven, of src, or kernels.
# `families` is the same for the folders of kernels; kernels/isa, where each family's loops are compiled, knows them all.
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

declare -A families=(
  [move]=""
  [reduce]=""
  [pointwise]="reduce"
  [gemm]="pointwise"
  [maps]="gemm pointwise"
  [pool]="maps"
  [conv2d]="gemm maps pointwise reduce"
  [winograd]="conv2d maps pointwise reduce"
  [isa]="move reduce pointwise gemm maps pool conv2d winograd"
)

# shellcheck disable=SC2016  # awk's own variables
# "file include" for every include of a project header, and "file" for every file; the rooms are in the paths.
for room in "${!knows[@]}"; do echo "knows $room ${knows[$room]}"; done | cat - <(
  for family in "${!families[@]}"; do echo "knows kernels/$family kernels ${families[$family]}"; done
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
  # "kernels/conv2d" for kernels/conv2d/taps.hpp, "kernels" for kernels/step.hpp; nothing outside.
  function family_of(path,   part, count) {
    count = split(path, part, "/")
    if (part[1] != "kernels") return ""
    return count >= 3 ? "kernels/" part[2] : "kernels"
  }
  function check(place, other) {
    if (place in listed && other != "" && other != place && !((place, other) in allowed)) {
      print $2 ": includes " $3 ", but " place " knows only:" (names[place] == "" ? " nothing" : names[place]); bad = 1
    }
  }
  function require_listed(place) {
    if (place != "" && !(place in listed)) { print $2 ": " place " is not in the lists of tests/structure/rooms.sh"; bad = 1 }
  }
  $1 == "knows" {
    listed[$2]
    for (i = 3; i <= NF; ++i) {
      name = $2 ~ /^kernels\// && $i != "kernels" ? "kernels/" $i : $i
      allowed[$2, name]; names[$2] = names[$2] " " name
    }
  }
  $1 == "file" { ++files; require_listed(room_of($2)); require_listed(family_of($2)) }
  $1 == "include" {
    check(room_of($2), room_of($3))
    if (family_of($3) != "" && family_of($2) != "") check(family_of($2), family_of($3))
  }
  END {
    if (!files) { print "no files found"; bad = 1 }
    if (!bad) print files " files, every include runs the allowed way"
    exit bad
  }'
