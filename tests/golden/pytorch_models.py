"""LivenessNet and the three AttackNets in PyTorch, with the layer names and conventions of their Keras origin.

Inputs are N x H x W x C as everywhere in Liven; inside, PyTorch sees N x C x H x W. Conventions taken from Keras:
batch-norm eps 1e-3 and momentum 0.99 (PyTorch's momentum 0.01), LeakyReLU slope 0.2, flattening in the order H, W, C.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

SLOPE = 0.2


def batch_norm(channels, flat=False):
    kind = nn.BatchNorm1d if flat else nn.BatchNorm2d
    return kind(channels, eps=1e-3, momentum=0.01)


class FaceNet(nn.Module):
    """What the four share: the dense half, the record of each layer's output, and parameters by Keras name."""

    def __init__(self, height, width, flat_channels, hidden, dense_name, dropout):
        super().__init__()
        self.dropout = dropout
        self.dense_name = dense_name
        setattr(self, dense_name, nn.Linear((height // 4) * (width // 4) * flat_channels, hidden))
        self.bn_dense = batch_norm(hidden, flat=True)
        self.output = nn.Linear(hidden, 2)
        self.layers = None  # a dict here makes forward() fill it, N x H x W x C
        self.noise = 0.0  # relative disturbance of every layer's output, to find out how much rounding matters

    def note(self, name, x):
        if self.noise:
            x = x * (1 + self.noise * torch.randn_like(x))
        if self.layers is not None:
            self.layers[name] = x.permute(0, 2, 3, 1) if x.dim() == 4 else x
        return x

    def drop(self, x, rate):
        return F.dropout(x, rate, self.training) if rate > 0 else x

    def forward(self, images):
        x = images.permute(0, 3, 1, 2)
        x = self.phase(self.phase(x, 1), 2)
        x = self.note("flatten", x.permute(0, 2, 3, 1).flatten(1))
        x = self.note("bn_dense", self.bn_dense(self.bottleneck(x)))
        return self.note("output", self.output(self.drop(x, self.dropout)))

    def keras_parameters(self):
        """name -> (tensor of this module, permutation from PyTorch's axes to Keras's)."""
        found = {}
        for name, layer in self.named_children():
            if isinstance(layer, nn.Conv2d):
                found[f"{name}/kernel"] = (layer.weight, (2, 3, 1, 0))  # OIHW -> HWIO
                found[f"{name}/bias"] = (layer.bias, (0,))
            elif isinstance(layer, nn.Linear):
                found[f"{name}/kernel"] = (layer.weight, (1, 0))
                found[f"{name}/bias"] = (layer.bias, (0,))
            else:
                for keras, ours in (("gamma", layer.weight), ("beta", layer.bias),
                                    ("moving_mean", layer.running_mean), ("moving_variance", layer.running_var)):
                    found[f"{name}/{keras}"] = (ours, (0,))
        return found


class LivenessNet(FaceNet):
    def __init__(self, height, width, dropout=0.0):
        super().__init__(height, width, 32, 64, "dense1", dropout)
        for p, (inputs, filters) in enumerate(((3, 16), (16, 32)), 1):
            setattr(self, f"conv{p}_1", nn.Conv2d(inputs, filters, 3, padding=1))
            setattr(self, f"bn{p}_1", batch_norm(filters))
            setattr(self, f"conv{p}_2", nn.Conv2d(filters, filters, 3, padding=1))
            setattr(self, f"bn{p}_2", batch_norm(filters))

    def phase(self, x, p):
        for i in (1, 2):
            x = self.note(f"conv{p}_{i}", getattr(self, f"conv{p}_{i}")(x))
            x = self.note(f"relu{p}_{i}", F.relu(x))
            x = self.note(f"bn{p}_{i}", getattr(self, f"bn{p}_{i}")(x))
        return self.drop(self.note(f"maxpool{p}", F.max_pool2d(x, 2)), self.dropout * 0.5)

    def bottleneck(self, x):
        return self.note("dense1", F.relu(self.dense1(x)))


class AttackNet(FaceNet):
    """join is 'concat' (V1, V2.1) or 'add' (V2.2)."""

    def __init__(self, height, width, join, dense_name, pool_dropout, dropout):
        super().__init__(height, width, 64 if join == "concat" else 32, 128, dense_name, dropout)
        self.join = join
        self.pool_dropout = pool_dropout
        inputs = 3
        for p, filters in ((1, 16), (2, 32)):
            joined = 2 * filters if join == "concat" else filters
            setattr(self, f"conv{p}_1", nn.Conv2d(inputs, filters, 3, padding=1))
            setattr(self, f"bn{p}_1", batch_norm(filters))
            setattr(self, f"conv{p}_2", nn.Conv2d(filters, filters, 3, padding=1))
            setattr(self, f"conv{p}_3", nn.Conv2d(filters, filters, 3, padding=1))
            setattr(self, f"bn{p}_final", batch_norm(joined))
            inputs = joined

    def phase(self, x, p):
        y = self.note(f"conv{p}_1", getattr(self, f"conv{p}_1")(x))
        t = self.note(f"leaky_relu{p}_1", F.leaky_relu(y, SLOPE))
        t = self.note(f"bn{p}_1", getattr(self, f"bn{p}_1")(t))
        t = self.note(f"conv{p}_2", getattr(self, f"conv{p}_2")(t))
        t = self.note(f"leaky_relu{p}_2", F.leaky_relu(t, SLOPE))
        t = self.note(f"conv{p}_3", getattr(self, f"conv{p}_3")(t))
        z = self.note(f"leaky_relu{p}_3", F.leaky_relu(t, SLOPE))
        joined = torch.cat([y, z], 1) if self.join == "concat" else y + z
        joined = self.note(f"{self.join}{p}", joined)
        t = self.note(f"bn{p}_final", getattr(self, f"bn{p}_final")(joined))
        return self.drop(self.note(f"maxpool{p}", F.max_pool2d(t, 2)), self.pool_dropout)

    def bottleneck(self, x):
        if self.dense_name == "dense1":
            return self.note("dense1", torch.tanh(self.dense1(x)))
        return self.note("tanh_activation", torch.tanh(self.note(self.dense_name, getattr(self, self.dense_name)(x))))


MODELS = {
    "livenessnet": lambda h, w, d=0.0: LivenessNet(h, w, d),
    "attacknet-v1": lambda h, w, d=0.0: AttackNet(h, w, "concat", "dense1", d * 0.5, d),
    "attacknet-v2.1": lambda h, w, d=0.0: AttackNet(h, w, "concat", "dense1_linear", d, d),
    "attacknet-v2.2": lambda h, w, d=0.0: AttackNet(h, w, "add", "dense1", d * 0.5, d),
}

# All parameters, running statistics included, at 256 x 256 x 3 (table 13 of Kuznetsov et al. 2026).
PUBLISHED_COUNTS = {
    "livenessnet": 8_406_098,
    "attacknet-v1": 33_588_738,
    "attacknet-v2.1": 33_588_738,
    "attacknet-v2.2": 16_806_722,
}
