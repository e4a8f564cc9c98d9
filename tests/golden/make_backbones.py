#!/usr/bin/env python3
"""Writes backbone_*.npz: what PyTorch makes of ResNet-50 (v1.5 and Keras v1), SE-ResNet-18, GoogLeNet and the clip model
(see README.md), in float64 from float32 parameters and inputs.

The networks are written down a second time from torchvision's and Keras' code; the recurrent layer is torch.nn.GRU. Two
more programs look over its shoulder: keras.applications.ResNet50 and keras.layers.GRU, with the same numbers, have to give
the same outputs and states, or nothing is written.

Fifty layers of batch-norm over a few pixels put many values near a ReLU's kink: disturbing every layer by 2e-7, which is
what float32 does, moves single gradients by percents, for any salt. So the gradients are those of float64, for Liven's
double executor to repeat; float32 is held to the outputs and the losses.
"""
import os
import sys

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
import torch.nn.functional as F

import formula
from make_lgsc import Lgsc, summary
from make_models import save

keras.config.set_floatx("float64")
keras.config.set_dtype_policy("float64")
STEPS, RATE, HEAD_RATE = 10, 1e-6, 1e-3
# Liven keeps options as float32.
EPSILON = {e: float(np.float32(e)) for e in (1e-5, 1.001e-5, 1e-3)}
INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128)}


class Network(Lgsc):
    """Parameters by name as Lgsc makes them; here with a choice of epsilon and of biases."""
    epsilon, bias = EPSILON[1e-5], False

    def conv(self, name, x, filters, kernel, stride=1, padding=0):
        y = super().conv(name, x, filters, kernel, stride, padding)
        return y + self.weight(name + "/bias", (filters,)).reshape(1, -1, 1, 1) if self.bias else y

    def batch_norm(self, name, x):
        c = (x.shape[1],)
        gamma, beta = self.weight(name + "/gamma", c), self.weight(name + "/beta", c)
        mean = self.get(self.statistics, name + "/moving_mean", c, False)
        variance = self.get(self.statistics, name + "/moving_variance", c, False)
        return self.note(F.batch_norm(x, mean, variance, gamma, beta, self.training, 0.1, self.epsilon))

    def dense(self, name, x, units, bias=True):
        y = self.note(x @ self.weight(name + "/kernel", (x.shape[1], units)))
        return y + self.weight(name + "/bias", (units,)) if bias else y

    def loss(self, out, target):
        return F.cross_entropy(out[0], target)


class ResNet50(Network):
    def __init__(self, noise=0.0, v1=False):
        super().__init__(noise)
        self.v1 = self.bias = v1
        self.epsilon = EPSILON[1.001e-5 if v1 else 1e-5]

    def bottleneck(self, name, x, filters, stride):
        first, second = (stride, 1) if self.v1 else (1, stride)
        y = F.relu(self.batch_norm(name + "/bn1", self.conv(name + "/conv1", x, filters, 1, first)))
        y = F.relu(self.batch_norm(name + "/bn2", self.conv(name + "/conv2", y, filters, 3, second, 1)))
        y = self.batch_norm(name + "/bn3", self.conv(name + "/conv3", y, 4 * filters, 1))
        if stride != 1 or x.shape[1] != 4 * filters:
            x = self.batch_norm(name + "/downsample.1", self.conv(name + "/downsample.0", x, 4 * filters, 1, stride))
        return F.relu(y + x)

    def descriptors(self, images, prefix=""):
        x = images.permute(0, 3, 1, 2)
        x = F.relu(self.batch_norm(prefix + "bn1", self.conv(prefix + "conv1", x, 64, 7, 2, 3)))
        x = F.max_pool2d(x, 3, 2, 1)
        for layer, (filters, depth) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 1):
            for block in range(depth):
                x = self.bottleneck(f"{prefix}layer{layer}.{block}", x, filters, 2 if layer > 1 and block == 0 else 1)
        return x.mean((2, 3))

    def __call__(self, images):
        return (self.dense("fc", self.descriptors(images), 2),)


