"""What Liven is to reach (floor and goal), beside what the newest results say of it: shares of a peak, ratios within one
run, bytes. A row that was not measured names the command that measures it."""
from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import results

ROUNDS = 20
"""A share is the median of so many rounds at least."""
THREADS = 2
"""Of every row, where there are results of so many; otherwise of those with the most, and the row says so."""


def nearest(threads: Iterable[int]) -> int:
    known = set(threads)
    return THREADS if THREADS in known else max(known)


def on_threads(number: int) -> str:
    return f"{number} thread{'s' * (number != 1)}" + ("" if number == THREADS else f", {THREADS} are asked for")


@dataclass
class Measured:
    value: float
    note: str = ""


@dataclass
class Target:
    what: str
    floor: float
    goal: float
    unit: str
    measure: Callable[[list[dict]], Measured | None]
    command: str
    least: bool = False  # less is better

    def amount(self, value: float) -> str:
        return f"{value:.2f}x" if self.unit == "x" else f"{value:.0f} {self.unit}"

    def verdict(self, value: float) -> str:
        def reaches(aim: float) -> bool:
            return value <= aim if self.least else value >= aim

        return "goal" if reaches(self.goal) else "floor" if reaches(self.floor) else "below the floor"

    def row(self, records: list[dict]) -> list[str]:
        """What, floor, goal, measured, what that reaches, and how it was measured or would be."""
        found = self.measure(records)
        aims = [self.what, self.amount(self.floor), self.amount(self.goal)]
        if found is None:
            return [*aims, "not measured", "", self.command]
        return [*aims, self.amount(found.value), self.verdict(found.value), found.note]


# --- shares of the FMA peak -------------------------------------------------------------------------------------------

WEIGHTS = re.compile(r"(\d+)x(\d+)x(\d+)x(\d+)$")
"""Height, width, channels in and out."""


@dataclass(frozen=True)
class Convolution:
    batch: int
    rows: int
    kernel: int
    channels_in: int
    channels_out: int
    plain: bool  # without stride, groups and dilation

    @staticmethod
    def of(record: dict) -> Convolution | None:
        """The shape of a record's line, or nothing when it is no convolution."""
        if not record["op"].startswith("conv2d"):
            return None
        before, result = record["shape"].split(" -> ")
        operands = before.split("] ", 1)[1].split(" ")
        weights = result if record["op"] == "conv2d_weight_grad" else operands[1]
        height, _, channels_in, channels_out = map(int, WEIGHTS.match(weights).groups())
        batch, rows = map(int, operands[0].split("x")[:2])
        plain = not any(word in before for word in ("stride=", "groups=", "dilation="))
        return Convolution(batch, rows, height, channels_in, channels_out, plain)

    @property
    def channels(self) -> tuple[int, int]:
        return min(self.channels_in, self.channels_out), max(self.channels_in, self.channels_out)

    def is_3x3(self, least: int, most: int, rows: int = 0) -> bool:
        low, high = self.channels
        return (self.plain and self.kernel == 3 and least <= low and high <= most and (not rows or self.rows == rows) and
                (least < 256 or self.batch >= 8))


CLASSES = {"16 to 16 channels, 256 pixels": (16, 16, 256), "32 to 32 channels, 128 pixels": (32, 32, 128),
           "64 to 128 channels": (64, 128, 0), "256 and 512 channels": (256, 512, 0)}


def shown(records: list[dict]) -> list[dict]:
    """Liven's kernels with the weights in cache, on two threads, with the widest vectors that were measured."""
    kernels = [r for r in results.kernels(records) if r["engine"] == "liven" and r["weights"] == "hot"]
    if not kernels:
        return []
    threads = nearest(r["threads"] for r in kernels)
    return results.best_isa([r for r in kernels if r["threads"] == threads])


