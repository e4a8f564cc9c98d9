#!/usr/bin/env bash
# spills.sh OBJDUMP LIST...: each LIST names the objects of one instruction set. The innermost loops that multiply, of Winograd's
# products, the direct convolutions and GEMM, touch no stack: an accumulator that the compiler keeps there costs a factor of three.
# A loop multiplies when it has six multiplications of vectors or more; it starts at the target of a backward jump and has no
# other such loop inside. The tiles for the rest of the channels, whose masks take registers, are not looked at.
# In the loops of Winograd's transforms, whose six operations may be additions, no vector goes to the stack; addresses may, there
# are more of them than registers. Where vectors do, `allowed` says how many at most, to an operation, and why.
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
  # Vectors on the stack to an operation in a loop of the transform just read.
  function allowed(   narrow) {
    # Once a change of the weights, once in 256 tiles, and at the edge of a map, where results are picked at run time.
    if (name ~ /transform_weights<|take_taps<|transform_edge</) return 9
    # bf16 rounded by integer arithmetic: its constants and masks take registers.
    if (name ~ /finish_group<.*Halves<false>/) return 9
    if (name !~ /WinogradScheme\)0/) return 0
    # F(4x4): twelve vectors of the source transform, its constants and what is between them are more than sixteen registers.
    narrow = file !~ /^avx512/
    if (name ~ /transform_and_multiply<|accumulate_pass<|accumulate</) return narrow ? 0.11 : 0
    # The result transform holds 24 vectors, and what the epilogue reads and sums, in 32 registers; or half of them, but all
    # 24 in 16 where the epilogue sums: measured faster than to make them in two turns (kernels/isa/winograd_forward.cpp).
    if (name ~ /WinogradFinishKind\)[014]/) return narrow ? 0.1 : 0.04
    return narrow ? (file ~ /^avx2/ ? 0.26 : 0.45) : 0.1
  }
  # All loops of the function just read.
  function check(   i, j, k, inner, multiplies, operations, vectors, stack, where, transform) {
    if (file ~ / conv2d_weight_grad/ && name ~ /tile<[0-9]+, [0-9]+, true, /) count = 0
    transform = file ~ / winograd/ && name !~ /product</
    for (i = 1; i <= count; ++i) {
      if (target[i] == "" || target[i] > at[i]) continue
      j = i
      while (j > 0 && at[j] >= target[i]) --j
      inner = multiplies = operations = vectors = 0
      stack = ""
      for (k = j + 1; k <= i; ++k) {
        if (k < i && target[k] != "" && target[k] <= at[k] && target[k] >= target[i]) inner = 1
        if (text[k] ~ /^v?f?n?m(add|sub)[0-9]*ps|^vfn?m(add|sub)[0-9]*ps|^v?mulps|^vdpbf16ps/) ++multiplies
        if (text[k] ~ /^v?(add|sub)ps/) ++operations
        if (text[k] ~ /\(%rsp/ || (framed && text[k] ~ /\(%rbp/)) {
          stack = text[k]
          if (stack ~ /%[xyz]mm/) ++vectors
        }
      }
      operations += multiplies
      if (inner || (transform ? operations : multiplies) < 6) continue
      if (transform) ++transforms[file]
      else ++loops[file]
      if (transform ? vectors > allowed() * operations : stack != "") {
        where = name
        if (length(where) > 150) where = substr(where, 1, 150) "..."
        if (transform) print file ": " where ": " vectors " vectors on the stack to " operations " operations, expected " allowed() * operations " at most"
        else print file ": " where ": a loop of " multiplies " multiplications touches the stack: " stack
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
      if (f ~ / winograd/ && !transforms[f]) { print f ": no loop of a transform was found"; bad = 1 }
      turned += transforms[f]
    }
    if (!objects) { print "no objects were given"; bad = 1 }
    if (!bad) print total " loops in " objects " objects, none of which touches the stack, and " turned " of transforms within what they may"
    exit bad
  }'
