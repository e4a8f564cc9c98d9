"""The JSON lines that the benchmarks appended, grouped as the page shows them; the newest run counts."""
from __future__ import annotations

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ISAS = ("baseline", "avx2", "avx512")

# --- what a record has ------------------------------------------------------------------------------------------------

Check = Callable[[object], bool]


def is_text(value: object) -> bool:
    return isinstance(value, str)


def is_number(value: object) -> bool:
    """Finite and not negative."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= sys.float_info.max


def is_positive(value: object) -> bool:
    return is_number(value) and value > 0


def is_count(value: object) -> bool:
    return is_number(value) and isinstance(value, int)


def is_moment(value: object) -> bool:
    """Seconds since 1970, of a year with four digits."""
    return is_count(value) and value < 250_000_000_000


def is_flag(value: object) -> bool:
    return isinstance(value, bool)


def one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def fields(check: Check, names: str) -> dict[str, Check]:
    return dict.fromkeys(names.split(), check)


ALWAYS: dict[str, dict[str, Check]] = {
    "kernel": {"at": is_moment, "isa": one_of(*ISAS), "weights": one_of("hot", "cold"), "roof": one_of("fma", "memory"),
               "valid": is_flag, **fields(is_text, "engine kernel model shape op"),
               **fields(is_count, "threads count rounds dropped"),
               **fields(is_positive, "bytes ms share fma_peak_gflops memory_read_gbytes memory_copy_gbytes "
                                     "memory_stream_gbytes"), **fields(is_number, "flops gflops gbytes")},
    "model": {"at": is_moment, "mode": one_of("train", "infer"), **fields(is_text, "engine version variant model"),
              **fields(is_count, "run batch size threads"),
              **fields(is_positive, "liven_ms ms_min ms_median"), **fields(is_number, "rss_mb rss_before_mb")},
    "traffic": {"at": is_moment, "model": is_text, "size": is_count, **fields(is_number, "image_bytes parameter_bytes")}}
"""By kind."""
SOMETIMES: dict[str, dict[str, Check]] = {
    "kernel": {}, "model": {"liven_variant": is_text, "peak_gflops": is_positive},
    "traffic": fields(is_number, "planned_image_bytes planned_parameter_bytes written_image_bytes "
                                 "written_parameter_bytes")}
ELSEWHERE = ("prepare",)
"""Kinds that the page does not show."""


def fault(record: object) -> str:
    """Why something is no complete record; nothing when it is one."""
    if not isinstance(record, dict):
        return "expected a JSON object"
    kind = record.get("kind")
    if not isinstance(kind, str) or kind not in (*ALWAYS, *ELSEWHERE):
        return f"expected a kind that is one of {', '.join((*ALWAYS, *ELSEWHERE))}, got {json.dumps(kind)}"
    if kind in ELSEWHERE:
        return ""
    missing = [name for name in ALWAYS[kind] if name not in record]
    if missing:
        return f"a record of a {kind} without {', '.join(missing)}"
    wrong = [f"{name} {json.dumps(record[name])}" for name, check in (ALWAYS[kind] | SOMETIMES[kind]).items()
             if name in record and not check(record[name])]
    return f"a record of a {kind} that cannot be, with {', '.join(wrong)}" if wrong else ""


def read(file: Path) -> list[dict]:
    """The records that the page shows. A line that is none, as a benchmark that was killed leaves one, is skipped, and
    stderr told."""
    records = []
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            trouble = fault(record)
        except (ValueError, RecursionError):
            trouble = "expected a JSON object, got a line that is cut off or no JSON"
        if trouble:
            print(f"{file}:{number}: skipped: {trouble}", file=sys.stderr)
        elif record["kind"] not in ELSEWHERE:
            records.append(record)
    return records


# --- the newest of them -----------------------------------------------------------------------------------------------


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
    threads: int
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
                statistics.median(r["rss_mb"] - r["rss_before_mb"] for r in last), len(last), task[4], against))
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
    isa = max((r["isa"] for r in kernels), key=ISAS.index, default="")
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
    names = ("fma_peak_gflops", "memory_read_gbytes", "memory_copy_gbytes", "memory_stream_gbytes")
    return {key: Peaks(*(statistics.median(r[name] for r in rows) for name in names))
            for key, rows in sorted(found.items())}
