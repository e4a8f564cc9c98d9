"""Writes tests/golden/kernel_values.hpp: what PyTorch gives where the semantics of pooling and resizing could be doubted.

    python3 tests/golden/make_kernel_values.py

Every source holds the values of `source(height, width)`, one image, one channel. Made with PyTorch 2.
"""
import pathlib

import torch
import torch.nn.functional as F


def source(height, width):
    i = torch.arange(height * width, dtype=torch.float64)
    return (((i * 37 + 11) % 101) / 8 - 6).reshape(1, 1, height, width)


def backward(f, x):
    x = x.clone().requires_grad_(True)
    y = f(x)
    y.backward(source(*y.shape[2:]))
    return x.grad


CASES = {
    # name: (height, width, function)
    "max_3x3_s2_p1_ceil": (6, 7, lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True)),
    "max_2x2_s2_ceil": (5, 5, lambda x: F.max_pool2d(x, 2, 2, ceil_mode=True)),
    "max_3x2_s1_d2": (7, 6, lambda x: F.max_pool2d(x, (3, 2), 1, dilation=2)),
    "avg_3x3_s2_p1_ceil": (6, 7, lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)),
    "avg_3x3_s2_p1_ceil_padding_counts": (6, 7, lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True)),
    "avg_2x3_s1_p1_padding_counts": (4, 4, lambda x: F.avg_pool2d(x, (2, 3), 1, (1, 1))),
    "bilinear_up": (3, 4, lambda x: F.interpolate(x, size=(7, 9), mode="bilinear", align_corners=False)),
    "bilinear_down": (7, 9, lambda x: F.interpolate(x, size=(3, 4), mode="bilinear", align_corners=False)),
    "nearest_up": (3, 4, lambda x: F.interpolate(x, size=(7, 9), mode="nearest-exact")),
    "nearest_down": (7, 9, lambda x: F.interpolate(x, size=(3, 5), mode="nearest-exact")),
}
GRADIENTS = ["max_3x3_s2_p1_ceil", "avg_3x3_s2_p1_ceil", "avg_3x3_s2_p1_ceil_padding_counts", "bilinear_up",
             "bilinear_down", "nearest_up", "nearest_down"]


def array(name, value):
    height, width = value.shape[2:]
    numbers = ", ".join(f"{v:.9g}" + ("f" if "." in f"{v:.9g}" or "e" in f"{v:.9g}" else ".0f") for v in value.flatten().tolist())
    return f"inline const Image {name}{{{height}, {width}, {{{numbers}}}}};\n"


def main():
    text = ("#pragma once\n\n// Written by tests/golden/make_kernel_values.py with PyTorch " + torch.__version__.split("+")[0] +
            ". Do not edit.\n\n#include <cstdint>\n#include <vector>\n\nnamespace liven::golden {\n\n"
            "struct Image {\n    int64_t height, width;\n    std::vector<float> values;\n};\n\n"
            "// clang-format off\n")
    for name, (height, width, f) in CASES.items():
        text += array(name, f(source(height, width)))
        if name in GRADIENTS:
            text += array(name + "_grad", backward(f, source(height, width)))
    text += "// clang-format on\n\n}  // namespace liven::golden\n"
    pathlib.Path(__file__).with_name("kernel_values.hpp").write_text(text)


if __name__ == "__main__":
    main()