class ResNet50Gru(ResNet50):
    UNITS, HIDDEN = 512, 512
    frozen = False  # the backbone: in inference mode, without a gradient

    def gru(self, x):
        """torch.nn.GRU with Liven's weights: columns z, r, n there, rows r, z, n here."""
        units, inputs = self.UNITS, x.shape[2]
        order = np.r_[units:2 * units, 0:units, 2 * units:3 * units]
        cell = torch.nn.GRU(inputs, units, batch_first=True).double()
        packed = {"weight_ih_l0": self.weight("gru/kernel", (inputs, 3 * units)).T[order],
                  "weight_hh_l0": self.weight("gru/recurrent_kernel", (units, 3 * units)).T[order],
                  "bias_ih_l0": self.weight("gru/bias", (3 * units,))[order],
                  "bias_hh_l0": self.weight("gru/recurrent_bias", (3 * units,))[order]}
        return torch.func.functional_call(cell, packed, (x,))[0]

    def __call__(self, clips):
        n, t = clips.shape[:2]
        with torch.set_grad_enabled(not self.frozen):
            self.training = self.training and not self.frozen
            spatial = self.descriptors(clips.reshape(n * t, *clips.shape[2:]), "backbone/").reshape(n, t, -1)
        states = self.note(self.gru(spatial))
        joint = torch.cat([spatial.mean(1), states[:, -1]], 1)
        return self.dense("fc2", F.relu(self.dense("fc1", joint, self.HIDDEN)), 2), states, spatial


