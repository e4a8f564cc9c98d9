#!/usr/bin/env python3
"""Writes model_*.npz and curve.npz: what PyTorch makes of the four CNNs (see README.md).

All is computed in float64 from float32 parameters and inputs, then rounded to float32. Some draws of parameters lie so
near a kink (a ReLU at zero, two equal maxima of a pool) that rounding alone changes a gradient by a percent; such a
golden value would test luck. So each case is repeated with every layer's output disturbed by 2e-7, and the first salt
whose results all stay within 3e-5 (2e-4 after the 20 steps of the curve) is taken. Winograd's convolutions disturb ten
times as much now and then: where that met a kink with the first salt, a case must bear as much with ten times the effect.
"""
import os
import sys
import zlib

import numpy as np
import torch
import torch.nn.functional as F

import formula
from pytorch_models import MODELS

HERE = os.path.dirname(os.path.abspath(__file__))
FULL = 600  # arrays of at most so many elements are stored whole
SAMPLES = 64


def load_parameters(model):
    crc = 0
    with torch.no_grad():
        for name, (tensor, axes) in model.keras_parameters().items():
            value = formula.parameter(name, tuple(tensor.shape[a] for a in axes))
            crc = zlib.crc32(np.ascontiguousarray(value).tobytes(), crc)
            tensor.copy_(torch.from_numpy(value).permute(tuple(np.argsort(axes))))
    return crc


def store(out, name, array):
    """Whole when small; else its norm (float64 sum) and SAMPLES entries at hashed places of the flat array."""
    array = np.ascontiguousarray(array)
    if array.size <= FULL:
        out[name] = array.astype(np.float32)
        return
    places = (formula.words(name, SAMPLES) % np.uint64(array.size)).astype(np.int64)
    out[name + "#norm"] = np.array([np.linalg.norm(array.astype(np.float64))], np.float32)
    out[name + "#samples"] = array.reshape(-1)[places].astype(np.float32)
    out[name + "#shape"] = np.array(array.shape, np.int64)


def gradients_of(model):
    found = {}
    for name, (tensor, axes) in model.keras_parameters().items():
        if tensor.grad is not None:
            found[name] = tensor.grad.permute(axes).numpy().copy()
    return found


def biased_variance(before, after, count):
    """Keras 3 moves towards the biased batch variance, PyTorch towards count / (count - 1) times it."""
    return before * 0.99 + (after - before * 0.99) * (count - 1) / count


def run(name, height, width, batch, smoothings, with_layers, noise=0.0, seed=0):
    torch.manual_seed(seed)
    classes = formula.labels("target", batch)
    images = torch.from_numpy(formula.images("input", (batch, height, width, 3), classes)).double()
    out = {}
    model = MODELS[name](height, width)
    out["parameters_crc32"] = np.array([load_parameters(model)], np.int64)
    model = model.double()
    model.noise = noise
    model.layers = {} if with_layers else None
    model.eval()
    with torch.no_grad():
        out["eval/logits"] = model(images).numpy()
    if with_layers:
        for layer, value in model.layers.items():
            store(out, f"eval/layer/{layer}", value.numpy())
    before = {n: t.detach().clone() for n, (t, _) in model.keras_parameters().items() if "moving" in n}
    model.train()
    for k, smoothing in enumerate(smoothings):
        if with_layers:
            model.layers = {}
        model.zero_grad()
        logits = model(images)
        loss = F.cross_entropy(logits, torch.from_numpy(classes), label_smoothing=smoothing)
        loss.backward()
        if k == 0:
            out["train/logits"] = logits.detach().numpy()
            if with_layers:
                for layer, value in model.layers.items():
                    store(out, f"train/layer/{layer}", value.detach().numpy())
            for n, (t, _) in model.keras_parameters().items():
                if n.endswith("moving_mean"):
                    out[f"after/{n}"] = t.numpy().astype(np.float32).copy()
                elif n.endswith("moving_variance"):
                    count = batch if "dense" in n else batch * height * width // (1 if n.startswith("bn1") else 4)
                    out[f"after/{n}"] = biased_variance(before[n], t, count).numpy().astype(np.float32)
                    out[f"after_pytorch/{n}"] = t.numpy().astype(np.float32).copy()
        tag = f"smoothing_{smoothing:g}"
        out[f"{tag}/loss"] = np.array([loss.item()])
        for n, gradient in gradients_of(model).items():
            store(out, f"{tag}/grad/{n}", gradient)
    return out


