"""Residual networks in PyTorch, with torchvision's layers."""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def conv(inputs: int, filters: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, filters, kernel, stride, kernel // 2, bias=False)


def shortcut(inputs: int, filters: int, stride: int) -> nn.Module:
    if inputs == filters and stride == 1:
        return nn.Identity()
    return nn.Sequential(conv(inputs, filters, 1, stride), nn.BatchNorm2d(filters))


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3), nn.BatchNorm2d(width)
        self.shortcut = shortcut(inputs, width, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class SqueezeExcitation(nn.Module):
    """Each channel times what a small network makes of the means of all."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.down = nn.Linear(channels, channels // reduction, bias=False)
        self.up = nn.Linear(channels // reduction, channels, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(self.up(F.relu(self.down(x.mean((2, 3))))))[:, :, None, None]


class SeBasicBlock(BasicBlock):
    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__(inputs, width, stride)
        self.se = SqueezeExcitation(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.se(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(y + self.shortcut(x))


class Bottleneck(nn.Module):
    """v1.5: the 3x3 convolution has the stride."""
    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv(width, 4 * width, 1), nn.BatchNorm2d(4 * width)
        self.shortcut = shortcut(inputs, 4 * width, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(y)))))
        return F.relu(y + self.shortcut(x))


class Trunk(nn.Module):
    """Stem and four stages; gives the maps of all five scales, the stem's before its pool."""

    def __init__(self, block: type[BasicBlock] | type[Bottleneck], depths: tuple[int, ...]) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(3, 64, 7, 2), nn.BatchNorm2d(64)
        self.stages, inputs = nn.ModuleList(), 64
        for i, depth in enumerate(depths):
            width = 64 << i
            blocks = [block(inputs if j == 0 else width * block.expansion, width, 2 if i and j == 0 else 1)
                      for j in range(depth)]
            self.stages.append(nn.Sequential(*blocks))
            inputs = width * block.expansion
        self.channels = inputs

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        at = [F.relu(self.bn1(self.conv1(x)))]
        x = F.max_pool2d(at[0], 3, 2, 1)
        for stage in self.stages:
            x = stage(x)
            at.append(x)
        return at


def trunk18() -> Trunk:
    return Trunk(BasicBlock, (2, 2, 2, 2))


def se_trunk18() -> Trunk:
    return Trunk(SeBasicBlock, (2, 2, 2, 2))


def trunk50() -> Trunk:
    return Trunk(Bottleneck, (3, 4, 6, 3))


class ResNet(nn.Module):
    def __init__(self, trunk: Trunk, dropout: float) -> None:
        super().__init__()
        self.trunk, self.drop, self.fc = trunk, nn.Dropout(dropout), nn.Linear(trunk.channels, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.drop(self.trunk(x)[-1].mean((2, 3))))


class ResNetGru(nn.Module):
    """N x T x 3 x H x W: each frame through ResNet-50, the frames' features through a GRU, its last state beside the mean
    of the features, two fully-connected layers."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.trunk = trunk50()
        self.gru = nn.GRU(2048, 512, batch_first=True)
        self.fc, self.drop, self.output = nn.Linear(2560, 512), nn.Dropout(dropout), nn.Linear(512, 2)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        frames = clips.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        features = self.trunk(frames)[-1].mean((2, 3)).view(clips.shape[0], clips.shape[1], -1)
        last = self.gru(features)[0][:, -1]
        return self.output(self.drop(F.relu(self.fc(torch.cat([last, features.mean(1)], 1)))))
