#!/usr/bin/env python3
"""Writes explain.npz: Grad-CAM, gradients and guided gradients by PyTorch's hooks (see README.md), in float64 from
float32 parameters and an input made by formula.

The network is written down in tests/explain/golden_test.cpp a second time: convolution, LeakyReLU, batch-norm,
convolution with stride 2, ReLU, maximum pool, dense layer with ReLU, dense layer.
"""
import os

import numpy as np
import torch
import torch.nn.functional as F

import formula

SHAPE, CLASSES = (1, 12, 10, 3), 2
formula.salt = 5


def weight(name, shape):
    return torch.from_numpy(formula.parameter(name, shape)).double()


def conv(name, x, filters, stride, padding):
    kernel = weight(name + "/kernel", (3, 3, x.shape[1], filters)).permute(3, 2, 0, 1)
    return F.conv2d(F.pad(x, padding), kernel, weight(name + "/bias", (filters,)), stride=stride)


def dense(name, x, units):
    return x @ weight(name + "/kernel", (x.shape[1], units)) + weight(name + "/bias", (units,))


class Network:
    """Keeps its maps; `guided` hooks a gate onto the result of every rectifier."""

    def __init__(self, guided=False):
        self.guided, self.maps = guided, {}

    def rectified(self, y):
        if self.guided:
            y.register_hook(lambda gradient: gradient.clamp(min=0))
        return y

    def keep(self, name, y):
        y.retain_grad()
        self.maps[name] = y
        return y

    def __call__(self, x):
        x = self.rectified(F.leaky_relu(conv("conv1", x, 6, 1, (1, 1, 1, 1)), 0.2))
        mean, variance = weight("bn/moving_mean", (6,)), weight("bn/moving_variance", (6,))
        x = self.keep("bn", F.batch_norm(x, mean, variance, weight("bn/gamma", (6,)), weight("bn/beta", (6,)), False, 0, float(np.float32(1e-3))))
        x = conv("conv2", x, 8, 2, (0, 1, 0, 1))  # same() of an even extent: a zero below and on the right
        x = self.keep("relu2", self.rectified(F.relu(x)))
        x = F.max_pool2d(x, 2)
        x = x.permute(0, 2, 3, 1).flatten(1)
        return dense("fc2", self.rectified(F.relu(dense("fc1", x, 7))), CLASSES)


def image():
    return torch.from_numpy(formula.uniform("explain", SHAPE)).double().permute(0, 3, 1, 2).requires_grad_()


def nhwc(x):
    return x.detach().permute(0, 2, 3, 1).numpy().astype(np.float32)


def main():
    arrays = {"salt": np.array([formula.salt], np.int64)}
    for label in range(CLASSES):
        x, network = image(), Network()
        logits = network(x)
        logits[0, label].backward()
        arrays["logits"] = logits.detach().numpy().astype(np.float32)
        arrays[f"gradient/{label}"] = nhwc(x.grad)
        for name, a in network.maps.items():
            cam = F.relu((a.grad.mean((2, 3), keepdim=True) * a).sum(1, keepdim=True))
            arrays[f"cam/{name}/{label}"] = nhwc(cam)
            arrays[f"large/{name}/{label}"] = nhwc(F.interpolate(cam, SHAPE[1:3], mode="bilinear", align_corners=False))
        x = image()
        Network(guided=True)(x)[0, label].backward()
        arrays[f"guided/{label}"] = nhwc(x.grad)
        if not all(np.any(a != 0) for a in arrays.values()):
            raise SystemExit("an array is all zeros: take another salt")
        print(label, {name: float(np.abs(a).max()) for name, a in arrays.items() if name.endswith(str(label))})
    np.savez(os.path.join(os.path.dirname(__file__), "explain.npz"), **arrays)


main()