def least_share(records: list[dict], fits: Callable[[dict, Convolution | None], bool]) -> Measured | None:
    """Over the shapes that fit, the least of what the best kernel of each reached."""
    best: dict[str, dict] = {}
    for r in shown(records):
        if r["roof"] == "fma" and fits(r, Convolution.of(r)):
            # Steps of a plan are what the planner chose; of bare kernels it would choose the fastest.
            key = r["shape"] + (r["kernel"] + r["model"] if "+" in r["kernel"] else "")
            if key not in best or best[key]["share"] < r["share"]:
                best[key] = r
    if not best:
        return None
    worst = min(best.values(), key=lambda r: r["share"])
    rounds = min(r["rounds"] for r in best.values())
    few = f"; {rounds} rounds, {ROUNDS} are asked for" if rounds < ROUNDS else f"; {rounds} rounds"
    return Measured(100 * worst["share"], f"least of {len(best)}, {worst['isa']}, {on_threads(worst['threads'])}{few}: "
                    f"{worst['kernel']} {worst['shape']}")


def share(what: str, floor: float, goal: float, fits: Callable[[dict, Convolution | None], bool],
          models: str = "attacknet-v2.2,resnet18") -> Target:
    return Target(what, floor, goal, "%", lambda records: least_share(records, fits),
                  f"./run bench kernels --models {models}")


def winograd(which: str, operations: Sequence[str], fused: bool) -> Callable[[dict, Convolution | None], bool]:
    def fits(r: dict, c: Convolution | None) -> bool:
        return (c is not None and r["op"] in operations and "winograd" in r["kernel"] and ("+" in r["kernel"]) == fused and
                c.is_3x3(*CLASSES[which]))
    return fits


def direct(operation: str) -> Callable[[dict, Convolution | None], bool]:
    def fits(r: dict, c: Convolution | None) -> bool:
        return (c is not None and r["op"] == operation and "_direct_" in r["kernel"] and "+" not in r["kernel"] and
                (c.channels == (16, 16) or c.channels == (32, 32) or c.channels[0] >= 64) and c.is_3x3(16, 512))
    return fits


def first_layer(operation: str) -> Callable[[dict, Convolution | None], bool]:
    return lambda r, c: (c is not None and r["op"] == operation and "+" not in r["kernel"] and c.channels_in == 3 and
                         (c.kernel, c.channels_out) in ((3, 16), (7, 64)))


def product(r: dict, c: Convolution | None) -> bool:
    """A 1x1 convolution without stride, or a large matrix product."""
    if "+" in r["kernel"]:
        return False
    if c is not None:
        return c.kernel == 1 and c.plain and c.channels[0] >= 16
    return r["op"] == "matmul" and r["flops"] / r["bytes"] >= 32


# --- whole models -----------------------------------------------------------------------------------------------------


def engines_of(records: list[dict], model: str, mode: str) -> list[results.WholeModel]:
    """Of the task that the targets are about: 16 images a training step, one to infer, 256 pixels, two threads."""
    tasks = {task: rows for task, rows in results.whole_models(records).items()
             if task[:4] == (model, mode, 16 if mode == "train" else 1, 256)}
    if not tasks:
        return []
    threads = nearest(task[4] for task in tasks)
    return next(rows for task, rows in tasks.items() if task[4] == threads)


def least_ratio(records: list[dict], models: Iterable[str], mode: str, engines: Sequence[str],
                fits: Callable[[results.WholeModel], bool]) -> Measured | None:
    """How much slower the fastest of some engines is than Liven was just before; of several models, the least."""
    found = []
    for model in models:
        rows = [row for row in engines_of(records, model, mode) if row.engine in engines and fits(row)]
        if not rows:
            return None
        found.append((min(rows, key=lambda row: row.ratio), model, {row.engine for row in rows}))
    row, model, known = min(found, key=lambda each: each[0].ratio)
    absent = [engine for engine in engines if engine not in known]
    return Measured(row.ratio, f"{model}: {row.name}, {row.ms:.1f} ms, {on_threads(row.threads)}, {row.rounds} rounds" +
                    (f"; without {' and '.join(absent)}" if absent else ""))


def is_plain(row: results.WholeModel) -> bool:
    return " " not in row.against and not row.variant.startswith("bf16")


