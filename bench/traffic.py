#!/usr/bin/env python3
"""Counts the bytes that a training step moves between memory and the last-level cache.

    traffic.py --liven build/release/bin/liven --results FILE [MODEL...]

Cachegrind simulates one core with AVX2 kernels before a shared cache of 16 MB (a Ryzen 7 7840HS); a miss is 64 bytes.
One step is a run of two steps less a run of one. Activations an image: (a step of batch 8 - a step of batch 4) / 4.
Parameters a step: what is left of batch 4 without its images. Misses count what is fetched; what is changed is written
back later and comes on top: at most the results that the plan's kernels write. The count does not depend on what else
the machine does. Beside both, the sum that the plan makes of its kernels' operands and results, as if no cache kept
anything from one kernel to the next.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CACHE = "16777216,16,64"
LINE = 64
BATCHES = (4, 8)


def misses(file: Path) -> int:
    """Last-level misses of instructions and data in cachegrind's summary."""
    fields: dict[str, list[str]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith(("events:", "summary:")):
            name, rest = line.split(":", 1)
            fields[name] = rest.split()
    counts = dict(zip(fields["events"], map(int, fields["summary"])))
    return counts["ILmr"] + counts["DLmr"] + counts["DLmw"]


def count(liven: str, model: str, batch: int, steps: int, size: int) -> tuple[int, float, float]:
    """Bytes missed by a run of some steps, what the plan thinks one of them moves, and what of that it writes."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "counts"
        done = subprocess.run(
            ["valgrind", "--tool=cachegrind", f"--LL={CACHE}", f"--cachegrind-out-file={out}", liven, "bench", model,
             "--mode", "train", "--batch", str(batch), "--size", str(size), "--threads", "1", "--untimed", str(steps)],
            env={**os.environ, "LIVEN_ISA": "avx2"}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit("traffic: valgrind failed: " + done.stderr.strip().splitlines()[-1])
        planned = json.loads(done.stdout.strip().splitlines()[-1])
        return misses(out) * LINE, planned["planned_bytes"], planned["planned_written_bytes"]


def measure(liven: str, model: str, size: int, jobs: int) -> dict:
    runs = [(batch, steps) for batch in BATCHES for steps in (1, 2)]
    with ThreadPoolExecutor(jobs) as pool:
        counted = dict(zip(runs, pool.map(lambda run: count(liven, model, *run, size), runs)))
    step = {batch: counted[batch, 2][0] - counted[batch, 1][0] for batch in BATCHES}
    planned, written = ({batch: counted[batch, 1][which] for batch in BATCHES} for which in (1, 2))
    small, large = BATCHES

    def split(of: dict) -> tuple[float, float]:
        image = (of[large] - of[small]) / (large - small)
        return image, of[small] - small * image

    (image, parameters), (planned_image, planned_parameters) = split(step), split(planned)
    written_image, written_parameters = split(written)
    return {"kind": "traffic", "at": round(time.time()), "model": model, "size": size, "isa": "avx2", "cache": CACHE,
            "step_bytes": {str(batch): step[batch] for batch in BATCHES}, "image_bytes": image,
            "parameter_bytes": parameters, "planned_image_bytes": planned_image,
            "planned_parameter_bytes": planned_parameters, "written_image_bytes": written_image,
            "written_parameter_bytes": written_parameters}


COLUMNS = {"image_bytes": "fetched: image", "parameter_bytes": "parameters", "written_image_bytes": "written: image",
           "written_parameter_bytes": "parameters", "planned_image_bytes": "plan: image",
           "planned_parameter_bytes": "parameters"}
"""In MB: misses, then the plan's results, then all that its kernels read and write."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", default=["attacknet-v2.2"])
    parser.add_argument("--liven", required=True, help="the program")
    parser.add_argument("--results", required=True, type=Path, help="JSON lines are appended here")
    parser.add_argument("--size", type=int, default=256, help="pixels a side")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="runs at a time")
    options = parser.parse_args()
    options.results.parent.mkdir(parents=True, exist_ok=True)
    print(f"{'MB':16}" + "".join(f"{head:>15}" for head in COLUMNS.values()))
    for model in options.models:
        record = measure(options.liven, model, options.size, options.jobs)
        with options.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        print(f"{model:16}" + "".join(f"{record[field] / 1e6:15.1f}" for field in COLUMNS), flush=True)


if __name__ == "__main__":
    main()
