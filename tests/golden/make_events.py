#!/usr/bin/env python3
"""Writes events.tfevents: what TensorFlow writes for a few scalars, for a comparison of bytes (see README.md).

With a file's name it prints what TensorFlow's reader finds in it.
"""
import os
import sys

import tensorflow as tf
from tensorflow.core.util import event_pb2

EVENTS = [(1700000000.25, 41, {"loss": 0.693, "val_acer": 0.25}), (1700000060.5, 300000, {"learning_rate": 1e-4})]


def write(path):
    with tf.io.TFRecordWriter(path) as writer:
        writer.write(event_pb2.Event(file_version="brain.Event:2").SerializeToString())
        for wall_time, step, scalars in EVENTS:
            event = event_pb2.Event(wall_time=wall_time, step=step)
            for tag, value in scalars.items():
                event.summary.value.add(tag=tag, simple_value=value)
            writer.write(event.SerializeToString(deterministic=True))


def read(path):
    for event in tf.compat.v1.train.summary_iterator(path):
        print(event.wall_time, event.step, event.file_version, {v.tag: v.simple_value for v in event.summary.value})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        read(sys.argv[1])
    else:
        write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "events.tfevents"))
