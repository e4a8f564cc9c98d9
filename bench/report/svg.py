"""The roofline as inline SVG, and the colours of all drawings."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

COLOURS = {"liven": "#2563eb", "tensorflow": "#d97706", "pytorch": "#dc2626", "onnxruntime": "#0d9488",
           "openvino": "#7c3aed", "ncnn": "#65a30d", "onednn": "#d97706", "eigen": "#65a30d", "openblas": "#0d9488",
           "opencv": "#7c3aed"}
FAMILIES = {"winograd": "#2563eb", "direct": "#dc2626", "1x1": "#d97706", "narrow": "#7c3aed", "depthwise": "#db2777",
            "matmul": "#0d9488", "pool": "#65a30d", "pointwise": "#a16207", "sums": "#0891b2", "other": "#78716c"}


def colour(engine: str) -> str:
    return COLOURS.get(engine, "#78716c")


def text(x: float, y: float, words: str, anchor: str = "start", extra: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{escape(words)}</text>'


@dataclass
class Point:
    intensity: float  # FLOPs a byte
    gflops: float
    family: str
    title: str


@dataclass
class Roofs:
    fma_gflops: float
    memory_gbytes: float


class Roofline:
    """Rates over FLOPs a byte, both axes logarithmic, under the roofs of the FMA units and of memory."""
    WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 860, 480, 64, 44, 16, 20

    def __init__(self, points: Sequence[Point], roofs: Roofs) -> None:
        self.points, self.roofs = points, roofs
        self.x0 = 2.0 ** math.floor(math.log2(min(p.intensity for p in points)))
        ridge = roofs.fma_gflops / roofs.memory_gbytes
        self.x1 = 2.0 ** math.ceil(math.log2(max(*(p.intensity for p in points), ridge)))
        self.y0 = 2.0 ** math.floor(math.log2(min(p.gflops for p in points)))
        self.y1 = 2.0 ** math.ceil(math.log2(1.1 * max(*(p.gflops for p in points), roofs.fma_gflops)))

    def x(self, intensity: float) -> float:
        share = math.log(intensity / self.x0) / math.log(self.x1 / self.x0)
        return self.LEFT + share * (self.WIDTH - self.LEFT - self.RIGHT)

    def y(self, gflops: float) -> float:
        share = math.log(gflops / self.y0) / math.log(self.y1 / self.y0)
        return self.HEIGHT - self.BOTTOM - share * (self.HEIGHT - self.TOP - self.BOTTOM)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
        return (f'<line class="{kind}" x1="{self.x(x1):.1f}" y1="{self.y(y1):.1f}" x2="{self.x(x2):.1f}" '
                f'y2="{self.y(y2):.1f}"/>')

    def axes(self) -> list[str]:
        out, bottom = [], self.HEIGHT - self.BOTTOM
        for k in range(round(math.log2(self.x0)), round(math.log2(self.x1)) + 1, 2):
            out.append(self.line(2.0**k, self.y0, 2.0**k, self.y1, "grid"))
            out.append(text(self.x(2.0**k), bottom + 16, f"{2.0**k:g}", "middle"))
        for k in range(round(math.log2(self.y0)), round(math.log2(self.y1)) + 1):
            out.append(self.line(self.x0, 2.0**k, self.x1, 2.0**k, "grid"))
            out.append(text(self.LEFT - 6, self.y(2.0**k) + 4, f"{2.0**k:g}", "end"))
        out.append(text((self.LEFT + self.WIDTH) / 2, self.HEIGHT - 8, "nominal FLOPs a byte of operands and results",
                        "middle"))
        out.append(text(14, self.HEIGHT / 2, "GFLOP/s", "middle", f'transform="rotate(-90 14 {self.HEIGHT / 2})"'))
        return out

    def roof_lines(self) -> list[str]:
        fma, memory = self.roofs.fma_gflops, self.roofs.memory_gbytes
        ridge, start = fma / memory, max(self.x0, self.y0 / memory)
        return [self.line(start, start * memory, ridge, fma, "roof"), self.line(ridge, fma, self.x1, fma, "roof")]

    def labels(self) -> list[str]:
        """Drawn last, with a rim in the page's colour, so that no dot hides them."""
        fma, memory = self.roofs.fma_gflops, self.roofs.memory_gbytes
        start = max(self.x0, self.y0 / memory)
        return [text(self.x(self.x1) - 4, self.y(fma) - 6, f"FMA peak {fma:.0f} GFLOP/s", "end", 'class="rim"'),
                text(self.x(start) + 8, self.y(start * memory) - 22, f"memory {memory:.1f} GB/s", "start", 'class="rim"')]

    def str(self) -> str:
        dots = [f'<circle cx="{self.x(p.intensity):.1f}" cy="{self.y(p.gflops):.1f}" r="4" fill="{FAMILIES[p.family]}" '
                f'fill-opacity="0.75"><title>{escape(p.title)}</title></circle>' for p in self.points]
        return (f'<svg viewBox="0 0 {self.WIDTH} {self.HEIGHT}" role="img" aria-label="roofline">' +
                "".join(self.axes() + self.roof_lines() + dots + self.labels()) + "</svg>")


def legend(colours: dict[str, str]) -> str:
    return '<p class="legend">' + " ".join(
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for name, colour in colours.items()) + "</p>"
