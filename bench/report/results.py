"""The JSON lines that the benchmarks appended, grouped as the page shows them; the newest run counts."""
from __future__ import annotations

import json
import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


def read(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


@dataclass
class WholeModel:
    """All rounds of one engine's variant in the newest comparison that has it."""
    engine: str
    variant: str
    version: str
    ms: float
    least_ms: float
    ratio: float
    peak_mb: float
    added_mb: float
    rounds: int


def whole_models(records: list[dict]) -> dict[tuple, list[WholeModel]]:
    """(model, mode, batch, size, threads) -> engines, Liven first, then by time."""
    runs: dict[tuple, dict[tuple, dict[int, list[dict]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for r in records:
        if r["kind"] == "model":
            task = (r["model"], r["mode"], r["batch"], r["size"], r["threads"])
            runs[task][r["engine"], r["variant"]][r["run"]].append(r)
    found = {}
    for task, engines in sorted(runs.items()):
        rows = []
        for (engine, variant), by_run in engines.items():
            last = by_run[max(by_run)]
            rows.append(WholeModel(
                engine, variant, last[-1]["version"], statistics.median(r["ms_median"] for r in last),
                min(r["ms_min"] for r in last), statistics.median(r["ms_median"] / r["liven_ms"] for r in last),
                statistics.median(r["rss_mb"] for r in last),
                statistics.median(r["rss_mb"] - r["rss_before_mb"] for r in last), len(last)))
        found[task] = sorted(rows, key=lambda row: (row.engine != "liven", row.ms))
    return found


def kernels(records: list[dict]) -> list[dict]:
    """The newest record of each kernel, ISA, number of threads, state of the weights, model and shape."""
    newest = {}
    for r in records:
        if r["kind"] == "kernel" and r["valid"]:
            newest[r["kernel"], r["isa"], r["threads"], r["weights"], r["model"], r["shape"]] = r
    return list(newest.values())


def traffic(records: list[dict]) -> list[dict]:
    newest = {}
    for r in records:
        if r["kind"] == "traffic":
            newest[r["model"], r["size"]] = r
    return list(newest.values())
