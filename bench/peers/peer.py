"""What every peer's script shares: the task from the command line, the timing loop, memory, one JSON line on stdout.

A peer is a framework that does the same work as `liven bench`: a training step (forward, cross entropy, backward, Adam)
or an inference, on random images made once. Its script gives a Peer to `main`; the fields of the line it prints are
those of `liven bench --json`.
"""
from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

KEPT = "_kept_memory"
"""A variant that ends so runs with keep_freed_memory."""
MISSING = 3
"""Exit status of a script whose framework, or the part of it that a variant needs, is not installed."""


@dataclass(frozen=True)
class Task:
    model: str
    mode: str
    batch: int
    size: int
    threads: int
    variant: str
    dropout: float

    @property
    def train(self) -> bool:
        return self.mode == "train"

    @property
    def kept_memory(self) -> bool:
        """Whether malloc shall keep what is freed (see keep_freed_memory)."""
        return self.variant.endswith(KEPT)

    @property
    def flavour(self) -> str:
        """The variant without what is said of malloc."""
        return self.variant.removesuffix(KEPT)


class Peer(Protocol):
    engine: str
    modules: Sequence[str]  # without these it is missing
    variants: Sequence[str]  # the first is the default
    models: Sequence[str]
    modes: Sequence[str]

    def load(self, task: Task) -> str:
        """Imports the framework, tells it the number of threads and returns its version."""

    def build(self, task: Task) -> Callable[[], object]:
        """The model with its images: a function that does one step and returns when it is done."""


def keep_freed_memory() -> None:
    """Tells glibc's malloc to give nothing back to the system.

    As it comes, every large tensor is mapped anew in every step, and the system fills its pages with zeros: a framework
    that frees its tensors can spend half of a step on that.
    """
    m_trim_threshold, m_top_pad, m_mmap_max = -1, -2, -4
    mallopt = ctypes.CDLL(None).mallopt
    for parameter, value in ((m_mmap_max, 0), (m_trim_threshold, 2**31 - 1), (m_top_pad, 2**26)):
        mallopt(parameter, value)


def memory_mb(field: str) -> float:
    """A field of /proc/self/status in MB."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024 * 1e-6
    return 0.0


def milliseconds(step: Callable[[], object], warmup: int, rounds: int, seconds: float) -> list[float]:
    """Times of at most `rounds` steps, at least three, for about `seconds`."""
    for _ in range(warmup):
        step()
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < rounds and (len(times) < 3 or time.perf_counter() - begin < seconds):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return times


def parse(peer: Peer) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Times {peer.engine} as `liven bench --json` times Liven.")
    parser.add_argument("model", choices=peer.models)
    parser.add_argument("--mode", choices=peer.modes, default=peer.modes[0])
    parser.add_argument("--variant", choices=peer.variants, default=peer.variants[0])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--size", type=int, default=256, help="pixels a side")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--warmup", type=int, default=3, help="steps that are not counted")
    parser.add_argument("--rounds", type=int, default=30, help="steps to time at most")
    parser.add_argument("--seconds", type=float, default=10, help="stop after this long")
    return parser.parse_args()


def main(peer: Peer) -> None:
    options = parse(peer)
    task = Task(options.model, options.mode, options.batch, options.size, options.threads, options.variant,
                options.dropout)
    os.environ["OMP_NUM_THREADS"] = str(task.threads)
    if task.kept_memory:
        keep_freed_memory()
    try:
        version = peer.load(task)
    except ImportError as error:
        print(f"{peer.engine}: {error}", file=sys.stderr)
        sys.exit(MISSING)
    before = memory_mb("VmRSS")
    step = peer.build(task)
    times = milliseconds(step, options.warmup, options.rounds, options.seconds)
    print(json.dumps({
        "engine": peer.engine, "version": version, "variant": task.variant, "model": task.model, "mode": task.mode,
        "batch": task.batch, "size": task.size, "threads": task.threads, "steps": len(times), "ms_min": min(times),
        "ms_median": statistics.median(times), "rss_mb": memory_mb("VmHWM"), "rss_before_mb": before}))
