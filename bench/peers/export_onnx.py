#!/usr/bin/env python3
"""Writes a network as an ONNX file, for the runtimes that read one: export_onnx.py MODEL SIZE BATCH FILE."""
from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path


def export(model: str, size: int, batch: int, file: str) -> None:
    import models
    import torch
    from torch_networks import MODELS
    torch.manual_seed(0)
    network = MODELS[model](size, 0.0).eval()
    torch.onnx.export(network, (torch.rand(models.MODELS[model].shape(batch, size)),), file, dynamo=False, input_names=["images"],
                      output_names=["outputs"], opset_version=17)


def exported(model: str, size: int, batch: int) -> Path:
    """The file, made by a process of its own so that PyTorch's memory is not counted with the reader's."""
    folder = Path(tempfile.gettempdir()) / "liven-peers"
    folder.mkdir(exist_ok=True)
    file = folder / f"{model}_{size}_{batch}.onnx"
    if not file.exists():
        made = file.with_suffix(".part")
        done = subprocess.run([sys.executable, __file__, model, str(size), str(batch), str(made)], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise ImportError("no ONNX file, the export failed: " + done.stderr.strip().splitlines()[-1])
        made.rename(file)
    return file


if __name__ == "__main__":
    export(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
