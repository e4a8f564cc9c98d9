#!/usr/bin/env python3
"""Writes lgsc.npz: what PyTorch makes of LGSC (see README.md), in float64 from float32 parameters and inputs.

The network is written down a second time, layer by layer, from the published code; parameters are made by name in
Liven's layout (HWIO) and turned for PyTorch, so that gradients come out in Liven's layout. Forty layers with a ReLU at
zero mean are too near their kinks for any salt: the norms before them get a beta of SHIFT more. As in make_models.py a
salt is then taken that rounding does not matter to.
"""
import functools
import sys

import numpy as np
import torch
import torch.nn.functional as F

import formula
from make_models import NOISE, save

SIZE, BATCH, SAMPLES, STEPS, RATE, DECAY, SHIFT = 64, 4, 16, 10, 1e-5, 5e-4, 2
BEFORE_RELU = ("bn1", "bn2", "in1", "in2", "up_in")


@functools.lru_cache(maxsize=None)
def start(name, shape, salt):
    """A parameter's value; `salt` is formula.salt, here because it is remembered for."""
    value = formula.parameter(name, shape)
    layer, kind = name.split("/")[-2:]
    if kind == "beta" and layer in BEFORE_RELU and not name.startswith("d5/block"):  # there it would fill the tanh
        value = value + np.float32(SHIFT)
    return value


class Lgsc:
    """Its parameters come about when they are first asked for, in the order of the forward pass."""

    def __init__(self, noise=0.0):
        self.parameters, self.statistics = {}, {}
        self.noise = noise
        self.training = True

    def get(self, store, name, shape, trained):
        if name not in store:
            store[name] = torch.from_numpy(start(name, shape, formula.salt)).double().requires_grad_(trained)
        return store[name]

    def weight(self, name, shape):
        return self.get(self.parameters, name, shape, True)

    def note(self, x):
        return x * (1 + self.noise * torch.randn_like(x)) if self.noise else x

    def conv(self, name, x, filters, kernel, stride=1, padding=0):
        kernel = self.weight(name + "/kernel", (kernel, kernel, x.shape[1], filters))
        return self.note(F.conv2d(x, kernel.permute(3, 2, 0, 1), stride=stride, padding=padding))

    def batch_norm(self, name, x):
        c = (x.shape[1],)
        gamma, beta = self.weight(name + "/gamma", c), self.weight(name + "/beta", c)
        mean = self.get(self.statistics, name + "/moving_mean", c, False)
        variance = self.get(self.statistics, name + "/moving_variance", c, False)
        return self.note(F.batch_norm(x, mean, variance, gamma, beta, self.training, 0.1, 1e-5))

    def instance_norm(self, name, x):
        c = (x.shape[1],)
        return self.note(F.instance_norm(x, weight=self.weight(name + "/gamma", c), bias=self.weight(name + "/beta", c), eps=1e-5))

    def basic_block(self, name, x, filters, stride):
        y = F.relu(self.batch_norm(name + "/bn1", self.conv(name + "/conv1", x, filters, 3, stride, 1)))
        y = self.batch_norm(name + "/bn2", self.conv(name + "/conv2", y, filters, 3, 1, 1))
        if stride != 1 or x.shape[1] != filters:
            x = self.batch_norm(name + "/downsample.1", self.conv(name + "/downsample.0", x, filters, 1, stride))
        return F.relu(y + x)

    def resnet18(self, name, x):
        scales = [F.relu(self.batch_norm(name + "/bn1", self.conv(name + "/conv1", x, 64, 7, 2, 3)))]
        x = F.max_pool2d(scales[0], 3, 2, 1)
        for layer, filters in enumerate((64, 128, 256, 512), 1):
            for block in (0, 1):
                stride = 2 if layer > 1 and block == 0 else 1
                x = self.basic_block(f"{name}/layer{layer}.{block}", x, filters, stride)
            scales.append(x)
        return scales

    def cue_block(self, name, x, filters):
        y = F.relu(self.instance_norm(name + "/in1", self.conv(name + "/conv1", x, filters, 3, 1, 1)))
        y = self.instance_norm(name + "/in2", self.conv(name + "/conv2", y, filters, 3, 1, 1))
        if x.shape[1] != filters:
            x = self.instance_norm(name + "/in_shortcut", self.conv(name + "/conv_shortcut", x, filters, 1))
        return F.relu(y + x)

    def decoder_step(self, name, x, up, filters, skip=None):
        x = F.pad(F.interpolate(x, scale_factor=2, mode="nearest"), (0, 1, 0, 1))
        x = F.relu(self.instance_norm(name + "/up_in", self.conv(name + "/up_conv", x, up, 2)))
        if skip is not None:
            x = torch.cat([x, skip], 1)
        y = self.cue_block(name + "/block2", self.cue_block(name + "/block1", x, filters), filters)
        return y + self.instance_norm(name + "/side_in", self.conv(name + "/side_conv", x, filters, 1))

    def __call__(self, images):
        x = images.permute(0, 3, 1, 2)
        e = self.resnet18("encoder", x)
        features = [e[4]]
        for k, filters in enumerate((256, 128, 64, 64), 1):
            features.append(self.decoder_step(f"d{k}", features[-1], filters, filters, e[4 - k]))
        cue = torch.tanh(self.decoder_step("d5", features[-1], 64, 3))
        pooled = self.resnet18("auxiliary", x + cue)[4].mean((2, 3))
        kernel, bias = self.weight("auxiliary/fc/kernel", (512, 2)), self.weight("auxiliary/fc/bias", (2,))
        return cue, features, pooled @ kernel + bias


