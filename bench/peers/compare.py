#!/usr/bin/env python3
"""Times Liven and its peers by turns, each run in a process of its own, and appends every run to the results.

    compare.py --liven build/release/bin/liven --results FILE [MODEL...]

Each round runs Liven before every peer; a ratio is the peer's median time over that of the Liven run just before it,
and the table has the median over the rounds. What is not installed, and a peer for whose framework nobody has written
the network, is listed as missing.
"""
from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import models
import peer

HERE = Path(__file__).resolve().parent
PEERS = ("tensorflow", "pytorch", "onnxruntime", "openvino", "ncnn")


@dataclass
class Contender:
    """One variant of one engine, its runs, and Liven's run before each."""
    engine: str
    variant: str
    runs: list[dict] = field(default_factory=list)
    liven: list[dict] = field(default_factory=list)
    trouble: str = ""

    def median(self, key: str) -> float:
        return statistics.median(run[key] for run in self.runs)

    def row(self) -> str:
        if self.trouble:
            return f"{self.engine:12} {self.variant:26} {self.trouble}"
        ratio = statistics.median(a["ms_median"] / b["ms_median"] for a, b in zip(self.runs, self.liven))
        share = statistics.median(b["flops"] / a["ms_median"] * 1e-6 / b["peak_gflops"]
                                  for a, b in zip(self.runs, self.liven))
        added = statistics.median(run["rss_mb"] - run["rss_before_mb"] for run in self.runs)
        return (f"{self.engine:12} {self.variant:26} {self.median('ms_median'):9.1f} "
                f"{min(run['ms_min'] for run in self.runs):9.1f} {ratio:9.2f} {100 * share:7.0f} % {self.median('rss_mb'):9.0f} {added:9.0f}"
                f"   {self.runs[0]['version']}")


HEAD = (f"{'engine':12} {'variant':26} {'ms':>9} {'least ms':>9} {'of Liven':>9} {'of peak':>9} {'peak MB':>9} {'added MB':>9}"
        "   version")


def positive(kind: type) -> Callable[[str], float]:
    """A number above 0 from the command line."""
    def read(text: str) -> float:
        number = kind(text)
        if not 0 < number < float("inf"):
            raise argparse.ArgumentTypeError(f"expected a number above 0, got '{text}'")
        return number

    read.__name__ = kind.__name__  # "invalid int value: 'x'"
    return read


def known_peers() -> dict[str, peer.Peer]:
    return {engine: importlib.import_module(f"{engine}_peer").PEER for engine in PEERS}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="one of " + ", ".join(models.MODELS) + "; by default the four face CNNs")
    parser.add_argument("--liven", required=True, help="the program")
    parser.add_argument("--results", required=True, type=Path, help="JSON lines are appended here")
    parser.add_argument("--mode", choices=("train", "infer", "both"), default="both")
    parser.add_argument("--only", action="append", metavar="ENGINE[:VARIANT]", help="only these peers; liven: none of them")
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32", help="of Liven's maps between steps; to put "
                        "beside a peer's bf16: --only pytorch:bf16")
    parser.add_argument("--dense-weights", choices=("f32", "bf16"), default="f32",
                        help="of Liven's dense layers at inference")
    parser.add_argument("--memory-limit", metavar="BYTES", help="what Liven's training may take, 650MB say")
    parser.add_argument("--threads", type=positive(int), default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batch", type=positive(int),
                        help="images or clips; by default what each network is measured at (models.py), 1 to infer")
    parser.add_argument("--size", type=positive(int), help="pixels a side; by default 256, for residual networks 224")
    parser.add_argument("--rounds", type=positive(int), default=5, help="times that each peer has its turn")
    parser.add_argument("--seconds", type=positive(float), default=5, help="of steps in one turn")
    options = parser.parse_args()
    options.models = options.models or list(models.FACE_CNNS)
    options.modes = ("train", "infer") if options.mode == "both" else (options.mode,)
    if trouble := contradiction(options):
        parser.error(trouble)
    return options


def contradiction(options: argparse.Namespace) -> str:
    """What cannot be done as it was asked for; nothing when all can."""
    if not os.access(options.liven, os.X_OK):
        return f"--liven: no program {options.liven}"
    for model in options.models:
        if model not in models.MODELS:
            return f"no model '{model}'; there are: {', '.join(models.MODELS)}"
    if options.memory_limit is not None and "train" not in options.modes:
        return "--memory-limit is of training, and --mode infer does none"
    if options.dense_weights != "f32" and "infer" not in options.modes:
        return "--dense-weights is of inference, and --mode train does none"
    known = known_peers()
    runs = {each for engine, of in known.items() if set(options.modes) & set(of.modes)
            for each in (engine, *(f"{engine}:{variant}" for variant in of.variants))}
    for wanted in options.only or []:
        if wanted != "liven" and wanted not in runs:
            return (f"--only: no '{wanted}' with --mode {options.mode}; there are: liven, " +
                    ", ".join(f"{engine} ({', '.join(f'{engine}:{variant}' for variant in of.variants)})"
                              for engine, of in known.items() if engine in runs))
    return ""


