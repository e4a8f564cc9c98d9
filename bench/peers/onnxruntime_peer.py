#!/usr/bin/env python3
"""ONNX Runtime: inference."""
from __future__ import annotations

from collections.abc import Callable

import models
import peer
from export_onnx import exported


class OnnxRuntime:
    engine = "onnxruntime"
    modules = ("onnxruntime", "torch", "onnx")
    variants = ("all_optimizations",)
    models = tuple(models.MODELS)
    modes = ("infer",)

    def load(self, task: peer.Task) -> str:
        import onnxruntime
        self.file = exported(task.model, task.size, task.batch)
        return onnxruntime.__version__

    def build(self, task: peer.Task) -> Callable[[], object]:
        import numpy
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = task.threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        session = onnxruntime.InferenceSession(str(self.file), options, providers=["CPUExecutionProvider"])
        images = numpy.random.default_rng(0).random(models.MODELS[task.model].shape(task.batch, task.size),
                                                 numpy.float32)
        return lambda: session.run(None, {"images": images})


PEER = OnnxRuntime()

if __name__ == "__main__":
    peer.main(PEER)
