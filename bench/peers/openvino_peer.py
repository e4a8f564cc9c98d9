#!/usr/bin/env python3
"""OpenVINO: inference in float32."""
from __future__ import annotations

from collections.abc import Callable

import models
import peer
from export_onnx import exported


class OpenVino:
    engine = "openvino"
    modules = ("openvino", "torch", "onnx")
    variants = ("latency",)
    models = tuple(models.MODELS)
    modes = ("infer",)

    def load(self, task: peer.Task) -> str:
        import openvino
        self.file = exported(task.model, task.size, task.batch)
        return openvino.__version__

    def build(self, task: peer.Task) -> Callable[[], object]:
        import numpy
        import openvino
        compiled = openvino.Core().compile_model(str(self.file), "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": task.threads, "NUM_STREAMS": 1,
            # Where the CPU has bf16, OpenVINO would take it unasked.
            "INFERENCE_PRECISION_HINT": "f32"})
        request = compiled.create_infer_request()
        images = numpy.random.default_rng(0).random(models.MODELS[task.model].shape(task.batch, task.size),
                                                 numpy.float32)
        return lambda: request.infer([images], share_inputs=True, share_outputs=True)


PEER = OpenVino()

if __name__ == "__main__":
    peer.main(PEER)
