"""The networks in Keras, N x H x W x C, as their authors published them; MODELS names them."""
from __future__ import annotations

from collections.abc import Callable

import keras
import keras_resnet
from keras import layers


def conv(filters: int) -> layers.Layer:
    return layers.Conv2D(filters, 3, padding="same")


def leaky_relu(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.LeakyReLU(negative_slope=0.2)(x)


def attack_phase(x: keras.KerasTensor, filters: int, concat: bool, dropout: float) -> keras.KerasTensor:
    y = conv(filters)(x)
    t = leaky_relu(conv(filters)(layers.BatchNormalization()(leaky_relu(y))))
    z = leaky_relu(conv(filters)(t))
    joined = layers.Concatenate()([y, z]) if concat else layers.Add()([y, z])
    return layers.Dropout(dropout)(layers.MaxPooling2D()(layers.BatchNormalization()(joined)))


def liveness_block(x: keras.KerasTensor, filters: int, dropout: float) -> keras.KerasTensor:
    for _ in range(2):
        x = layers.BatchNormalization()(layers.ReLU()(conv(filters)(x)))
    return layers.Dropout(dropout)(layers.MaxPooling2D()(x))


def with_head(images: keras.KerasTensor, x: keras.KerasTensor, hidden: int, activation: str,
              dropout: float) -> keras.Model:
    x = layers.BatchNormalization()(layers.Dense(hidden, activation=activation)(layers.Flatten()(x)))
    return keras.Model(images, layers.Dense(2)(layers.Dropout(dropout)(x)))


def attacknet(concat: bool, pool_share: float) -> Callable[[int, float], keras.Model]:
    def make(size: int, dropout: float) -> keras.Model:
        images = keras.Input((size, size, 3))
        x = attack_phase(attack_phase(images, 16, concat, pool_share * dropout), 32, concat, pool_share * dropout)
        return with_head(images, x, 128, "tanh", dropout)
    return make


def livenessnet(size: int, dropout: float) -> keras.Model:
    images = keras.Input((size, size, 3))
    x = liveness_block(liveness_block(images, 16, dropout / 2), 32, dropout / 2)
    return with_head(images, x, 64, "relu", dropout)


MODELS: dict[str, Callable[[int, float], keras.Model]] = {
    "livenessnet": livenessnet,
    "attacknet-v1": attacknet(concat=True, pool_share=0.5),
    "attacknet-v2.1": attacknet(concat=True, pool_share=1.0),
    "attacknet-v2.2": attacknet(concat=False, pool_share=0.5),
    **keras_resnet.MODELS,
}
