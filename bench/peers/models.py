"""The networks that peers know, and the task each is measured at, without importing a framework."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """What one batch is: images, or clips of so many frames; and how many are a training step's."""
    size: int
    batch: int
    frames: int = 0

    def shape(self, batch: int, size: int) -> tuple[int, ...]:
        """N x C x H x W, or N x T x C x H x W."""
        return (batch, self.frames, 3, size, size) if self.frames else (batch, 3, size, size)


FACE_CNNS = ("attacknet-v1", "attacknet-v2.1", "attacknet-v2.2", "livenessnet")
RESNETS = ("resnet18", "se-resnet18", "resnet50")

MODELS = {name: Model(size=256, batch=16) for name in FACE_CNNS} | {
    "resnet18": Model(size=224, batch=16), "se-resnet18": Model(size=224, batch=16),
    "googlenet": Model(size=224, batch=16), "resnet50": Model(size=224, batch=8), "lgsc": Model(size=224, batch=8),
    "resnet50-gru": Model(size=224, batch=2, frames=5)}
