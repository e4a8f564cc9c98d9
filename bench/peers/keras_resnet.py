"""Residual networks in Keras, N x H x W x C. Where PyTorch pads both sides of a strided window, `same` pads one: the
arithmetic is the same."""
from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

Block = Callable[[keras.KerasTensor, int, int], keras.KerasTensor]


def conv_norm(x: keras.KerasTensor, filters: int, kernel: int, stride: int = 1) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def joined(x: keras.KerasTensor, y: keras.KerasTensor, stride: int) -> keras.KerasTensor:
    if x.shape[-1] != y.shape[-1] or stride != 1:
        x = conv_norm(x, y.shape[-1], 1, stride)
    return layers.ReLU()(layers.Add()([x, y]))


def excited(x: keras.KerasTensor) -> keras.KerasTensor:
    channels = x.shape[-1]
    scales = layers.Dense(channels // 16, activation="relu", use_bias=False)(layers.GlobalAveragePooling2D()(x))
    scales = layers.Dense(channels, activation="sigmoid", use_bias=False)(scales)
    return layers.Multiply()([x, layers.Reshape((1, 1, channels))(scales)])


def basic(x: keras.KerasTensor, width: int, stride: int) -> keras.KerasTensor:
    return joined(x, conv_norm(layers.ReLU()(conv_norm(x, width, 3, stride)), width, 3), stride)


def se_basic(x: keras.KerasTensor, width: int, stride: int) -> keras.KerasTensor:
    return joined(x, excited(conv_norm(layers.ReLU()(conv_norm(x, width, 3, stride)), width, 3)), stride)


def bottleneck(x: keras.KerasTensor, width: int, stride: int) -> keras.KerasTensor:
    y = layers.ReLU()(conv_norm(layers.ReLU()(conv_norm(x, width, 1)), width, 3, stride))
    return joined(x, conv_norm(y, 4 * width, 1), stride)


def resnet(block: Block, depths: tuple[int, ...]) -> Callable[[int, float], keras.Model]:
    def make(size: int, dropout: float) -> keras.Model:
        images = keras.Input((size, size, 3))
        x = layers.MaxPooling2D(3, 2, padding="same")(layers.ReLU()(conv_norm(images, 64, 7, 2)))
        for i, depth in enumerate(depths):
            for j in range(depth):
                x = block(x, 64 << i, 2 if i and j == 0 else 1)
        x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
        return keras.Model(images, layers.Dense(2)(x))
    return make


MODELS: dict[str, Callable[[int, float], keras.Model]] = {
    "resnet18": resnet(basic, (2, 2, 2, 2)),
    "se-resnet18": resnet(se_basic, (2, 2, 2, 2)),
    "resnet50": resnet(bottleneck, (3, 4, 6, 3)),
}
