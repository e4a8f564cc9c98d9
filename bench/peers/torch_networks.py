"""The networks in PyTorch, N x C x H x W, written as a user of PyTorch would; MODELS names them."""
from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F
from torch_googlenet import GoogLeNet
from torch_lgsc import Lgsc
from torch_resnet import ResNet, ResNetGru, se_trunk18, trunk18, trunk50


def batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def conv(inputs: int, filters: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, filters, 3, padding=1)


class AttackPhase(nn.Module):
    def __init__(self, inputs: int, filters: int, concat: bool, dropout: float) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = conv(inputs, filters), conv(filters, filters), conv(filters, filters)
        self.bn1, self.bn_final = batch_norm(filters), batch_norm(filters * (2 if concat else 1))
        self.concat, self.drop = concat, nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv1(x)
        t = F.leaky_relu(self.conv2(self.bn1(F.leaky_relu(y, 0.2))), 0.2)
        z = F.leaky_relu(self.conv3(t), 0.2)
        return self.drop(F.max_pool2d(self.bn_final(torch.cat([y, z], 1) if self.concat else y + z), 2))


class LivenessBlock(nn.Sequential):
    def __init__(self, inputs: int, filters: int, dropout: float) -> None:
        super().__init__(conv(inputs, filters), nn.ReLU(), batch_norm(filters), conv(filters, filters), nn.ReLU(),
                         batch_norm(filters), nn.MaxPool2d(2), nn.Dropout(dropout))


class Flatten(nn.Module):
    """In the order that needs no copy, whichever way the pixels lie."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x if x.is_contiguous() else x.permute(0, 2, 3, 1)).flatten(1)


def head(features: int, hidden: int, activation: nn.Module, dropout: float) -> list[nn.Module]:
    return [Flatten(), nn.Linear(features, hidden), activation, nn.BatchNorm1d(hidden, eps=1e-3, momentum=0.01),
            nn.Dropout(dropout), nn.Linear(hidden, 2)]


def attacknet(concat: bool, pool_share: float) -> Callable[[int, float], nn.Module]:
    def make(size: int, dropout: float) -> nn.Module:
        wider, pool_dropout = 2 if concat else 1, pool_share * dropout
        return nn.Sequential(AttackPhase(3, 16, concat, pool_dropout),
                             AttackPhase(16 * wider, 32, concat, pool_dropout),
                             *head((size // 4) ** 2 * 32 * wider, 128, nn.Tanh(), dropout))
    return make


def livenessnet(size: int, dropout: float) -> nn.Module:
    return nn.Sequential(LivenessBlock(3, 16, dropout / 2), LivenessBlock(16, 32, dropout / 2),
                         *head((size // 4) ** 2 * 32, 64, nn.ReLU(), dropout))


MODELS: dict[str, Callable[[int, float], nn.Module]] = {
    "livenessnet": livenessnet,
    "attacknet-v1": attacknet(concat=True, pool_share=0.5),
    "attacknet-v2.1": attacknet(concat=True, pool_share=1.0),
    "attacknet-v2.2": attacknet(concat=False, pool_share=0.5),
    "resnet18": lambda size, dropout: ResNet(trunk18(), dropout),
    "se-resnet18": lambda size, dropout: ResNet(se_trunk18(), dropout),
    "googlenet": lambda size, dropout: GoogLeNet(dropout),
    "resnet50": lambda size, dropout: ResNet(trunk50(), dropout),
    "lgsc": lambda size, dropout: Lgsc(dropout),
    "resnet50-gru": lambda size, dropout: ResNetGru(dropout),
}


def loss_of(network: nn.Module, outputs: torch.Tensor | tuple[torch.Tensor, ...], labels: torch.Tensor) -> torch.Tensor:
    """The network's own loss, or the cross entropy of its logits."""
    own = getattr(network, "loss", None)
    return own(outputs, labels) if own else F.cross_entropy(outputs.float(), labels)
