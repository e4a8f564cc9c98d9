#!/usr/bin/env bash
# Public headers stay light and do not change with the user's compiler flags: no OpenCV, HDF5, Eigen, xsimd, intrinsics, OpenMP,
# nor the other libraries that only compiled parts may use; and nothing from outside include/liven.
set -euo pipefail

mapfile -t headers < <(find include/liven -name '*.hpp' | sort)
bad=0
complain() {
  echo "$1"
  bad=1
}
for header in "${headers[@]}"; do
  while read -r line; do
    complain "$header: $line"
  done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"](opencv|Eigen|xsimd|hdf5|H5|omp\.h|fmt/|spdlog/|nlohmann/|CLI/|toml|zlib|x86intrin|.*mmintrin|immintrin|cpuid)' "$header" ||
    true)
  while read -r line; do
    complain "$header: $line"
  done < <(grep -nE '#[[:space:]]*pragma[[:space:]]+omp|_Pragma\("omp|__AVX|__FMA__|LIVEN_WITH_' "$header" || true)
  while read -r line; do
    complain "$header: $line is not a public header"
  done < <(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$header" | grep -v '"liven/' || true)
  grep -q '^#pragma once' "$header" || complain "$header: no #pragma once"
done
((bad)) || echo "${#headers[@]} public headers, none with a heavy include"
exit "$bad"
