#!/usr/bin/env python3
"""Writes ops_*.npz: operations whose meaning could be doubted, as PyTorch computes them in float64 (see README.md).

Names inside are <case>/<array>, with oneDNN's words: src, weights, bias, dst and their gradients diff_src, ... for the
given diff_dst. Images are N x H x W x C, convolution weights H x W x I x O, matrices as in y = x W (in x out).
"""
import os

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(2026)


def normal(*shape, scale=1.0, shift=0.0):
    """float64 values that float32 holds exactly, as a leaf that wants a gradient."""
    values = (rng.normal(size=shape) * scale + shift).astype(np.float32)
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def numpy(value):
    value = value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    if value.dtype == np.float64:
        return np.ascontiguousarray(value, dtype=np.float32)
    return np.ascontiguousarray(value, dtype=np.int64)


def put(out, case, **arrays):
    for name, value in arrays.items():
        out[f"{case}/{name}"] = numpy(value)


def backward(out, case, dst, **leaves):
    """Draws diff_dst, stores dst, diff_dst and each leaf with its gradient."""
    diff_dst = normal(*dst.shape).detach()
    for leaf in leaves.values():
        leaf.grad = None
    dst.backward(diff_dst)
    put(out, case, dst=dst, diff_dst=diff_dst)
    for name, leaf in leaves.items():
        put(out, case, **{name: leaf, f"diff_{name}": leaf.grad})


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def save(file, out):
    path = os.path.join(HERE, file)
    np.savez(path, **out)
    print(file, os.path.getsize(path), "bytes,", len(out), "arrays")


def norms():
    out = {}
    eps = 1e-3
    for case, shift, scale in (("batch_norm_train", 0.0, 1.0), ("batch_norm_train_far", 100.0, 0.5)):
        x, gamma, beta = normal(3, 5, 7, 6, scale=scale, shift=shift), normal(6, shift=1, scale=0.3), normal(6)
        mean, variance = normal(6).detach(), normal(6).detach().abs() + 0.5
        new_mean, new_variance = mean.clone(), variance.clone()
        y = nhwc(F.batch_norm(nchw(x), new_mean, new_variance, gamma, beta, True, 0.01, eps))
        backward(out, case, y, src=x, gamma=gamma, beta=beta)
        biased = x.detach().var((0, 1, 2), unbiased=False)
        put(out, case, eps=np.array([eps]), running_mean=mean, running_variance=variance, new_running_mean=new_mean,
            batch_mean=x.detach().mean((0, 1, 2)), batch_variance=biased,
            new_running_variance_keras=variance * 0.99 + biased * 0.01, new_running_variance_pytorch=new_variance)
    x, gamma, beta = normal(3, 5, 7, 6), normal(6, shift=1, scale=0.3), normal(6)
    mean, variance = normal(6).detach(), normal(6).detach().abs() + 0.5
    y = nhwc(F.batch_norm(nchw(x), mean, variance, gamma, beta, False, 0.01, eps))
    backward(out, "batch_norm_eval", y, src=x, gamma=gamma, beta=beta)
    put(out, "batch_norm_eval", eps=np.array([eps]), running_mean=mean, running_variance=variance)
    x, gamma, beta = normal(8, 11), normal(11, shift=1, scale=0.3), normal(11)
    y = F.batch_norm(x, None, None, gamma, beta, True, 0.01, eps)
    backward(out, "batch_norm_train_2d", y, src=x, gamma=gamma, beta=beta)
    x, gamma, beta = normal(2, 5, 7, 6), normal(6, shift=1, scale=0.3), normal(6)
    y = nhwc(F.instance_norm(nchw(x), weight=gamma, bias=beta, eps=1e-5))
    backward(out, "instance_norm", y, src=x, gamma=gamma, beta=beta)
    x, gamma, beta = normal(4, 3, 13), normal(13, shift=1, scale=0.3), normal(13)
    y = F.layer_norm(x, (13,), gamma, beta, 1e-6)
    backward(out, "layer_norm", y, src=x, gamma=gamma, beta=beta)
    save("ops_norm.npz", out)


