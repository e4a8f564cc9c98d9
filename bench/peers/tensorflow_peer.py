#!/usr/bin/env python3
"""TensorFlow with a Keras model: one tf.function a step (graph), that through XLA, or Keras's own train_on_batch."""
from __future__ import annotations

import os
from collections.abc import Callable

import models
import peer


class TensorFlow:
    engine = "tensorflow"
    modules = ("tensorflow", "keras")
    variants = ("graph", "xla", "keras", "graph" + peer.KEPT)
    models = (*models.FACE_CNNS, *models.RESNETS)
    modes = ("train", "infer")

    def load(self, task: peer.Task) -> str:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
        import tensorflow as tf
        tf.config.threading.set_intra_op_parallelism_threads(task.threads)
        # Two operations side by side share the threads; one alone leaves them idle at its end.
        tf.config.threading.set_inter_op_parallelism_threads(min(2, task.threads))
        tf.random.set_seed(0)
        return tf.__version__

    def build(self, task: peer.Task) -> Callable[[], object]:
        import keras
        import tensorflow as tf
        from keras_networks import MODELS
        model = MODELS[task.model](task.size, task.dropout)
        images = tf.random.uniform((task.batch, task.size, task.size, 3))
        labels = tf.random.uniform((task.batch,), maxval=2, dtype=tf.int32)
        xla = task.flavour == "xla"
        if not task.train:
            infer = tf.function(lambda: model(images, training=False), jit_compile=xla)
            return lambda: infer().numpy()
        adam = keras.optimizers.Adam(1e-4)
        loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if task.flavour == "keras":
            model.compile(optimizer=adam, loss=loss_of, jit_compile=False)
            return lambda: model.train_on_batch(images, labels)
        adam.build(model.trainable_variables)

        @tf.function(jit_compile=xla)
        def step() -> tf.Tensor:
            with tf.GradientTape() as tape:
                loss = loss_of(labels, model(images, training=True))
            adam.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
            return loss

        return lambda: step().numpy()


PEER = TensorFlow()

if __name__ == "__main__":
    peer.main(PEER)
