#!/usr/bin/env bash
# spills.sh OBJDUMP LIST...: each LIST names the objects of one instruction set. The innermost loops that multiply, of Winograd's
# products, the direct convolutions and GEMM, touch no stack: an accumulator that the compiler keeps there costs a factor of three.
# A loop multiplies when it has six multiplications of vectors or more; it starts at the target of a backward jump and has no
# other such loop inside. Winograd's transforms hold more vectors than there are registers, and are not looked at; nor are the
# tiles for the rest of the channels, whose masks take registers.
# spills.sh --skip REASON: says so, and returns what CTest takes for skipped.
set -euo pipefail
if [[ $1 == --skip ]]; then
  echo "skipped: $2"
  exit 77
fi
objdump=$1
shift

for list in "$@"; do
  while read -r object; do
    case ${object##*/} in
      winograd_forward.* | winograd_weight_grad.* | conv2d_forward.* | conv2d_weight_grad.* | gemm.*)
        echo "object ${list##*/} ${object##*/}"
        "$objdump" --disassemble --no-show-raw-insn --demangle "$object"
        ;;
    esac
  done <"$list"
done | awk '
  function number(hex,   i, n) {
    n = 0
    for (i = 1; i <= length(hex); ++i) n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
    return n
  }
  # All loops of the function just read.
  function check(   i, j, k, inner, multiplies, stack, where) {
    if ((file ~ / winograd/ && name !~ /product</) || (file ~ / conv2d_weight_grad/ && name ~ /tile<[0-9]+, [0-9]+, true>/)) count = 0
    for (i = 1; i <= count; ++i) {
      if (target[i] == "" || target[i] > at[i]) continue
      j = i
      while (j > 0 && at[j] >= target[i]) --j
      inner = multiplies = 0
      stack = ""
      for (k = j + 1; k <= i; ++k) {
        if (k < i && target[k] != "" && target[k] <= at[k] && target[k] >= target[i]) inner = 1
        if (text[k] ~ /^v?f?n?m(add|sub)[0-9]*ps|^vfn?m(add|sub)[0-9]*ps|^v?mulps|^vdpbf16ps/) ++multiplies
        if (text[k] ~ /\(%rsp/ || (framed && text[k] ~ /\(%rbp/)) stack = text[k]
      }
      if (inner || multiplies < 6) continue
      ++loops[file]
      if (stack != "") {
        where = name
        if (length(where) > 150) where = substr(where, 1, 150) "..."
        print file ": " where ": a loop of " multiplies " multiplications touches the stack: " stack
        bad = 1
      }
    }
    count = 0
    framed = 0
  }
  $1 == "object" { check(); file = $2 " " $3; seen[file]; next }
  /^[0-9a-f]+ <.*>:$/ { check(); name = $0; sub(/^[0-9a-f]+ </, "", name); sub(/>:$/, "", name); next }
  /^ *[0-9a-f]+:/ {
    ++count
    address = $1
    sub(/:$/, "", address)
    at[count] = number(address)
    text[count] = $0
    sub(/^ *[0-9a-f]+:[ \t]*/, "", text[count])
    target[count] = ""
    if ($2 ~ /^j/ && $3 ~ /^[0-9a-f]+$/) target[count] = number($3)
    if (text[count] ~ /^mov +%rsp,%rbp/) framed = 1
  }
  END {
    check()
    for (f in seen) {
      ++objects
      total += loops[f]
      if (!loops[f]) { print f ": no loop that multiplies was found"; bad = 1 }
    }
    if (!objects) { print "no objects were given"; bad = 1 }
    if (!bad) print total " loops in " objects " objects, none of which touches the stack"
    exit bad
  }'