def contenders(options: argparse.Namespace, model: str, mode: str) -> list[Contender]:
    """Every variant of every engine that runs in the mode, with its trouble where it is known beforehand."""
    found = []
    for engine, known in known_peers().items():
        if mode not in known.modes:
            continue
        absent = [name for name in known.modules if importlib.util.find_spec(name) is None]
        if model not in known.models:
            trouble = f"missing: the network is not written for {engine}"
        else:
            trouble = f"missing: no module {' and '.join(absent)}" if absent else ""
        wanted = [variant for variant in known.variants
                  if not options.only or engine in options.only or f"{engine}:{variant}" in options.only]
        if trouble and wanted:
            found.append(Contender(engine, "", trouble=trouble))
        else:
            found += [Contender(engine, variant) for variant in wanted]
    return found


def run(command: list[str]) -> tuple[dict | None, str]:
    """The JSON object on the last line a process prints, or why there is none."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return json.loads(done.stdout.strip().splitlines()[-1]), ""
    return None, ("missing: " if done.returncode == peer.MISSING else "failed: ") + reason(done)


def reason(done: subprocess.CompletedProcess) -> str:
    """The last line on stderr that says something of what went wrong: behind wrong usage the program points to --help,
    and a process that was killed said nothing of it."""
    if done.returncode < 0:
        return f"ended by {signal.strsignal(-done.returncode) or 'a signal'}"
    lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("Run with --help")]
    return lines[-1] if lines else f"status {done.returncode}"


class Comparison:
    def __init__(self, options: argparse.Namespace, model: str, mode: str) -> None:
        self.options, self.model, self.mode = options, model, mode
        known = models.MODELS[model]
        batch = options.batch or (known.batch if mode == "train" else 1)
        self.task = [model, "--mode", mode, "--batch", str(batch), "--threads", str(options.threads), "--size",
                     str(options.size or known.size), "--seconds", str(options.seconds),
                     "--rounds", "1000"]
        self.started = round(time.time())
        self.liven: list[dict] = []
        self.liven_command = [options.liven, "bench", "--json", "--dtype", options.dtype]
        if mode == "infer":
            self.liven_command += ["--dense-weights", options.dense_weights]
        elif options.memory_limit:
            self.liven_command += ["--memory-limit", options.memory_limit]

    def turn(self, command: list[str], number: int, liven: dict | None = None) -> tuple[dict | None, str]:
        result, trouble = run(command + self.task)
        if result:
            liven = liven or result
            record = {"kind": "model", "run": self.started, "at": round(time.time()), "round": number,
                      "liven_ms": liven["ms_median"], "liven_variant": liven["variant"], **result}
            with self.options.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        return result, trouble

    def run_liven(self, number: int) -> dict:
        result, trouble = self.turn(self.liven_command, number)
        if not result:
            sys.exit(f"liven bench {trouble}")
        self.liven.append(result)
        return result

    def rounds(self, found: list[Contender]) -> None:
        for number in range(self.options.rounds):
            for each in found:
                if each.trouble:
                    continue
                before = self.run_liven(number)
                script = [sys.executable, str(HERE / f"{each.engine}_peer.py"), "--variant", each.variant]
                result, each.trouble = self.turn(script, number, before)
                if result:
                    each.runs.append(result)
                    each.liven.append(before)
        if not self.liven:
            for number in range(self.options.rounds):
                self.run_liven(number)

    def print(self, found: list[Contender]) -> None:
        first = self.liven[0]
        peak = statistics.median(run["peak_gflops"] for run in self.liven)
        print(f"\n{self.model}, {self.mode}, batch {first['batch']}, {first['size']} pixels, "
              f"{first['threads']} threads, FMA peak {peak:.0f} GFLOP/s")
        print(HEAD)
        for each in [Contender("liven", first["variant"], self.liven, self.liven), *found]:
            print(each.row(), flush=True)


def main() -> None:
    options = parse()
    options.results.parent.mkdir(parents=True, exist_ok=True)
    for model in options.models:
        for mode in options.modes:
            comparison, found = Comparison(options, model, mode), contenders(options, model, mode)
            comparison.rounds(found)
            comparison.print(found)


if __name__ == "__main__":
    main()
