"""The spoof-cue U-Net in PyTorch: encoder, decoder, auxiliary classifier, its three losses."""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch_resnet import ResNet, trunk18


class NormedConv(nn.Sequential):
    def __init__(self, inputs: int, filters: int, kernel: int, padding: int = 0) -> None:
        super().__init__(nn.Conv2d(inputs, filters, kernel, padding=padding, bias=False),
                         nn.InstanceNorm2d(filters, affine=True))


class CueBlock(nn.Module):
    def __init__(self, inputs: int, filters: int) -> None:
        super().__init__()
        self.first, self.second = NormedConv(inputs, filters, 3, 1), NormedConv(filters, filters, 3, 1)
        self.shortcut = nn.Identity() if inputs == filters else NormedConv(inputs, filters, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class CueStep(nn.Module):
    def __init__(self, inputs: int, up: int, skip: int, filters: int) -> None:
        super().__init__()
        self.up = NormedConv(inputs, up, 2)
        self.main = nn.Sequential(CueBlock(up + skip, filters), CueBlock(filters, filters))
        self.side = NormedConv(up + skip, filters, 1)

    def forward(self, x: torch.Tensor, skip: torch.Tensor | None) -> torch.Tensor:
        x = F.relu(self.up(F.pad(F.interpolate(x, scale_factor=2.0, mode="nearest"), (0, 1, 0, 1))))
        x = x if skip is None else torch.cat([x, skip], 1)
        return self.main(x) + self.side(x)


def triplet(feature: torch.Tensor, labels: torch.Tensor, margin: float = 0.5) -> torch.Tensor:
    """All anchors and positives bona fide, all negatives attacks; mean over the triplets that still cost something."""
    x = F.normalize(feature.mean((2, 3)), eps=1e-10)
    distance = (2 - 2 * x @ x.T).clamp_min(1e-12).sqrt()
    live = labels == 0
    anchors = distance[live]
    positive, negative = anchors[:, live], anchors[:, ~live]
    cost = F.relu(positive[:, :, None] - negative[:, None, :] + margin)
    cost = cost * (1 - torch.eye(len(positive)))[:, :, None]
    return cost.sum() / ((cost > 0).sum() + 1e-16)


class Lgsc(nn.Module):
    """In training cue, features and the auxiliary logits; at inference the cue alone."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.encoder = trunk18()
        self.steps = nn.ModuleList([CueStep(512, 256, 256, 256), CueStep(256, 128, 128, 128), CueStep(128, 64, 64, 64),
                                    CueStep(64, 64, 64, 64), CueStep(64, 64, 0, 3)])
        self.auxiliary = ResNet(trunk18(), dropout)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...] | torch.Tensor:
        e = self.encoder(images)
        features = [e[-1]]
        for step, skip in zip(self.steps, [*e[-2::-1], None]):
            features.append(step(features[-1], skip))
        cue = torch.tanh(features.pop())
        return (self.auxiliary(images + cue), cue, *features) if self.training else cue

    @staticmethod
    def loss(outputs: tuple[torch.Tensor, ...], labels: torch.Tensor) -> torch.Tensor:
        logits, cue, *features = outputs
        live = (labels == 0).float()
        regression = (cue.float().abs().mean((1, 2, 3)) * live).sum() / live.sum().clamp_min(1)
        return (5 * F.cross_entropy(logits.float(), labels) + 5 * regression +
                sum(triplet(feature.float(), labels) for feature in features))