class SeResNet18(Network):
    def se_block(self, name, x, filters, stride):
        y = F.relu(self.batch_norm(name + "/bn1", self.conv(name + "/conv1", x, filters, 3, stride, 1)))
        y = self.batch_norm(name + "/bn2", self.conv(name + "/conv2", y, filters, 3, 1, 1))
        s = F.relu(self.dense(name + "/se/fc.0", y.mean((2, 3)), filters // 16, bias=False))
        y = y * torch.sigmoid(self.dense(name + "/se/fc.2", s, filters, bias=False))[:, :, None, None]
        if stride != 1 or x.shape[1] != filters:
            x = self.batch_norm(name + "/downsample.1", self.conv(name + "/downsample.0", x, filters, 1, stride))
        return F.relu(y + x)

    def __call__(self, images):
        x = images.permute(0, 3, 1, 2)
        x = F.max_pool2d(F.relu(self.batch_norm("bn1", self.conv("conv1", x, 64, 7, 2, 3))), 3, 2, 1)
        for layer, filters in enumerate((64, 128, 256, 512), 1):
            for block in (0, 1):
                x = self.se_block(f"layer{layer}.{block}", x, filters, 2 if layer > 1 and block == 0 else 1)
        return (self.dense("fc", x.mean((2, 3)), 2),)


class GoogLeNet(Network):
    epsilon = EPSILON[1e-3]

    def unit(self, name, x, filters, kernel=1, stride=1):
        return F.relu(self.batch_norm(name + "/bn", self.conv(name + "/conv", x, filters, kernel, stride, kernel // 2)))

    def inception(self, which, x):
        name, (one, three_r, three, five_r, five, pooled) = f"inception{which}", INCEPTIONS[which]
        return torch.cat([
            self.unit(name + "/branch1", x, one),
            self.unit(name + "/branch2.1", self.unit(name + "/branch2.0", x, three_r), three, 3),
            self.unit(name + "/branch3.1", self.unit(name + "/branch3.0", x, five_r), five, 3),
            self.unit(name + "/branch4.1", F.max_pool2d(x, 3, 1, 1, ceil_mode=True), pooled)], 1)

    def auxiliary(self, name, x):
        x = self.unit(name + "/conv", F.adaptive_avg_pool2d(x, (4, 4)), 128).flatten(1)
        return self.dense(name + "/fc2", F.relu(self.dense(name + "/fc1", x, 1024)), 2)

    def __call__(self, images):
        x = F.max_pool2d(self.unit("conv1", images.permute(0, 3, 1, 2), 64, 7, 2), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.unit("conv3", self.unit("conv2", x, 64), 192, 3), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.inception("3b", self.inception("3a", x)), 3, 2, ceil_mode=True)
        x = self.inception("4a", x)
        first = self.auxiliary("aux1", x)
        x = self.inception("4d", self.inception("4c", self.inception("4b", x)))
        second = self.auxiliary("aux2", x)
        x = F.max_pool2d(self.inception("4e", x), 2, 2, ceil_mode=True)
        x = self.inception("5b", self.inception("5a", x))
        return self.dense("fc", x.mean((2, 3)), 2), first, second

    def loss(self, out, target):
        return sum(w * F.cross_entropy(o, target) for w, o in zip((1, 0.3, 0.3), out))


#        network, input
CASES = {
    "se-resnet18": (SeResNet18, (4, 32, 48, 3)),
    "googlenet": (GoogLeNet, (4, 64, 48, 3)),
    "resnet50": (ResNet50, (4, 32, 48, 3)),
    "resnet50-keras-v1": (lambda noise: ResNet50(noise, v1=True), (4, 32, 48, 3)),
    "resnet50-gru": (ResNet50Gru, (2, 3, 32, 32, 3)),
}


# More pixels to a batch's statistics than above: else float32 changes the losses by tenths.
STEP_SHAPES = {"resnet50": (8, 64, 64, 3), "resnet50-keras-v1": (8, 64, 64, 3)}


def batch(prefix, shape):
    classes = np.arange(shape[0]) % 2
    pixels = formula.images(prefix, (shape[0], int(np.prod(shape[1:-1])), 1, 3), classes).reshape(shape)
    return torch.from_numpy(pixels).double(), torch.from_numpy(classes)


def one_pass(make, shape, noise, seed):
    torch.manual_seed(seed)
    model, out = make(noise), {}
    images, target = batch("input", shape)
    model.training = False
    with torch.no_grad():
        out["eval/logits"] = model(images)[0].numpy()
    model.training = True
    results = model(images)
    loss = model.loss(results, target)
    loss.backward()
    out["train/logits"], out["train/loss"] = results[0].detach().numpy(), np.array([loss.item()])
    if isinstance(model, ResNet50Gru):
        out["train/state_norms"], out["train/state_samples"] = summary({"train/states": results[1]})
    out["grad/norms"], out["grad/samples"] = summary({n: model.parameters[n].grad for n in sorted(model.parameters)})
    out["after/norms"], out["after/samples"] = summary({n: model.statistics[n] for n in sorted(model.statistics)})
    return out


def steps(make, shape, noise, seed):
    """Plain gradient descent: Adam's first steps are signs of gradients, and near the kinks some signs are rounding. The
    clip model's backbone is frozen, as its default recipe has it."""
    torch.manual_seed(seed)
    model, curve = make(noise), []
    model.frozen = True
    rate = HEAD_RATE if isinstance(model, ResNet50Gru) else RATE
    for t in range(1, STEPS + 1):
        images, target = batch(f"step/{t}", shape)
        for parameter in model.parameters.values():
            parameter.grad = None
        loss = model.loss(model(images), target)
        loss.backward()
        curve.append(loss.item())
        with torch.no_grad():
            for p in model.parameters.values():
                if p.grad is not None:
                    p -= rate * p.grad
    return np.array(curve)


def must_agree(what, a, b, limit):
    distance = np.linalg.norm(a - b) / np.linalg.norm(b)
    print(f"  {what} beside Keras: {distance:.1e}", flush=True)
    if not distance < limit:
        raise SystemExit(f"{what}: PyTorch and Keras disagree")


def keras_name(layer):
    """layer2.0/conv1 -> conv3_block1_1_conv"""
    if layer in ("conv1", "bn1"):
        return {"conv1": "conv1_conv", "bn1": "conv1_bn"}[layer]
    block, part = layer.split("/")
    stage, number = block[len("layer"):].split(".")
    place = {"downsample.0": "0_conv", "downsample.1": "0_bn"}.get(part) or f"{part[-1]}_{part[:-1]}"
    return f"conv{int(stage) + 1}_block{int(number) + 1}_{place}"


def compare_with_keras_resnet():
    shape = CASES["resnet50-keras-v1"][1]
    images, target = batch("input", shape)
    mine = ResNet50(v1=True)
    mine.training = False
    with torch.no_grad():
        resting = mine(images)[0].numpy()
    theirs = keras.applications.ResNet50(include_top=False, weights=None, input_shape=shape[1:], pooling="avg")
    for name, value in {**mine.parameters, **mine.statistics}.items():
        layer, kind = name.rsplit("/", 1)
        if layer != "fc":
            variable = getattr(theirs.get_layer(keras_name(layer)), kind)
            variable.assign(value.detach().numpy())
    kernel, bias = (mine.parameters[f"fc/{k}"].detach() for k in ("kernel", "bias"))
    with torch.no_grad():
        must_agree("resnet50 v1 at rest", (theirs(images, training=False) @ kernel + bias).numpy(), resting, 1e-6)
    mine.training = True
    mine.loss(mine(images), target).backward()
    logits = theirs(images, training=True) @ kernel + bias
    must_agree("resnet50 v1 in training", logits.detach().numpy(), mine(images)[0].detach().numpy(), 1e-3)
    F.cross_entropy(logits, target).backward()
    got, expected = [], []
    for name, value in mine.parameters.items():
        layer, kind = name.rsplit("/", 1)
        if layer != "fc" and kind != "bias":  # a bias before a batch-norm has no gradient but rounding
            got.append(getattr(theirs.get_layer(keras_name(layer)), kind).value.grad.numpy().ravel())
            expected.append(value.grad.numpy().ravel())
    must_agree("resnet50 v1's gradients", np.concatenate(got), np.concatenate(expected), 0.1)  # kinks, see above


def compare_with_keras_gru():
    net, x = ResNet50Gru(), torch.from_numpy(formula.uniform("spatial", (2, 5, 64))).double()
    states = net.gru(x).detach().numpy()
    theirs = keras.layers.GRU(net.UNITS, return_sequences=True, reset_after=True)
    theirs.build(x.shape)
    w = {n: net.parameters["gru/" + n].detach().numpy() for n in ("kernel", "recurrent_kernel", "bias", "recurrent_bias")}
    theirs.set_weights([w["kernel"], w["recurrent_kernel"], np.stack([w["bias"], w["recurrent_bias"]])])
    with torch.no_grad():
        must_agree("the recurrent layer's states", theirs(x).numpy(), states, 1e-9)


if __name__ == "__main__":
    torch.set_num_threads(1)
    compare_with_keras_gru()
    compare_with_keras_resnet()
    for case in sys.argv[1:] or CASES:
        make, shape = CASES[case]
        exact = one_pass(make, shape, 0.0, 0)
        noisy = one_pass(make, shape, 2e-7, 0)
        moved = {k: float(np.linalg.norm(noisy[k] - exact[k]) / np.linalg.norm(exact[k])) for k in exact}
        print(case, "noise changes", {k: f"{v:.1e}" for k, v in moved.items()}, flush=True)
        shape = STEP_SHAPES.get(case, shape)
        curve = steps(make, shape, 0.0, 0)
        change = float(np.max(np.abs(steps(make, shape, 2e-7, 0) / curve - 1)))
        print("  steps", np.round(curve, 5), f"noise changes them by {change:.1e}")
        exact["steps/losses"] = curve
        print(f"  {save(f'backbone_{case}.npz', exact)} bytes", flush=True)