def added_memory(limited: bool) -> Callable[[list[dict]], Measured | None]:
    def measure(records: list[dict]) -> Measured | None:
        rows = engines_of(records, "attacknet-v2.2", "train")
        own = [row for row in rows if row.engine == "liven" and (" limit " in row.variant if limited else
                                                               " " not in row.variant)]
        theirs = [row for row in rows if row.engine == "tensorflow" and row.added_mb > 0]
        if not own or not theirs:
            return None
        ours, other = (min(each, key=lambda row: row.added_mb) for each in (own, theirs))
        return Measured(100 * ours.added_mb / other.added_mb, f"{ours.added_mb:.0f} MB of {other.added_mb:.0f} MB "
                        f"({other.name}); Liven {ours.variant}, {on_threads(ours.threads)}")
    return measure


def step_scaling(records: list[dict]) -> Measured | None:
    """Medians of the newest comparisons with one thread and with two, by what the peak itself gains."""
    runs: dict[int, dict[int, list[dict]]] = {}
    for r in records:
        if (r["kind"] == "model" and r["engine"] == "liven" and " " not in r["variant"] and "peak_gflops" in r and
                (r["model"], r["mode"], r["batch"], r["size"]) == ("attacknet-v2.2", "train", 16, 256)):
            runs.setdefault(r["threads"], {}).setdefault(r["run"], []).append(r)
    if not {1, 2} <= runs.keys():
        return None
    one, two = (runs[threads][max(runs[threads])] for threads in (1, 2))

    def median(rows: list[dict], field: str) -> float:
        return statistics.median(r[field] for r in rows)

    gain, peak = median(one, "ms_median") / median(two, "ms_median"), median(two, "peak_gflops") / median(one, "peak_gflops")
    return Measured(2 * gain / peak, f"{gain:.2f}x, while the FMA peak scales by {peak:.2f}")


def convolution_scaling(records: list[dict]) -> Measured | None:
    by_threads: dict[tuple, dict[int, dict]] = {}
    for r in results.best_isa([r for r in results.kernels(records) if r["engine"] == "liven"] or []):
        if r["op"].startswith("conv2d") and r["weights"] == "hot" and r["roof"] == "fma" and "+" not in r["kernel"]:
            by_threads.setdefault((r["kernel"], r["model"], r["shape"]), {})[r["threads"]] = r
    gains = [2 * both[2]["share"] / both[1]["share"] for both in by_threads.values() if {1, 2} <= both.keys()]
    if not gains:
        return None
    return Measured(statistics.median(gains), f"median of {len(gains)}, least {min(gains):.2f}x, by what the peak gains")


def moved(field: str, written: str) -> Callable[[list[dict]], Measured | None]:
    def measure(records: list[dict]) -> Measured | None:
        for r in results.traffic(records):
            if r["model"] == "attacknet-v2.2" and r["size"] == 256:
                note = f"; the plan writes {r[written] / 1e6:.0f} MB" if written in r else ""
                return Measured(r[field] / 1e6, "fetched" + note)
        return None
    return measure


def peers(words: str) -> str:
    return f"./run bench peers --setup, then ./run bench peers --threads {THREADS} {words}"