def triplet(feature, classes, margin=0.5):
    """Batch-all: anchors and positives bona fide, negatives attacks; the square root has gradient 0 at 0."""
    v = feature.mean((2, 3))
    v = v / torch.sqrt((v * v).sum(1, keepdim=True) + 1e-10)
    square = ((v[:, None] - v[None]) ** 2).sum(2)
    distance = torch.where(square > 0, torch.sqrt(torch.where(square > 0, square, torch.ones_like(square))), 0.0)
    live, attack = np.flatnonzero(classes == 0), np.flatnonzero(classes == 1)
    terms = [F.relu(distance[a, p] - distance[a, n] + margin) for a in live for p in live if a != p for n in attack]
    return sum(terms) / max(1, sum(int(t > 0) for t in terms))


def losses(model, images, classes):
    cue, features, logits = model(images)
    live = torch.from_numpy((classes == 0).astype(np.float64))
    return cue, logits, {
        "classification": F.cross_entropy(logits, torch.from_numpy(classes)),
        "cue": (cue.abs().mean((1, 2, 3)) * live).sum() / live.sum(),
        "triplet": sum(triplet(f, classes) for f in features),
    }


def total(terms):
    return 5 * terms["classification"] + 5 * terms["cue"] + terms["triplet"]


def batch(prefix):
    classes = np.arange(BATCH) % 2
    images = formula.images(prefix, (BATCH, SIZE, SIZE, 3), classes)
    return torch.from_numpy(images).double(), classes


def summary(values):
    """Of tensors by name: their norms, and some entries of each at hashed places."""
    norms, samples = [], []
    for name, value in values.items():
        flat = value.detach().numpy().reshape(-1)
        norms.append(np.linalg.norm(flat))
        samples.append(flat[(formula.words(name, SAMPLES) % np.uint64(flat.size)).astype(np.int64)])
    return np.array(norms), np.array(samples)


def nhwc(x):
    return x.permute(0, 2, 3, 1).contiguous()


def one_pass(noise, seed):
    torch.manual_seed(seed)
    model, out = Lgsc(noise), {}
    images, classes = batch("input")
    model.training = False
    with torch.no_grad():
        cue, _, logits = model(images)
    out["eval/logits"] = logits.numpy()
    out["eval/cue_norms"], out["eval/cue_samples"] = summary({"eval/cue": nhwc(cue)})
    out["eval/scores"] = 1 - cue.abs().mean((1, 2, 3)).numpy()
    model.training = True
    cue, logits, terms = losses(model, images, classes)
    total(terms).backward()
    out["train/logits"] = logits.detach().numpy()
    out["train/cue_norms"], out["train/cue_samples"] = summary({"train/cue": nhwc(cue)})
    out["train/losses"] = np.array([terms[name].item() for name in ("classification", "cue", "triplet")])
    order = sorted(model.parameters)
    out["grad/norms"], out["grad/samples"] = summary({n: model.parameters[n].grad for n in order})
    out["after/norms"], out["after/samples"] = summary({n: model.statistics[n] for n in sorted(model.statistics)})
    return out


def steps(noise, seed):
    """Adam in Keras's form (see README.md) with the L2 penalty's gradient added."""
    torch.manual_seed(seed)
    model, moments, curve = Lgsc(noise), {}, []
    for t in range(1, STEPS + 1):
        images, classes = batch(f"step/{t}")
        for parameter in model.parameters.values():
            parameter.grad = None
        loss = total(losses(model, images, classes)[2])
        loss.backward()
        curve.append(loss.item())
        alpha = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        with torch.no_grad():
            for name, p in model.parameters.items():
                m, v = moments.setdefault(name, (torch.zeros_like(p), torch.zeros_like(p)))
                g = p.grad + DECAY * p
                m += (g - m) * 0.1
                v += (g * g - v) * 0.001
                p -= alpha * m / (v.sqrt() + 1e-7)
    return {"steps/losses": np.array(curve)}


def distance(exact, other):
    """The largest relative distance of any array, the rows of samples each by itself."""
    worst = 0.0
    for name, value in exact.items():
        rows, others = (x.reshape(len(x), -1) for x in (value, other[name]))
        apart = np.linalg.norm(rows - others, axis=1) / np.linalg.norm(rows, axis=1)
        worst = max(worst, float(np.max(apart)))
    return worst


def well_conditioned(limit, draws=3):
    for formula.salt in range(200):
        start.cache_clear()
        exact, worst = one_pass(0.0, 0), 0.0
        for seed in range(draws):
            worst = max(worst, distance(exact, one_pass(NOISE, seed)))
            if worst > limit:
                break
        print(f"salt {formula.salt}: {worst:.1e}", flush=True)
        if worst <= limit:
            exact["salt"] = np.array([formula.salt], np.int64)
            return exact
    raise RuntimeError("no salt is well-conditioned")


if __name__ == "__main__":
    torch.set_num_threads(1)
    exact = well_conditioned(float(sys.argv[1]) if len(sys.argv) > 1 else 1e-4)
    print(f"losses {exact['train/losses']}", flush=True)
    curve = steps(0.0, 0)["steps/losses"]
    moved = max(float(np.max(np.abs(steps(NOISE, seed)["steps/losses"] / curve - 1))) for seed in range(2))
    print(f"steps {np.round(curve, 4)}, noise changes them by {moved:.1e}")
    exact |= {"steps/losses": curve, "steps/rate": np.array([RATE]), "steps/tolerance": np.array([max(1e-4, 10 * moved)])}
    print(f"{save('lgsc.npz', exact)} bytes")
