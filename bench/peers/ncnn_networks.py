"""The networks as ncnn's two files (text and weights), with activations fused as its own optimiser leaves them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy

RELU, LEAKY_RELU = "9=1", "9=2 -23310=1,0.2"


class Writer:
    """Layers in order; every method returns the name of the blob it makes. Weights are random."""

    def __init__(self, size: int) -> None:
        self.lines = [f"Input images 0 1 images 0={size} 1={size} 2=3"]
        self.blobs, self.weights = 1, bytearray()
        self.random = numpy.random.default_rng(0)

    def layer(self, kind: str, inputs: Sequence[str], parameters: str, outputs: int = 1) -> list[str]:
        names = [f"b{self.blobs + i}" for i in range(outputs)]
        self.blobs += outputs
        self.lines.append(" ".join((kind, f"l{len(self.lines)}", str(len(inputs)), str(outputs), *inputs, *names,
                                    parameters)))
        return names

    def append(self, *arrays: numpy.ndarray) -> None:
        for array in arrays:
            self.weights += array.astype("<f4").tobytes()

    def weighted(self, kind: str, x: str, parameters: str, count: int, outputs: int, fan_in: int) -> str:
        self.weights += bytes(4)  # what follows is float32
        self.append(self.random.standard_normal(count, numpy.float32) * (2 / fan_in) ** 0.5, numpy.zeros(outputs))
        return self.layer(kind, [x], parameters)[0]

    def conv(self, x: str, inputs: int, filters: int, activation: str = "") -> str:
        count = 9 * inputs * filters
        return self.weighted("Convolution", x, f"0={filters} 1=3 4=1 5=1 6={count} {activation}", count, filters,
                             9 * inputs)

    def dense(self, x: str, inputs: int, units: int, activation: str = "") -> str:
        count = inputs * units
        return self.weighted("InnerProduct", x, f"0={units} 1=1 2={count} {activation}", count, units, inputs)

    def batch_norm(self, x: str, channels: int) -> str:
        ones, zeros = numpy.ones(channels), numpy.zeros(channels)
        self.append(ones, zeros, ones, zeros)  # gamma, mean, variance, beta
        return self.layer("BatchNorm", [x], f"0={channels} 1=0.001")[0]

    def max_pool(self, x: str) -> str:
        return self.layer("Pooling", [x], "0=0 1=2 2=2")[0]

    def save(self, stem: Path) -> None:
        head = f"7767517\n{len(self.lines)} {self.blobs}\n"
        stem.with_suffix(".param").write_text(head + "\n".join(self.lines) + "\n", encoding="ascii")
        stem.with_suffix(".bin").write_bytes(self.weights)


def attack_phase(net: Writer, x: str, inputs: int, filters: int, concat: bool) -> str:
    y, first = net.layer("Split", [net.conv(x, inputs, filters)], "", outputs=2)
    t = net.batch_norm(net.layer("ReLU", [first], "0=0.2")[0], filters)
    z = net.conv(net.conv(t, filters, filters, LEAKY_RELU), filters, filters, LEAKY_RELU)
    joined = net.layer("Concat" if concat else "BinaryOp", [y, z], "0=0")[0]
    return net.max_pool(net.batch_norm(joined, filters * (2 if concat else 1)))


def attacknet(concat: bool) -> Callable[[Writer, int], str]:
    def make(net: Writer, size: int) -> str:
        wider = 2 if concat else 1
        x = attack_phase(net, attack_phase(net, "images", 3, 16, concat), 16 * wider, 32, concat)
        x = net.layer("TanH", [net.dense(x, (size // 4) ** 2 * 32 * wider, 128)], "")[0]
        return net.dense(net.batch_norm(x, 128), 128, 2)
    return make


def livenessnet(net: Writer, size: int) -> str:
    x = "images"
    for inputs, filters in ((3, 16), (16, 32)):
        x = net.batch_norm(net.conv(x, inputs, filters, RELU), filters)
        x = net.max_pool(net.batch_norm(net.conv(x, filters, filters, RELU), filters))
    return net.dense(net.batch_norm(net.dense(x, (size // 4) ** 2 * 32, 64, RELU), 64), 64, 2)


MODELS: dict[str, Callable[[Writer, int], str]] = {
    "livenessnet": livenessnet,
    "attacknet-v1": attacknet(concat=True),
    "attacknet-v2.1": attacknet(concat=True),
    "attacknet-v2.2": attacknet(concat=False),
}


def write(model: str, size: int, stem: Path) -> str:
    """Writes stem.param and stem.bin and returns the name of the result."""
    net = Writer(size)
    result = MODELS[model](net, size)
    net.save(stem)
    return result