def targets() -> list[Target]:
    forward, weight_grad = ("conv2d", "conv2d_input_grad"), ("conv2d_weight_grad",)
    rows = []
    for which, floor, goal in zip(CLASSES, (150, 190, 220, 150), (200, 250, 300, 220)):
        rows.append(share(f"3x3 forward and input gradient, {which}: bare", floor, goal, winograd(which, forward, False)))
        rows.append(share("the same with prologue and epilogue", floor, goal, winograd(which, forward, True)))
    for which, floor, goal in zip(CLASSES, (130, 180, 190, 140), (200, 240, 260, 200)):
        rows.append(share(f"3x3 weight gradient, {which}", floor, goal, winograd(which, weight_grad, False)))
    fastest, inference = ("tensorflow", "pytorch"), ("onnxruntime", "openvino", "ncnn")
    others = ("attacknet-v1", "attacknet-v2.1", "livenessnet")
    v22 = ("attacknet-v2.2",)
    return rows + [
        share("direct 3x3 forward (strict math), 16 to 16, 32 to 32, from 64 channels", 90, 97, direct("conv2d")),
        share("1x1 convolutions and large matrix products", 90, 97, product, "resnet50,others"),
        share("direct 3x3 weight gradient", 75, 88, direct("conv2d_weight_grad")),
        share("first layer, forward", 70, 85, first_layer("conv2d")),
        share("first layer, weight gradient", 60, 75, first_layer("conv2d_weight_grad")),
        Target("V2.2 training step, batch 16, against the best of TensorFlow and PyTorch in fp32; then 4x", 2.2, 3.2, "x",
               lambda r: least_ratio(r, v22, "train", fastest, is_plain), peers("attacknet-v2.2")),
        Target("the same with maps in bf16, against PyTorch in bf16", 2, 3, "x",
               lambda r: least_ratio(r, v22, "train", ("pytorch",), lambda row: " bf16" in row.against and
                                     row.variant.startswith("bf16")),
               peers("attacknet-v2.2 --mode train --dtype bf16 --only pytorch:bf16 --only pytorch:bf16_kept_memory")),
        Target("V1, V2.1 and LivenessNet training step, against the best framework", 2, 3, "x",
               lambda r: least_ratio(r, others, "train", fastest, is_plain), peers(" ".join(others))),
        Target("V2.2, one image, against the best of ONNX Runtime, OpenVINO and ncnn", 1.8, 2.3, "x",
               lambda r: least_ratio(r, v22, "infer", inference, is_plain), peers("attacknet-v2.2")),
        Target("the same with the dense layer in bf16", 1.8, 2.8, "x",
               lambda r: least_ratio(r, v22, "infer", inference, lambda row: row.against.endswith(" dense bf16")),
               peers("attacknet-v2.2 --mode infer --dense-weights bf16")),
        Target("what the V2.2 step adds in memory, of TensorFlow's", 50, 40, "%", added_memory(False),
               peers("attacknet-v2.2 --mode train"), least=True),
        Target("the same under --memory-limit", 50, 25, "%", added_memory(True),
               peers("attacknet-v2.2 --mode train --memory-limit 650MB --only tensorflow"), least=True),
        Target("DRAM bytes of a V2.2 training step: activations, an image", 130, 80, "MB",
               moved("image_bytes", "written_image_bytes"), "./run bench traffic", least=True),
        Target("DRAM bytes of a V2.2 training step: parameters", 480, 340, "MB",
               moved("parameter_bytes", "written_parameter_bytes"), "./run bench traffic", least=True),
        Target("2 threads over 1, where the peak itself doubles: convolutions", 1.85, 1.97, "x", convolution_scaling,
               "./run bench kernels --models attacknet-v2.2,resnet18 --threads 1,2"),
        Target("2 threads over 1, where the peak itself doubles: the V2.2 step", 1.7, 1.85, "x", step_scaling,
               "./run bench peers attacknet-v2.2 --mode train --only liven --threads 1, and again with --threads 2")]


HEADS = ["what", "floor", "goal", "measured", "reaches", "how, or the command that measures it"]
ALWAYS = ["the same bits for 1 and 2 threads, on each ISA", "always", "always", "a test", "",
          "./run test release -R graph (tests/graph/steady_step_test.cpp)"]


def rows(records: list[dict]) -> list[list[str]]:
    return [target.row(records) for target in targets()] + [ALWAYS]


def text(records: list[dict]) -> str:
    """The table with columns that line up; what does not fit in them stands below its row."""
    lines = []
    for what, floor, goal, measured, verdict, how in [HEADS, *rows(records)]:
        lines.append(f"{what:<90} {floor:>8} {goal:>8} {measured:>13}  {verdict}".rstrip())
        lines.append("    " + how)
    return "\n".join(lines)
