#!/usr/bin/env bash
# symbols.sh NM LIST...: each LIST names the objects of one instruction set. An object exports one function and nothing weak,
# and no two instruction sets share a symbol. Otherwise the linker may keep the AVX-512 copy of some inline function for
# everybody, and the program dies on a machine without it.
set -euo pipefail
nm=$1
shift

for list in "$@"; do
  while read -r object; do
    [[ -z $object ]] || "$nm" --defined-only "$object" | awk -v isa="${list##*/}" -v object="${object##*/}" '{ print isa, object, $(NF - 1), $NF }'
  done <"$list"
done | awk '
  { objects[$1 " " $2] }
  $3 == "T" { ++exported[$1 " " $2] }
  $3 ~ /^[WwVvuBDRGSC]$/ { print $1, $2 ": exports or weakly defines " $4 " (" $3 ")"; bad = 1 }
  $3 ~ /^[A-Z]$/ {
    if (($4 in owner) && owner[$4] != $1) { print $4 " is in " owner[$4] " and in " $1; bad = 1 }
    owner[$4] = $1
  }
  END {
    for (o in objects) { ++count; if (exported[o] != 1) { print o ": exports " exported[o] + 0 " functions, expected 1"; bad = 1 } }
    if (!count) { print "no objects were given"; bad = 1 }
    if (!bad) print count " objects, each with one exported function and nothing weak"
    exit bad
  }'