NOISE, DRAWS = 2e-7, 5


def distance(exact, other):
    """The largest relative distance of any stored array, norm of the difference by norm."""
    worst, where = 0.0, ""
    for name, value in exact.items():
        if value.dtype == np.int64:
            continue
        a, b = value.astype(np.float64), other[name].astype(np.float64)
        d = np.linalg.norm(a - b) / max(np.linalg.norm(a), 1e-30)
        if d > worst:
            worst, where = d, name
    return worst, where


def disturbance(exact, make, noise, limit):
    """How far results stray, over some draws of the noise: infinitely where that is beyond the limit."""
    worst = 0.0
    for seed in range(DRAWS):
        worst = max(worst, distance(exact, make(noise, seed))[0])
        if worst > limit:
            return np.inf
    return worst


def well_conditioned(make, limit, factors=(1,)):
    """make(noise, seed) with the first salt that rounding does not matter to."""
    for formula.salt in range(200):
        exact = make(0.0, 0)
        strayed = [disturbance(exact, make, factor * NOISE, factor * limit) for factor in factors]
        if max(strayed) < np.inf:
            exact["salt"] = np.array([formula.salt], np.int64)
            return exact, strayed[-1]
    raise RuntimeError("no salt is well-conditioned")


def save(file, arrays):
    arrays = {k: v.astype(np.float32) if v.dtype == np.float64 else v for k, v in arrays.items()}
    path = os.path.join(HERE, file)
    np.savez(path, **arrays)
    return os.path.getsize(path)


def models():
    for name in MODELS:
        for height, width in ((32, 32), (48, 40), (34, 38)):
            big = (height, width) == (32, 32)
            if (height, width) == (34, 38) and name != "attacknet-v2.2":
                continue
            smoothings = (0.0, 0.1) if big else (0.1,)
            with_layers = big and name == "attacknet-v2.2"
            factors = (10, 1) if (name, height) == ("attacknet-v1", 48) else (1,)
            exact, worst = well_conditioned(
                lambda noise, seed: run(name, height, width, 4, smoothings, with_layers, noise, seed), 3e-5, factors)
            size = save(f"model_{name}_{height}x{width}.npz", exact)
            print(f"{name} {height}x{width}: {size} bytes, salt {formula.salt}, noise changes it by {worst:.1e}", flush=True)


def keras_adam(parameters, state, step, rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-7):
    alpha = rate * np.sqrt(1 - beta2**step) / (1 - beta1**step)
    with torch.no_grad():
        for p, (m, v) in zip(parameters, state):
            m += (p.grad - m) * (1 - beta1)
            v += (p.grad * p.grad - v) * (1 - beta2)
            p -= alpha * m / (v.sqrt() + epsilon)


def curve(noise=0.0, seed=0, steps=20, size=64, batch=8, rate=1e-4):
    torch.manual_seed(seed)
    model = MODELS["attacknet-v2.2"](size, size)
    load_parameters(model)
    model = model.double().train()
    model.noise = noise
    parameters = list(model.parameters())
    state = [(torch.zeros_like(p), torch.zeros_like(p)) for p in parameters]
    losses = []
    for step in range(1, steps + 1):
        classes = formula.labels(f"curve/target/{step}", batch)
        images = formula.images(f"curve/input/{step}", (batch, size, size, 3), classes)
        model.zero_grad()
        loss = F.cross_entropy(model(torch.from_numpy(images).double()), torch.from_numpy(classes))
        loss.backward()
        keras_adam(parameters, state, step, rate)
        losses.append(loss.item())
    out = {"losses": np.array(losses)}
    for name, (tensor, axes) in model.keras_parameters().items():
        if "moving" not in name:
            store(out, f"final/{name}", tensor.detach().permute(axes).numpy())
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    if "--curve-only" not in sys.argv:
        models()
    if "--models-only" in sys.argv:
        sys.exit()
    exact, worst = well_conditioned(curve, 2e-4)
    print("losses", np.round(exact["losses"], 4))
    print(f"curve: {save('curve.npz', exact)} bytes, salt {formula.salt}, noise changes it by {worst:.1e}")
