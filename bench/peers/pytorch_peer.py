#!/usr/bin/env python3
"""PyTorch: channels-last, contiguous, compiled (channels-last) and in bf16 by autocast (channels-last)."""
from __future__ import annotations

from collections.abc import Callable

import models
import peer


class PyTorch:
    engine = "pytorch"
    modules = ("torch",)
    variants = ("channels_last", "contiguous", "compiled", "bf16", "channels_last" + peer.KEPT, "compiled" + peer.KEPT,
                "bf16" + peer.KEPT)
    models = tuple(models.MODELS)
    modes = ("train", "infer")

    def load(self, task: peer.Task) -> str:
        import torch
        torch.set_num_threads(task.threads)
        torch.set_flush_denormal(True)
        torch.manual_seed(0)
        return torch.__version__

    def build(self, task: peer.Task) -> Callable[[], object]:
        import torch
        from torch_networks import MODELS, loss_of
        layout = torch.contiguous_format if task.flavour == "contiguous" else torch.channels_last
        model = MODELS[task.model](task.size, task.dropout).to(memory_format=layout).train(task.train)
        images = torch.rand(models.MODELS[task.model].shape(task.batch, task.size))
        if images.dim() == 4:
            images = images.to(memory_format=layout)
        labels = torch.arange(task.batch) % 2
        run = torch.compile(model) if task.flavour == "compiled" else model
        bf16 = task.flavour == "bf16"

        def outputs() -> torch.Tensor:
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                return run(images)

        if not task.train:
            return torch.inference_mode()(outputs)
        adam = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

        def step() -> None:
            adam.zero_grad(set_to_none=True)
            loss_of(model, outputs(), labels).backward()
            adam.step()

        return step


PEER = PyTorch()

if __name__ == "__main__":
    peer.main(PEER)
