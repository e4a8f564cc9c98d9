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
    against: str  # the variant of Liven that ran before it

    @property
    def name(self) -> str:
        """Says when the ratio is to a Liven that stores something otherwise than usual."""
        beside = f" (Liven {self.against})" if self.engine != "liven" and " " in self.against else ""
        return f"{self.engine} {self.variant}{beside}"


def whole_models(records: list[dict]) -> dict[tuple, list[WholeModel]]:
    """(model, mode, batch, size, threads) -> engines, Liven first, then by time."""
    runs: dict[tuple, dict[tuple, dict[int, list[dict]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for r in records:
        if r["kind"] == "model":
            task = (r["model"], r["mode"], r["batch"], r["size"], r["threads"])
            against = r.get("liven_variant", r["variant"] if r["engine"] == "liven" else "")
            runs[task][r["engine"], r["variant"], against][r["run"]].append(r)
    found = {}
    for task, engines in sorted(runs.items()):
        rows = []
        for (engine, variant, against), by_run in engines.items():
            last = by_run[max(by_run)]
            rows.append(WholeModel(
                engine, variant, last[-1]["version"], statistics.median(r["ms_median"] for r in last),
                min(r["ms_min"] for r in last), statistics.median(r["ms_median"] / r["liven_ms"] for r in last),
                statistics.median(r["rss_mb"] for r in last),
                statistics.median(r["rss_mb"] - r["rss_before_mb"] for r in last), len(last), against))
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


def most_threads(kernels: list[dict]) -> list[dict]:
    threads = max(r["threads"] for r in kernels)
    return [r for r in kernels if r["threads"] == threads]


def best_isa(kernels: list[dict]) -> list[dict]:
    order = ("baseline", "avx2", "avx512")
    isa = max((r["isa"] for r in kernels), key=order.index, default="")
    return [r for r in kernels if r["isa"] == isa]


@dataclass
class Peaks:
    """Of the machine, with so many threads: medians over the programs that measured them."""
    fma_gflops: float
    read_gbytes: float
    copy_gbytes: float
    stream_gbytes: float


def peaks(kernels: list[dict]) -> dict[tuple[str, int], Peaks]:
    """(ISA, threads) -> peaks."""
    found: dict[tuple[str, int], list[dict]] = defaultdict(list)
    for r in kernels:
        found[r["isa"], r["threads"]].append(r)
    fields = ("fma_peak_gflops", "memory_read_gbytes", "memory_copy_gbytes", "memory_stream_gbytes")
    return {key: Peaks(*(statistics.median(r[field] for r in rows) for field in fields))
            for key, rows in sorted(found.items())}
