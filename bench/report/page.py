#!/usr/bin/env python3
"""Makes a page of what the benchmarks measured: page.py RESULTS.jsonl PAGE.html. The page needs nothing else."""
from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import results
import svg

STYLE = """
:root { color-scheme: light dark; --ink: #1c1917; --paper: #fff; --line: #d6d3d1; --soft: #57534e }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e5e4; --paper: #1c1917; --line: #44403c; --soft: #a8a29e } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 920px;
       margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) } h3 { margin-bottom: .3rem }
p { color: var(--soft) } svg { width: 100%; height: auto; font: 12px system-ui, sans-serif }
svg text { fill: var(--ink) } .grid { stroke: var(--line); stroke-width: .5 } .roof { stroke: var(--ink); stroke-width: 2 }
table { border-collapse: collapse; font-size: 13px; width: 100% } th { text-align: left; color: var(--soft) }
td, th { padding: 2px 8px; border-bottom: 1px solid var(--line); vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.legend span { margin-right: 1.2em } .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .35em;
border-radius: 2px } details { margin: .6rem 0 } summary { cursor: pointer } code { font-size: 12px }
"""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns whose head starts with '#' hold numbers."""
    number = [head.startswith("#") for head in heads]

    def cells(tag: str, words: Sequence[str]) -> str:
        return "<tr>" + "".join(f'<{tag}{" class=n" if n else ""}>{escape(word)}</{tag}>'
                                for n, word in zip(number, words)) + "</tr>"

    body = "".join(cells("td", row) for row in rows)
    return "<table>" + cells("th", [head.lstrip("#") for head in heads]) + body + "</table>"


def whole_models(records: list[dict]) -> str:
    out = []
    for (model, mode, batch, size, threads), rows in results.whole_models(records).items():
        what = f"training step, batch {batch}" if mode == "train" else f"inference, batch {batch}"
        out.append(f"<h3>{escape(model)}: {what}, {size} pixels, {threads} threads</h3>")
        out.append(svg.bars([svg.Bar(f"{r.engine} {r.variant}", r.ms, f"{r.ms:.1f} ms, {r.ratio:.2f}x",
                                     svg.COLOURS.get(r.engine, "#78716c")) for r in rows]))
        out.append(table(["engine", "version", "#ms", "#least ms", "#of Liven", "#peak MB", "#added MB", "#rounds"],
                         [[f"{r.engine} {r.variant}", r.version, f"{r.ms:.1f}", f"{r.least_ms:.1f}", f"{r.ratio:.2f}",
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
    for name in ("winograd", "direct", "matmul"):
        if name in kernel:
            return name
    return "other"


def bare(kernels: list[dict]) -> list[dict]:
    """Without the steps of plans, whose kernels carry programs."""
    return [r for r in kernels if "+" not in r["kernel"]]


def most_threads(kernels: list[dict]) -> list[dict]:
    threads = max(r["threads"] for r in kernels)
    return [r for r in kernels if r["threads"] == threads]


def best_isa(kernels: list[dict]) -> list[dict]:
    order = ("baseline", "avx2", "avx512")
    isa = max((r["isa"] for r in kernels), key=order.index)
    return [r for r in kernels if r["isa"] == isa]


def roofline(kernels: list[dict]) -> str:
    liven = [r for r in bare(kernels) if r["engine"] == "liven" and r["weights"] == "hot"]
    if not liven:
        return ""
    shown = best_isa(most_threads(liven))
    roofs = svg.Roofs(statistics.median(r["fma_peak_gflops"] for r in shown),
                      statistics.median(r["memory_read_gbytes"] for r in shown))
    points = [svg.Point(r["flops"] / r["bytes"], r["gflops"], family(r["kernel"]),
                        f"{r['kernel']}\n{r['shape']}\n{r['gflops']:.1f} GFLOP/s, {r['gbytes']:.1f} GB/s, "
                        f"{100 * r['share']:.0f} % of the {r['roof']} peak") for r in shown]
    words = (f"Liven's kernels, {shown[0]['isa']}, {shown[0]['threads']} threads, over the operations of "
             f"{', '.join(sorted({r['model'] for r in shown}))}; hold the pointer over a dot for its kernel and shape. "
             "FLOPs are nominal, so Winograd may stand above the FMA peak; what stays in the cache may stand above the "
             "memory's.")
    return section("Roofline", words, [svg.legend(svg.FAMILIES), svg.Roofline(points, roofs).str()])


def against_libraries(kernels: list[dict]) -> str:
    hot = [r for r in bare(kernels) if r["weights"] == "hot" and r["roof"] == "fma"]
    if not hot:
        return ""
    best: dict[tuple, dict[str, dict]] = defaultdict(dict)
    for r in most_threads(hot):
        row = best[r["model"], r["shape"]]
        if r["engine"] not in row or row[r["engine"]]["gflops"] < r["gflops"]:
            row[r["engine"]] = r
    out = [svg.legend({e: svg.COLOURS[e] for e in ("liven", "onednn", "openblas", "eigen", "opencv")})]
    last = ""
    for (model, shape), engines in sorted(best.items()):
        if len(engines) < 2:
            continue
        if model != last:
            out.append(f"<h3>{escape(model)}</h3>")
            last = model
        rows = sorted(engines.values(), key=lambda r: (r["engine"] != "liven", -r["gflops"]))
        out.append(f"<p><code>{escape(shape)}</code></p>" + svg.bars(
            [svg.Bar(r["kernel"], r["gflops"], f"{r['gflops']:.0f} GFLOP/s, {100 * r['share']:.0f} %",
                     svg.COLOURS[r["engine"]]) for r in rows], label_width=330))
    return section("Kernels against other libraries", f"Nominal GFLOP/s and share of the FMA peak on "
                   f"{max(r['threads'] for r in hot)} threads, the best kernel of each library for a shape, weights in "
                   "cache; other libraries' weights are packed beforehand, Liven's packing is counted.", out)


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
    peaks = {(r["isa"], r["threads"]): r for r in kernels}
    rows = [[isa, str(threads), f"{r['fma_peak_gflops']:.0f}", f"{r['memory_read_gbytes']:.1f}",
             f"{r['memory_copy_gbytes']:.1f}", f"{r['memory_stream_gbytes']:.1f}"]
            for (isa, threads), r in sorted(peaks.items())]
    heads = ["ISA", "#threads", "#FMA peak GFLOP/s", "#read GB/s", "#copy GB/s", "#streaming copy GB/s"]
    return section("The machine's peaks", "Measured by the benchmark programs themselves; a copy counts what it reads "
                   "and what it writes.", [table(heads, rows)] if rows else [])


def page(records: list[dict]) -> str:
    kernels = results.kernels(records)
    body = "".join((whole_models(records), traffic(records), machine(kernels), roofline(kernels),
                    against_libraries(kernels), efficiency(kernels)))
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(max(r["at"] for r in records)))
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Liven: benchmarks</title><style>{STYLE}</style>'
            f"<h1>Liven: benchmarks</h1><p>Newest measurement {when} UTC. docs/performance.md explains each figure and "
            f"how to repeat it.</p>{body}</html>\n")


def main() -> None:
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    records = results.read(source) if source.exists() else []
    if not records:
        sys.exit(f"report: nothing measured yet in {source}; try: "
                 "./run bench kernels --models attacknet-v2.2 --rounds 5")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(records), encoding="utf-8")
    print(f"{target}: {len(records)} measurements")


if __name__ == "__main__":
    main()
