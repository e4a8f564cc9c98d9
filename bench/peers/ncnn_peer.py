#!/usr/bin/env python3
"""ncnn: inference of one image in float32, Winograd where ncnn chooses it."""
from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import models
import peer


class Ncnn:
    engine = "ncnn"
    modules = ("ncnn", "numpy")
    variants = ("float32",)
    models = models.FACE_CNNS
    modes = ("infer",)

    def load(self, task: peer.Task) -> str:
        import ncnn
        if task.batch != 1:
            raise ImportError("takes one image at a time")
        return ncnn.__version__

    def build(self, task: peer.Task) -> Callable[[], object]:
        import ncnn
        import numpy
        from ncnn_networks import write
        net = ncnn.Net()
        net.opt.num_threads = task.threads
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        with tempfile.TemporaryDirectory() as folder:
            stem = Path(folder) / "model"
            result = write(task.model, task.size, stem)
            net.load_param(str(stem.with_suffix(".param")))
            net.load_model(str(stem.with_suffix(".bin")))
        pixels = numpy.random.default_rng(0).random((3, task.size, task.size), numpy.float32)
        images = ncnn.Mat(pixels).clone()  # a Mat does not keep the array that it lies over alive

        def step() -> object:
            extractor = net.create_extractor()
            extractor.input("images", images)
            status, logits = extractor.extract(result)
            if status != 0 or logits.w != 2:
                raise RuntimeError(f"ncnn: status {status}")
            return logits

        return step


PEER = Ncnn()

if __name__ == "__main__":
    peer.main(PEER)
