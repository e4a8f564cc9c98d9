#!/usr/bin/env python3
"""Makes a page of what the benchmarks measured: page.py RESULTS.jsonl PAGE.html. The page needs nothing else."""
from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import results
import svg
import targets

STYLE = """
:root { color-scheme: light dark; --ink: #1c1917; --paper: #fff; --line: #d6d3d1; --soft: #57534e; --good: #15803d;
        --bad: #b91c1c }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e5e4; --paper: #1c1917; --line: #44403c; --soft: #a8a29e;
  --good: #4ade80; --bad: #f87171 } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 960px;
       margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) } h3 { margin-bottom: .3rem }
p { color: var(--soft) } svg { width: 100%; min-width: 620px; height: auto; font: 12px system-ui, sans-serif }
svg text { fill: var(--ink) } .grid { stroke: var(--line); stroke-width: .5 } .roof { stroke: var(--ink); stroke-width: 2 }
.rim { paint-order: stroke; stroke: var(--paper); stroke-width: 5px; stroke-linejoin: round; font-weight: 600 }
.wide { overflow-x: auto; margin: .6rem 0 }
table { border-collapse: collapse; font-size: 13px; width: 100% } th { text-align: left; color: var(--soft) }
td, th { padding: 2px 8px; border-bottom: 1px solid var(--line); vertical-align: top; min-width: 3rem }
td, th { overflow-wrap: normal } td.t { min-width: 11rem; overflow-wrap: anywhere }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums } td.n { white-space: nowrap }
.legend span { display: inline-block; margin-right: 1.2em } .legend i { display: inline-block; width: .8em; height: .8em;
margin-right: .35em; border-radius: 2px } details { margin: .6rem 0 } summary { cursor: pointer } code { font-size: 12px }
.bars { display: grid; grid-template-columns: minmax(8rem, max-content) minmax(4rem, 1fr) max-content; gap: 3px 10px;
  font-size: 13px; align-items: center } .bars > span { font-variant-numeric: tabular-nums }
.bars .label { text-align: right; max-width: 20rem } .bars i { display: block; height: 15px; border-radius: 2px }
@media (max-width: 640px) { .bars { grid-template-columns: 1fr max-content } .bars .label { grid-column: 1 / 3;
  text-align: left; max-width: none; margin-top: 3px } }
small { display: block; color: var(--soft); font-size: 11.5px } td.n small { white-space: normal }
td.goal, td.floor, .goal small, .floor small { color: var(--good) } td.below, .below small { color: var(--bad) }
.aims td.t { min-width: 8rem; overflow-wrap: break-word } .aims td[colspan] { padding-top: 0; overflow-wrap: anywhere }
.aims tr:nth-child(even) td { border: 0; padding-top: 6px }
"""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns whose head starts with '#' hold numbers."""
    number = [head.startswith("#") for head in heads]

    def cell(tag: str, is_number: bool, word: str) -> str:
        kind = " class=n" if is_number else " class=t" if len(word) > 24 else ""
        return f"<{tag}{kind}>{escape(word)}</{tag}>"

    def cells(tag: str, words: Sequence[str]) -> str:
        return "<tr>" + "".join(cell(tag, n, word) for n, word in zip(number, words)) + "</tr>"

    body = "".join(cells("td", row) for row in rows)
    return '<div class="wide"><table>' + cells("th", [head.lstrip("#") for head in heads]) + body + "</table></div>"


@dataclass
class Bar:
    label: str
    value: float
    text: str  # behind the bar
    colour: str


def bars(rows: Sequence[Bar]) -> str:
    """One bar a row, from zero; on a narrow screen the label stands above it."""
    most = max(row.value for row in rows)
    return '<div class="bars">' + "".join(
        f'<span class="label">{escape(row.label)}</span>'
        f'<i style="width:{max(0.3, 100 * row.value / most):.1f}%;background:{row.colour}"></i>'
        f'<span>{escape(row.text)}</span>' for row in rows) + "</div>"


def to_reach(records: list[dict]) -> str:
    rows = [f'<tr><td class=t>{escape(what)}</td><td class=n>{escape(floor)}</td><td class=n>{escape(goal)}</td>'
            f'<td class="n {verdict.split(" ")[0]}">{escape(measured)}<small>{escape(verdict)}</small></td></tr>'
            f'<tr><td colspan=4><small>{escape(how)}</small></td></tr>'
            for what, floor, goal, measured, verdict, how in targets.rows(records)]
    heads = "<tr><th>what, and how it was measured or would be</th><th class=n>floor</th><th class=n>goal</th>"
    return section("To reach", "What the project set itself, each within one run. Shares are of the FMA peak in nominal "
                   "FLOPs, the least over the shapes, each by its best kernel; ratios are other frameworks' times over "
                   "Liven's.", [f'<table class=aims>{heads}<th class=n>measured</th></tr>{"".join(rows)}</table>'])


def whole_models(records: list[dict]) -> str:
    out = []
    for (model, mode, batch, size, threads), rows in results.whole_models(records).items():
        what = f"training step, batch {batch}" if mode == "train" else f"inference, batch {batch}"
        out.append(f"<h3>{escape(model)}: {what}, {size} pixels, {threads} threads</h3>")
        out.append(bars([Bar(r.name, r.ms, f"{r.ms:.1f} ms, {r.ratio:.2f}x", svg.colour(r.engine)) for r in rows]))
        out.append(table(["engine", "version", "#ms", "#least ms", "#of Liven", "#peak MB", "#added MB", "#rounds"],
                         [[r.name, r.version, f"{r.ms:.1f}", f"{r.least_ms:.1f}", f"{r.ratio:.2f}",
                           f"{r.peak_mb:.0f}", f"{r.added_mb:.0f}", str(r.rounds)] for r in rows]))
    return section("Whole models", "Each run is a process of its own, Liven's and the peer's by turns. A ratio is the "
                   "median over the rounds of the peer's time over Liven's just before. Added memory is the peak of "
                   "resident memory less what was there before the model was made.", out)


def traffic(records: list[dict]) -> str:
    fields = ("image_bytes", "parameter_bytes", "written_image_bytes", "written_parameter_bytes", "planned_image_bytes",
              "planned_parameter_bytes")
    rows = [[r["model"], str(r["size"])] + [f"{r[field] / 1e6:.1f}" if field in r else "" for field in fields]
            for r in results.traffic(records)]
    heads = ["model", "#pixels", "#MB fetched an image", "#for parameters", "#MB written an image", "#for parameters",
             "#plan: MB an image", "#for parameters"]
    return section("Traffic of a training step", "Fetched: what misses a last-level cache of 16 MB, counted by "
                   "cachegrind with AVX2 kernels on one thread. Written: results that the plan's kernels write, which go "
                   "back to memory on top of that, unless they are overwritten while in cache. Plan: all that its "
                   "kernels read and write if no cache kept anything from one to the next.",
                   [table(heads, rows)] if rows else [])


def family(kernel: str) -> str:
    """By the first of these words in its name that says how it works."""
    for words, name in ((("winograd",), "winograd"), (("depthwise",), "depthwise"), (("narrow",), "narrow"),
                        (("_gemm_",), "1x1"), (("direct",), "direct"), (("matmul",), "matmul"),
                        (("pool", "resize"), "pool"), (("pointwise",), "pointwise"),
                        (("reduce", "moments", "softmax", "norm"), "sums")):
        if any(word in kernel for word in words):
            return name
    return "other"


def bare(kernels: list[dict]) -> list[dict]:
    """Without the steps of plans, whose kernels carry programs."""
    return [r for r in kernels if "+" not in r["kernel"]]


def roofline(kernels: list[dict]) -> str:
    # What has no FLOPs has no place on logarithmic axes.
    liven = [r for r in bare(kernels) if r["engine"] == "liven" and r["weights"] == "hot" and r["flops"] * r["gflops"] > 0]
    if not liven:
        return ""
    shown = results.best_isa(results.most_threads(liven))
    peaks = results.peaks(kernels)[shown[0]["isa"], shown[0]["threads"]]
    roofs = svg.Roofs(peaks.fma_gflops, peaks.read_gbytes)
    points = [svg.Point(r["flops"] / r["bytes"], r["gflops"], family(r["kernel"]),
                        f"{r['kernel']}\n{r['shape']}\n{r['gflops']:.1f} GFLOP/s, {r['gbytes']:.1f} GB/s, "
                        f"{100 * r['share']:.0f} % of the {r['roof']} peak") for r in shown]
    words = (f"Liven's kernels, {shown[0]['isa']}, {shown[0]['threads']} threads, over the operations of "
             f"{', '.join(sorted({r['model'] for r in shown}))}; hold the pointer over a dot for its kernel and shape. "
             "FLOPs are nominal, so Winograd may stand above the FMA peak; what stays in the cache may stand above the "
             "memory's.")
    families = {name: colour for name, colour in svg.FAMILIES.items() if any(p.family == name for p in points)}
    return section("Roofline", words, [svg.legend(families), f'<div class="wide">{svg.Roofline(points, roofs).str()}</div>'])


def against_libraries(kernels: list[dict]) -> str:
    hot = [r for r in bare(kernels) if r["weights"] == "hot" and r["roof"] == "fma"]
    if not hot:
        return ""
    best: dict[tuple, dict[str, dict]] = defaultdict(dict)
    for r in results.most_threads(hot):
        row = best[r["model"], r["shape"]]
        if r["engine"] not in row or row[r["engine"]]["gflops"] < r["gflops"]:
            row[r["engine"]] = r
    out = [svg.legend({e: svg.COLOURS[e] for e in ("liven", "onednn", "openblas", "eigen", "opencv")})]
    by_model: dict[str, list[str]] = defaultdict(list)
    for (model, shape), engines in sorted(best.items()):
        if len(engines) < 2:
            continue
        rows = sorted(engines.values(), key=lambda r: (r["engine"] != "liven", -r["gflops"]))
        by_model[model].append(f"<p><code>{escape(shape)}</code></p>" + bars(
            [Bar(r["kernel"], r["gflops"], f"{r['gflops']:.0f} GFLOP/s, {100 * r['share']:.0f} %",
                 svg.colour(r["engine"])) for r in rows]))
    out += [f"<details{' open' if model == next(iter(by_model)) else ''}><summary>{escape(model)}: {len(parts)} shapes"
            f"</summary>{''.join(parts)}</details>" for model, parts in by_model.items()]
    return section("Kernels against other libraries", f"Nominal GFLOP/s and share of the FMA peak on "
                   f"{max(r['threads'] for r in hot)} threads, the best kernel of each library for a shape, weights in "
                   "cache. oneDNN's convolutions and OpenCV find their weights packed, as a network keeps them; Liven, "
                   "OpenBLAS, Eigen and oneDNN's matrix product pack them inside the time.", out) if by_model else ""


def efficiency(kernels: list[dict]) -> str:
    groups: dict[tuple, list[dict]] = defaultdict(list)
    for r in kernels:
        if r["engine"] == "liven":
            groups[r["kernel"], r["isa"], r["threads"], r["weights"], r["roof"]].append(r)
    out = [table(["kernel", "ISA", "#threads", "weights", "roof", "#shapes", "#least", "#median", "#most"],
                 [[kernel, isa, str(threads), weights, roof, str(len(rows)), *(f"{100 * f(r['share'] for r in rows):.0f} %"
                                                                        for f in (min, statistics.median, max))]
                  for (kernel, isa, threads, weights, roof), rows in sorted(groups.items())])]
    for model in sorted({r["model"] for r in kernels}):
        rows = sorted((r for r in kernels if r["model"] == model),
                      key=lambda r: (r["shape"], r["threads"], r["isa"], r["weights"], -r["gflops"]))
        out.append(f"<details><summary>{escape(model)}: every measurement</summary>" + table(
            ["shape", "kernel", "ISA", "#threads", "weights", "#times", "#ms", "#GFLOP/s", "#GB/s", "#of peak",
             "#rounds"],
            [[r["shape"], r["kernel"], r["isa"], str(r["threads"]), r["weights"], str(r["count"]), f"{r['ms']:.3f}",
              f"{r['gflops']:.1f}", f"{r['gbytes']:.1f}", f"{100 * r['share']:.0f} % {r['roof']}",
              f"{r['rounds']} ({r['dropped']} dropped)"] for r in rows]) + "</details>")
    return section("Efficiency of every kernel", "Share of the peak that bounds a shape: FMA, or memory where there are "
                   "fewer than four FLOPs a byte. Median of the rounds whose probes before and after agree within 3 %. "
                   "+prologue and +epilogue: as the planner fuses it.",
                   out) if groups else ""


def section(title: str, words: str, parts: Sequence[str]) -> str:
    return f"<h2>{escape(title)}</h2><p>{escape(words)}</p>" + "".join(parts) if parts else ""


def machine(kernels: list[dict]) -> str:
    rows = [[isa, str(threads), f"{p.fma_gflops:.0f}", f"{p.read_gbytes:.1f}", f"{p.copy_gbytes:.1f}",
             f"{p.stream_gbytes:.1f}"] for (isa, threads), p in results.peaks(kernels).items()]
    heads = ["ISA", "#threads", "#FMA peak GFLOP/s", "#read GB/s", "#copy GB/s", "#streaming copy GB/s"]
    return section("The machine's peaks", "Measured by the benchmark programs themselves, the median of their runs; a "
                   "copy counts what it reads and what it writes.", [table(heads, rows)] if rows else [])


def page(records: list[dict]) -> str:
    kernels = results.kernels(records)
    body = "".join((to_reach(records), machine(kernels), whole_models(records), traffic(records), roofline(kernels),
                    against_libraries(kernels), efficiency(kernels)))
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(max(r["at"] for r in records)))
    return (f'<!doctype html><html lang="en"><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>Liven: benchmarks</title><style>{STYLE}</style>'
            f"<h1>Liven: benchmarks</h1><p>Newest measurement {when} UTC. docs/performance.md explains each figure and "
            f"how to repeat it.</p>{body}</html>\n")


def main() -> None:
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    records = results.read(source) if source.exists() else []
    if not records:
        sys.exit(f"report: nothing measured yet in {source}; where that is missing or empty, ./run bench report measures "
                 "a short set first")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(records), encoding="utf-8")
    print(targets.text(records))
    for (isa, threads), peak in results.peaks(results.kernels(records)).items():
        print(f"peaks of {isa}, {threads} threads: {peak.fma_gflops:.0f} GFLOP/s, reads {peak.read_gbytes:.1f} GB/s, "
              f"copies {peak.copy_gbytes:.1f} GB/s, streaming {peak.stream_gbytes:.1f} GB/s")
    print(f"\n{target}: {len(records)} measurements")


if __name__ == "__main__":
    main()
