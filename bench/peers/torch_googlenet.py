"""GoogLeNet in PyTorch, with torchvision's layers: batch-norm behind every convolution, 3x3 kernels for the paper's 5x5."""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class Unit(nn.Module):
    def __init__(self, inputs: int, filters: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, filters, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(filters, eps=1e-3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.bn(self.conv(x)), inplace=True)


class Inception(nn.Module):
    """Four branches side by side: 1x1; 1x1 and 3x3; 1x1 and "5x5"; pool and 1x1."""

    def __init__(self, inputs: int, one: int, three_reduced: int, three: int, five_reduced: int, five: int,
                 pooled: int) -> None:
        super().__init__()
        self.one = Unit(inputs, one, 1)
        self.three = nn.Sequential(Unit(inputs, three_reduced, 1), Unit(three_reduced, three, 3))
        self.five = nn.Sequential(Unit(inputs, five_reduced, 1), Unit(five_reduced, five, 3))
        self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), Unit(inputs, pooled, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pooled(x)], 1)


class Auxiliary(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv, self.fc1, self.drop, self.fc2 = Unit(inputs, 128, 1), nn.Linear(2048, 1024), nn.Dropout(0.7), nn.Linear(1024, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(F.adaptive_avg_pool2d(x, 4)).flatten(1)
        return self.fc2(self.drop(F.relu(self.fc1(x))))


class GoogLeNet(nn.Module):
    """In training the logits and those of both auxiliary classifiers; at inference the logits alone."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        half = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.to_4a = nn.Sequential(
            Unit(3, 64, 7, 2), half, Unit(64, 64, 1), Unit(64, 192, 3), half, Inception(192, 64, 96, 128, 16, 32, 32),
            Inception(256, 128, 128, 192, 32, 96, 64), half, Inception(480, 192, 96, 208, 16, 48, 64))
        self.to_4d = nn.Sequential(Inception(512, 160, 112, 224, 24, 64, 64), Inception(512, 128, 128, 256, 24, 64, 64),
                                   Inception(512, 112, 144, 288, 32, 64, 64))
        self.to_5b = nn.Sequential(
            Inception(528, 256, 160, 320, 32, 128, 128), nn.MaxPool2d(2, 2, ceil_mode=True),
            Inception(832, 256, 160, 320, 32, 128, 128), Inception(832, 384, 192, 384, 48, 128, 128))
        self.auxiliary1, self.auxiliary2 = Auxiliary(512), Auxiliary(528)
        self.drop, self.fc = nn.Dropout(dropout), nn.Linear(1024, 2)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...] | torch.Tensor:
        a = self.to_4a(x)
        d = self.to_4d(a)
        logits = self.fc(self.drop(self.to_5b(d).mean((2, 3))))
        return (logits, self.auxiliary1(a), self.auxiliary2(d)) if self.training else logits

    @staticmethod
    def loss(outputs: tuple[torch.Tensor, ...], labels: torch.Tensor) -> torch.Tensor:
        logits, first, second = (F.cross_entropy(each.float(), labels) for each in outputs)
        return logits + 0.3 * (first + second)