def activations():
    out = {}
    points = np.array([-100, -30, -10, -5, -2, -1, -0.5, -1e-3, 1e-3, 0.5, 1, 2, 5, 10, 30, 100])
    for case, f in (("gelu_erf", F.gelu), ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh")),
                    ("softplus", lambda x: torch.logaddexp(x, torch.zeros_like(x))), ("tanh", torch.tanh),
                    ("sigmoid", torch.sigmoid), ("leaky_relu", lambda x: F.leaky_relu(x, 0.2))):
        x = torch.tensor(points.astype(np.float32).astype(np.float64), requires_grad=True)
        backward(out, case, f(x), src=x)
    x, slope = normal(2, 3, 4, 5), normal(5, scale=0.2)
    backward(out, "prelu", nhwc(F.prelu(nchw(x), slope)), src=x, slope=slope)
    x = normal(5, 7, scale=8)
    backward(out, "softmax", F.softmax(x, -1), src=x)
    x = normal(5, 7, scale=8)
    backward(out, "log_softmax", F.log_softmax(x, -1), src=x)
    save("ops_activation.npz", out)


def gru_steps(x, h, kernel, recurrent, bias, recurrent_bias, reset_after):
    """The recurrence with Keras's arrays: columns of the weights in gate order z, r, h; y = x W.

    reset_after: the reset gate multiplies (h U + recurrent_bias), as in PyTorch and in Keras by default; without, it
    multiplies h before the product and there is one bias.
    """
    units = h.shape[1]
    z_, r_, h_ = slice(0, units), slice(units, 2 * units), slice(2 * units, 3 * units)
    states = []
    for t in range(x.shape[1]):
        px = x[:, t] @ kernel + bias
        if reset_after:
            ph = h @ recurrent + recurrent_bias
            z, r = torch.sigmoid(px[:, z_] + ph[:, z_]), torch.sigmoid(px[:, r_] + ph[:, r_])
            candidate = torch.tanh(px[:, h_] + r * ph[:, h_])
        else:
            z = torch.sigmoid(px[:, z_] + h @ recurrent[:, z_])
            r = torch.sigmoid(px[:, r_] + h @ recurrent[:, r_])
            candidate = torch.tanh(px[:, h_] + (r * h) @ recurrent[:, h_])
        h = z * h + (1 - z) * candidate
        states.append(h)
    return torch.stack(states, 1)


def gru():
    out = {}
    batch, steps, inputs, units = 3, 5, 6, 7
    for case, reset_after in (("reset_after", True), ("reset_before", False)):
        x, h = normal(batch, steps, inputs), normal(batch, units, scale=0.5)
        kernel, recurrent = normal(inputs, 3 * units, scale=0.4), normal(units, 3 * units, scale=0.4)
        bias, recurrent_bias = normal(3 * units, scale=0.2), normal(3 * units, scale=0.2)
        leaves = dict(src=x, initial_state=h, kernel=kernel, recurrent_kernel=recurrent, bias=bias)
        if reset_after:
            leaves["recurrent_bias"] = recurrent_bias
        dst = gru_steps(x, h, kernel, recurrent, bias, recurrent_bias, reset_after)
        backward(out, case, dst, **leaves)
        if reset_after:
            # The same through torch.nn.GRU, whose rows come in gate order r, z, n: the arrays it would be imported from.
            def rows(columns):
                z, r, n = columns.detach().split(units, -1)
                return torch.cat([r, z, n], -1).T.contiguous() if columns.dim() == 2 else torch.cat([r, z, n], -1)
            layer = torch.nn.GRU(inputs, units, batch_first=True).double()
            with torch.no_grad():
                layer.weight_ih_l0.copy_(rows(kernel))
                layer.weight_hh_l0.copy_(rows(recurrent))
                layer.bias_ih_l0.copy_(rows(bias))
                layer.bias_hh_l0.copy_(rows(recurrent_bias))
            again, _ = layer(x, h.detach()[None])
            assert torch.allclose(again, dst, atol=1e-12)
            put(out, "pytorch", weight_ih_l0=layer.weight_ih_l0, weight_hh_l0=layer.weight_hh_l0,
                bias_ih_l0=layer.bias_ih_l0, bias_hh_l0=layer.bias_hh_l0)
    save("ops_gru.npz", out)


