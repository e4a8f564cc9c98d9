#!/usr/bin/env python3
"""One training step (or inference) of the four CNNs in PyTorch: the peer that `liven bench` is compared with.

A step is forward, cross entropy, backward and Adam, on random images that are made once. The first steps (--warmup)
are not counted. Prints one JSON object:

    python3 bench/peers/pytorch_step.py --model attacknet-v2.2 --batch 16 --threads 2 --layout channels_last
    {"model": ..., "mode": "train", "batch": 16, "threads": 2, "ms_min": ..., "ms_median": ..., "rss_mb": ...}

rss_mb is the peak resident memory of the whole process, rss_before_mb the share that was there before the model.
Needs PyTorch 2.x; Liven itself never does.
"""
import argparse
import json
import os
import resource
import statistics
import sys
import time


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="attacknet-v2.2",
                        choices=["livenessnet", "attacknet-v1", "attacknet-v2.1", "attacknet-v2.2"])
    parser.add_argument("--mode", default="train", choices=["train", "infer"])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--layout", default="channels_last", choices=["channels_last", "contiguous"])
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--adam", default="fused", choices=["fused", "foreach", "plain"],
                        help="implementation of torch.optim.Adam; fused is its fastest on the CPU")
    parser.add_argument("--compile", action="store_true", help="torch.compile the model (needs a C++ compiler)")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--warmup", type=int, default=3)
    return parser.parse_args()


def peak_rss_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    options = parse()
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    import torch
    import torch.nn.functional as F
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/golden"))
    from pytorch_models import MODELS

    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    before = peak_rss_mb()

    model = MODELS[options.model](options.size, options.size, options.dropout)
    # The model takes N x H x W x C and permutes: contiguous N x H x W x C is channels-last to PyTorch.
    images = torch.rand(options.batch, options.size, options.size, 3)
    if options.layout == "channels_last":
        model = model.to(memory_format=torch.channels_last)
    else:
        images = images.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    labels = torch.randint(0, 2, (options.batch,))
    train = options.mode == "train"
    model.train(train)
    flags = {"fused": {"fused": True}, "foreach": {"foreach": True}, "plain": {"foreach": False}}[options.adam]
    adam = torch.optim.Adam(model.parameters(), lr=1e-4, **flags)
    run = torch.compile(model) if options.compile else model

    def step():
        if not train:
            with torch.inference_mode():
                return run(images)
        adam.zero_grad(set_to_none=True)
        F.cross_entropy(run(images), labels).backward()
        adam.step()

    milliseconds = []
    for i in range(options.warmup + options.steps):
        start = time.perf_counter()
        step()
        if i >= options.warmup:
            milliseconds.append(1e3 * (time.perf_counter() - start))

    print(json.dumps({
        "model": options.model, "mode": options.mode, "batch": options.batch, "size": options.size,
        "threads": options.threads, "layout": options.layout, "compiled": options.compile, "adam": options.adam,
        "torch": torch.__version__, "ms_min": round(min(milliseconds), 2),
        "ms_median": round(statistics.median(milliseconds), 2), "rss_mb": round(peak_rss_mb(), 1),
        "rss_before_mb": round(before, 1)}))


if __name__ == "__main__":
    main()