def batch_all_triplet(embeddings, labels, margin):
    """LGSC's loss: rows made unit length, Euclidean distances, anchor and positive bona fide (class 0), negative an
    attack; the sum over triplets by the number of those with a positive term. sqrt has gradient 0 at distance 0."""
    unit = embeddings / torch.sqrt((embeddings * embeddings).sum(1, keepdim=True) + 1e-10)
    square = ((unit[:, None] - unit[None]) ** 2).sum(-1)
    zero = square == 0
    distance = torch.where(zero, torch.zeros_like(square), torch.sqrt(torch.where(zero, torch.ones_like(square), square)))
    live, spoof = np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)
    terms = [distance[a, p] - distance[a, n] + margin for a in live for p in live if a != p for n in spoof]
    terms = torch.clamp(torch.stack(terms), min=0)
    return terms.sum() / ((terms > 0).sum() + 1e-16)


def losses():
    out = {}

    def scalar(case, loss, **leaves):
        for leaf in leaves.values():
            leaf.grad = None
        loss.backward()
        put(out, case, loss=loss.reshape(1))
        for name, leaf in leaves.items():
            put(out, case, **{name: leaf, f"diff_{name}": leaf.grad})

    classes = torch.tensor([0, 2, 1, 1, 0, 2])
    weights = torch.tensor(np.array([0.5, 2.0, 1.25]), dtype=torch.float64)
    for case, options in (("cross_entropy", {}), ("cross_entropy_smoothing", {"label_smoothing": 0.1})):
        x = normal(6, 3, scale=3)
        scalar(case, F.cross_entropy(x, classes, **options), logits=x)
        put(out, case, classes=classes)
    # A mask of zeros leaves rows out; the mean is over what is left. Weights: see README.md for the two conventions.
    mask = torch.tensor([1, 0, 1, 1, 0, 1])
    x = normal(6, 3, scale=3)
    left = torch.where(mask == 1, classes, torch.full_like(classes, -100))
    scalar("cross_entropy_mask", F.cross_entropy(x, left, label_smoothing=0.1), logits=x)
    put(out, "cross_entropy_mask", classes=classes, mask=mask)
    x = normal(6, 3, scale=3)
    scalar("cross_entropy_weights_pytorch",
           F.cross_entropy(x, left, weight=weights, label_smoothing=0.1), logits=x)
    put(out, "cross_entropy_weights_pytorch", classes=classes, mask=mask, weights=weights)
    x = normal(6, 3, scale=3)
    rows = F.cross_entropy(x, classes, label_smoothing=0.1, reduction="none") * weights[classes]
    scalar("cross_entropy_weights_keras", (rows * mask).sum() / mask.sum(), logits=x)
    put(out, "cross_entropy_weights_keras", classes=classes, mask=mask, weights=weights)
    x = torch.tensor([[200.0, -200.0], [-90.0, 90.0], [0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    scalar("cross_entropy_extreme", F.cross_entropy(x, torch.tensor([1, 1, 0])), logits=x)
    put(out, "cross_entropy_extreme", classes=np.array([1, 1, 0]))
    x = torch.tensor([-200.0, -20.0, -1.0, 0.0, 0.5, 3.0, 40.0, 200.0], dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([1.0, 0.0, 0.25, 1.0, 0.0, 1.0, 1.0, 0.0], dtype=torch.float64)
    scalar("bce_with_logits", F.binary_cross_entropy_with_logits(x, targets), logits=x)
    put(out, "bce_with_logits", targets=targets)
    x, y = normal(4, 5, scale=2), normal(4, 5, scale=2).detach()
    scalar("huber", F.huber_loss(x, y, delta=0.75), src=x)
    put(out, "huber", target=y, delta=np.array([0.75]))
    x, y = normal(4, 5), normal(4, 5).detach()
    scalar("mse", F.mse_loss(x, y), src=x)
    put(out, "mse", target=y)
    x, y = normal(4, 5), normal(4, 5).detach()
    scalar("l1", F.l1_loss(x, y), src=x)
    put(out, "l1", target=y)
    labels = np.array([0, 1, 0, 0, 1, 1, 0])
    values = normal(7, 6).detach()
    values[3] = values[0]  # a bona fide pair at distance zero, where sqrt has no derivative
    x = values.clone().requires_grad_()
    scalar("triplet", batch_all_triplet(x, labels, 0.5), embeddings=x)
    put(out, "triplet", classes=labels, margin=np.array([0.5]))
    save("ops_loss.npz", out)


def optimisers():
    out = {}
    steps = 5
    start = normal(9).detach()
    gradients = [normal(9, scale=10.0 ** -k).detach() for k in range(steps)]  # from 1 to 1e-4: eps begins to matter
    put(out, "all", start=start, gradients=torch.stack(gradients))

    def torch_case(case, make):
        p = start.clone().requires_grad_()
        optimiser = make([p])
        path = []
        for gradient in gradients:
            p.grad = gradient.clone()
            optimiser.step()
            path.append(p.detach().clone())
        put(out, case, path=torch.stack(path))

    def keras_case(case, step):
        p, state, path = start.clone(), {}, []
        for t, gradient in enumerate(gradients, 1):
            p = step(p, gradient, state, t)
            path.append(p.clone())
        put(out, case, path=torch.stack(path))

    o = torch.optim
    torch_case("sgd", lambda p: o.SGD(p, lr=0.1))
    torch_case("sgd_momentum", lambda p: o.SGD(p, lr=0.1, momentum=0.9))
    torch_case("sgd_nesterov", lambda p: o.SGD(p, lr=0.1, momentum=0.9, nesterov=True))
    torch_case("sgd_nesterov_l2", lambda p: o.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01))
    torch_case("adam_pytorch", lambda p: o.Adam(p, lr=0.01, eps=1e-4))
    torch_case("adam_pytorch_l2", lambda p: o.Adam(p, lr=0.01, eps=1e-4, weight_decay=0.05))
    torch_case("adamw_pytorch", lambda p: o.AdamW(p, lr=0.01, eps=1e-4, weight_decay=0.05))

    def keras_adam(p, g, state, t, decay=0.0):
        p = p - 0.01 * decay * p
        m = state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * g
        v = state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * g * g
        return p - 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (torch.sqrt(v) + 1e-4)

    def keras_nesterov(p, g, state, t):
        v = state["v"] = 0.9 * state.get("v", 0.0) - 0.1 * g
        return p + 0.9 * v - 0.1 * g

    keras_case("adam_keras", keras_adam)
    keras_case("adamw_keras", lambda p, g, s, t: keras_adam(p, g, s, t, decay=0.05))
    keras_case("sgd_nesterov_keras", keras_nesterov)

    for case, limit in (("clip_by_norm_active", 1.5), ("clip_by_norm_idle", 50.0)):
        leaves = [normal(3, 4), normal(5), normal(2, 2, 2)]
        for leaf in leaves:
            leaf.grad = leaf.detach().clone()
        before = [leaf.grad.clone() for leaf in leaves]
        norm = torch.nn.utils.clip_grad_norm_(leaves, limit)
        keras = [g * min(1.0, limit / norm.item()) for g in before]
        put(out, case, limit=np.array([limit]), norm=norm.reshape(1))
        for i, (g, leaf, k) in enumerate(zip(before, leaves, keras)):
            put(out, case, **{f"gradient{i}": g, f"pytorch{i}": leaf.grad, f"keras{i}": k})
    save("ops_optimiser.npz", out)


def resizes():
    out = {}
    for case, mode, source, target in (
            ("nearest_x2", "nearest-exact", (3, 5), (6, 10)), ("nearest_odd", "nearest-exact", (5, 7), (8, 4)),
            ("nearest_down", "nearest-exact", (9, 8), (4, 3)), ("bilinear_x2", "bilinear", (3, 5), (6, 10)),
            ("bilinear_odd", "bilinear", (5, 7), (8, 4)), ("bilinear_down", "bilinear", (9, 8), (4, 3)),
            ("bilinear_one", "bilinear", (1, 1), (3, 2))):
        x = normal(2, *source, 3)
        options = {} if mode == "nearest-exact" else {"align_corners": False, "antialias": False}
        backward(out, case, nhwc(F.interpolate(nchw(x), size=target, mode=mode, **options)), src=x)
    save("ops_resize.npz", out)


def convolutions():
    out = {}
    cases = (  # name, input, kernel HWIO, stride, dilation, padding (top, bottom, left, right), groups
        ("same_3x3", (2, 7, 6, 3), (3, 3, 3, 5), (1, 1), (1, 1), (1, 1, 1, 1), 1),
        ("keras_same_stride_2_even", (2, 8, 6, 3), (3, 3, 3, 4), (2, 2), (1, 1), (0, 1, 0, 1), 1),
        ("keras_same_stride_2_odd", (2, 7, 9, 3), (3, 3, 3, 4), (2, 2), (1, 1), (1, 1, 1, 1), 1),
        ("keras_same_7x7_stride_2", (1, 10, 12, 3), (7, 7, 3, 4), (2, 2), (1, 1), (2, 3, 2, 3), 1),
        ("symmetric_stride_2_even", (2, 8, 6, 3), (3, 3, 3, 4), (2, 2), (1, 1), (1, 1, 1, 1), 1),
        ("lopsided", (1, 6, 5, 2), (3, 2, 2, 3), (1, 2), (1, 1), (2, 0, 1, 3), 1),
        ("dilation", (1, 9, 10, 3), (3, 3, 3, 4), (1, 1), (2, 3), (2, 2, 3, 3), 1),
        ("dilation_stride", (1, 11, 9, 2), (3, 3, 2, 3), (2, 2), (2, 2), (1, 2, 0, 1), 1),
        ("pad_bottom_right_2x2", (2, 6, 6, 3), (2, 2, 3, 4), (1, 1), (1, 1), (0, 1, 0, 1), 1),
        ("pointwise_stride_2", (2, 5, 6, 4), (1, 1, 4, 3), (2, 2), (1, 1), (0, 0, 0, 0), 1),
        ("depthwise", (2, 6, 7, 5), (3, 3, 1, 5), (1, 1), (1, 1), (1, 1, 1, 1), 5),
        ("depthwise_stride_2", (2, 8, 7, 5), (3, 3, 1, 5), (2, 2), (1, 1), (0, 1, 1, 1), 5),
        ("depthwise_multiplier_2", (1, 5, 6, 3), (3, 3, 1, 6), (1, 1), (1, 1), (1, 1, 1, 1), 3),
        ("groups_2", (1, 6, 5, 4), (3, 3, 2, 6), (1, 1), (1, 1), (1, 1, 1, 1), 2))
    for case, source, kernel, stride, dilation, padding, groups in cases:
        x, weights = normal(*source), normal(*kernel, scale=0.5)
        top, bottom, left, right = padding
        padded = F.pad(nchw(x), (left, right, top, bottom))
        y = F.conv2d(padded, weights.permute(3, 2, 0, 1), None, stride, 0, dilation, groups)
        backward(out, case, nhwc(y), src=x, weights=weights)
        put(out, case, stride=np.array(stride), dilation=np.array(dilation), padding=np.array(padding),
            groups=np.array([groups]))
    save("ops_conv.npz", out)


def pools():
    out = {}
    for case, size, stride, padding, ceil in (("max_2", 2, 2, 0, False), ("max_3_stride_2", 3, 2, 1, False),
                                              ("max_3_stride_2_ceil", 3, 2, 0, True)):
        x = normal(2, 7, 8, 3)
        y = nhwc(F.max_pool2d(nchw(x), size, stride, padding, ceil_mode=ceil))
        backward(out, case, y, src=x)
        put(out, case, size=np.array([size]), stride=np.array([stride]), padding=np.array([padding]),
            ceil=np.array([int(ceil)]))
    for case, size, stride, padding, ceil, include in (
            ("avg_2", 2, 2, 0, False, False), ("avg_3_include_pad", 3, 2, 1, False, True),
            ("avg_3_exclude_pad", 3, 2, 1, False, False), ("avg_3_ceil_exclude_pad", 3, 2, 1, True, False)):
        x = normal(2, 7, 8, 3)
        y = nhwc(F.avg_pool2d(nchw(x), size, stride, padding, ceil_mode=ceil, count_include_pad=include))
        backward(out, case, y, src=x)
        put(out, case, size=np.array([size]), stride=np.array([stride]), padding=np.array([padding]),
            ceil=np.array([int(ceil)]), count_include_pad=np.array([int(include)]))
    save("ops_pool.npz", out)


if __name__ == "__main__":
    torch.set_num_threads(1)
    norms()
    activations()
    gru()
    losses()
    optimisers()
    resizes()
    convolutions()
    pools()
