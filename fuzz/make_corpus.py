"""Writes the small files from which fuzzing starts: one valid, or nearly valid, file of each kind, and damaged ones.

    python3 fuzz/make_corpus.py

Needs NumPy, Pillow, h5py, OpenCV and PyAV. What the fuzzer found later lies beside them, under names that say what was wrong.
"""

import io
import json
import struct
import tempfile
from pathlib import Path

import av
import cv2
import h5py
import numpy as np
from PIL import Image

CORPUS = Path(__file__).parent / "corpus"


def put(parser, name, content):
    path = CORPUS / parser / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def npy(array, version=(1, 0)):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def npz(compressed, **arrays):
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **arrays)
    return out.getvalue()


def safetensors(tensors, metadata=None):
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    kinds = {"float32": "F32", "float64": "F64", "float16": "F16", "int64": "I64", "uint8": "U8"}
    for name, array in tensors.items():
        raw = array.tobytes()
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": kinds[str(array.dtype)], "shape": list(array.shape), "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def picture(kind, mode="RGB", **options):
    pixels = (np.arange(12 * 10 * 3, dtype=np.uint32) * 37 % 251).astype(np.uint8).reshape(10, 12, 3)
    out = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(out, kind, **options)
    return out.getvalue()


def numbers():
    for i, text in enumerate(["4GB", "512 MB", "1.5GiB", "300000", "1e400", "-1", "0", "9999999999999999999T"]):
        put("byte-count", f"{i}.txt", text)


def arrays():
    small = np.arange(6, dtype=np.float32).reshape(2, 3)
    put("npy", "f32.npy", npy(small))
    put("npy", "version-2.npy", npy(small, (2, 0)))
    put("npy", "fortran-order.npy", npy(np.asfortranarray(small)))
    put("npy", "scalar-f64.npy", npy(np.array(1.5)))
    put("npy", "big-endian.npy", npy(small.astype(">f4")))
    put("npy", "u8-empty.npy", npy(np.zeros((0, 3), np.uint8)))
    put("npy", "cut-off.npy", npy(small)[:-5])
    put("npz", "stored.npz", npz(False, a=small, b=np.arange(3)))
    put("npz", "deflated.npz", npz(True, a=np.zeros((40, 3), np.float32)))
    put("npz", "cut-off.npz", npz(True, a=small)[:-9])


def tensors():
    small = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(0, np.uint8)}
    put("safetensors", "two.safetensors", safetensors(small, {"made": "by hand"}))
    put("safetensors", "f16.safetensors", safetensors({"h": np.ones(4, np.float16)}))
    put("safetensors", "long-header.safetensors", struct.pack("<Q", 1 << 62) + b"{}")
    put("safetensors", "overlap.safetensors", safetensors(small).replace(b"[0, 24]", b"[8, 32]"))
    info = {
        "format": "liven-model-1", "model": "livenessnet", "options": {"dropout": "0.5"}, "input": [8, 8, 3],
        "preprocess": {"width": 8, "height": 8, "interpolation": "area", "colour_order": "rgb", "scale": 0.00392156862745098,
                       "mean": [0, 0, 0], "std": [1, 1, 1], "crop_margin": 0.0},
        "classes": ["bonafide", "attack"], "training": {},
        "threshold": {"value": 0.5, "rule": "none", "bonafide_histogram": [], "attack_histogram": []},
    }
    put("model-file", "no-weights.safetensors", safetensors(small, {"liven": json.dumps(info), "golden/input_seed": "1"}))
    progress = {"step": 8, "optimizer_steps": 8, "forward_count": 9, "epoch": 2, "batch": 0, "rate_factor": 1.0,
                "epoch_loss": 0.0, "epoch_images": 0, "epoch_correct": 0, "stop": ""}
    put("checkpoint", "one.safetensors", safetensors(
        {"model/a": small["a"], "optimizer/a": small["a"], "callback/early_stopping/a": small["a"]},
        {"format": "liven-checkpoint-2", "progress": json.dumps(progress), "isa": "avx2", "numerics": "2",
         "tuning": "none", "data": "0-0-0", "settings": "epochs = 3\n", "callbacks": json.dumps({"early_stopping": {"waited": 1}})}))
    conv = {"conv1.weight": np.zeros((2, 3, 1, 1), np.float32), "layer1.0.conv1.weight": np.zeros((2, 2, 1, 1), np.float32)}
    put("pretrained", "torchvision.safetensors", safetensors(conv))
    put("pretrained", "keras.safetensors", safetensors(
        {"conv1_conv/kernel": np.zeros((1, 1, 3, 2), np.float32)}, {"kernel_layout": "HWIO", "bn_epsilon": "1e-3"}))


def texts():
    put("json", "all.json", '{"a": [1, -2.5e3, true, null, "\\u00e9\\ud83d\\ude00\\n"], "b": {}}')
    put("json", "deep.json", "[" * 400 + "]" * 400)
    put("json", "surrogate.json", '["\\ud83d"]')
    put("json-lines", "log.jsonl", '{"epoch": 1, "loss": 0.5}\n{"epoch": 2, "loss": NaN}\n{"epo')
    put("json-lines", "whole.jsonl", '{"epoch": 1, "loss": 0.5}\n{"epoch": 2, "note": [1, "a"]}\n')
    put("config", "settings.toml", 'model = "livenessnet"\ndata = "faces"\nepochs = 3\nlearning_rate = 1e-3\nmilestones = [5, 8]\nmemory_limit = "4GB"\n'
        'augmentation = "paper-k"\n[model_options]\ndropout = 0.5\n')
    put("config", "dotted.toml", 'model_options.units = 128\nseed = 18446744073709551615\n# comment\nclip_stride = 0x2\n')
    put("manifest", "all-columns.csv",
        "path,label,subject,video,frame,attack_type,dataset,split,box,target,modality,depth_path,mask_path\n"
        "a.png,bonafide,s1,v1,0,,set,train,1 2 30 40,,color,d.png,\n"
        '"b, c.png",attack,s2,v2,7,print,set,test,,s1,,,m.png\n')
    put("manifest", "two-columns.csv", "label,path\nattack,x.jpg\nreal,\"y\"\"z.jpg\"\n")
    put("manifest", "box.csv", "path,label,box\na.png,attack,nan 0 1e30 -5\n")
    put("tuning", "table.txt",
        "liven-tuning 1\n# seconds kernel ISA problem\n0.00123 conv2d_fwd_direct_nhwc_f32 avx512 conv2d 3x3 stride 1x1\n")


def pictures():
    put("image", "rgb.jpg", picture("JPEG", quality=60))
    put("image", "progressive.jpg", picture("JPEG", progressive=True, exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"))
    put("image", "grey.png", picture("PNG", "L"))
    put("image", "palette.png", picture("PNG", "P"))
    put("image", "alpha.png", picture("PNG", "RGBA"))
    put("image", "rgb.bmp", picture("BMP"))
    put("image", "rgb.webp", picture("WEBP"))
    put("image", "rgb.ppm", picture("PPM"))
    put("image", "cut-off.png", picture("PNG")[:-20])
    put("picture-size", "rgb.jpg", picture("JPEG")[:300])
    put("picture-size", "rgb.png", picture("PNG")[:40])


def lists():
    put("face-boxes", "track.face", "0 10 12 80 90\n1 0 0 0 0\n2 11 12 80 90\n")
    put("face-corners", "track.face", "0, 10, 12, 90, 102, 1, 2\n1, 10, 12, 90, 102, 1, 2\n")
    put("eyes", "track.txt", "0,10,20,40,21\n1,0,0,0,0\n")
    put("nuaa", "train.txt", "0001\\0001_00_00_01_0.jpg\r\n0002\\gone.jpg\r\n")
    put("casia-surf", "train.txt",
        "Training/real_part/CLKJ_AS0137/real.rssdk/color/31.jpg Training/real_part/CLKJ_AS0137/real.rssdk/depth/31.jpg "
        "Training/real_part/CLKJ_AS0137/real.rssdk/ir/31.jpg 1\n")
    put("hifimask", "train.txt", "CASIA_HiFiMask/Data/1_05_0_2_6_1 0\nData/2_07_3_1_1_1 1\n")
    put("celeba-spoof", "train.json", json.dumps({"Data/train/1/live/000184.png": [0] * 44, "Data/train/1/spoof/1.png": [1] * 44}))


def hdf5(fill, **options):
    """What a file of `fill` holds, by a path: the library writes to none but files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.hdf5"
        with h5py.File(path, "w", **options) as file:
            fill(file)
        return path.read_bytes()


def recording(file):
    file["Color_Data"] = (np.arange(2 * 3 * 4 * 4) % 251).astype(np.uint8).reshape(2, 3, 4, 4)
    file["Depth_Data"] = np.arange(2 * 4 * 4, dtype=np.uint16).reshape(2, 1, 4, 4)
    file["Eye_Pos"] = np.arange(8, dtype=np.float64).reshape(2, 4)


def packed(file):
    options = {"chunks": (1, 3, 4, 4), "compression": "gzip", "shuffle": True, "fletcher32": True}
    file.create_dataset("Color_Data", data=np.full((2, 3, 4, 4), 7, np.uint8), **options)
    file.create_group("data/sr300").attrs["rate"] = 30.0
    file["elsewhere"] = h5py.ExternalLink("b.hdf5", "/Color_Data")
    file["again"] = h5py.SoftLink("/Color_Data")


def without_first_child(content):
    """The root group's B-tree whose first child has no address: libhdf5 1.10.8 reads address 0."""
    first = content.index(b"TREE") + 32
    return content[:first] + b"\xff" * 8 + content[first + 8:]


def recordings():
    put("hdf5", "recording.hdf5", hdf5(recording, libver="earliest"))
    put("hdf5", "newest-layout.hdf5", hdf5(recording, libver=("v110", "v110")))
    put("hdf5", "packed.hdf5", hdf5(packed, libver="earliest"))
    put("hdf5", "cut-off.hdf5", hdf5(recording, libver="earliest")[:-40])
    put("hdf5", "read-of-address-0.hdf5", without_first_child(hdf5(recording, libver="earliest")))


def video(ending, codec, frames=3):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{ending}"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 25, (32, 16))
        for i in range(frames):
            writer.write((np.arange(32 * 16 * 3, dtype=np.uint32) * (i + 37) % 251).astype(np.uint8).reshape(16, 32, 3))
        writer.release()
        return path.read_bytes()


def film(container, codec, between=1, **options):
    """What OpenCV has no writer for."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        stream.gop_size, stream.max_b_frames = 3, between
        for i in range(5):
            pixels = (np.arange(32 * 16 * 3, dtype=np.uint32) * (i + 37) % 251).astype(np.uint8).reshape(16, 32, 3)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        file.mux(stream.encode())
    return out.getvalue()


def larger_than_coded():
    """Frames of 32 x 16 of which the file says 64 x 48."""
    content = bytearray(video("avi", "XVID"))
    for at in (content.index(b"avih") + 40, content.index(b"strf") + 12):
        content[at:at + 8] = struct.pack("<II", 64, 48)
    return content


def groups():
    """Arrays in groups, as CSMAD and WMCA have them, and a group that holds itself."""
    def fill(file):
        file["data/sr300/color/16_37_01_151"] = (np.arange(4 * 5 * 3) % 251).astype(np.uint8).reshape(4, 5, 3)
        file["data/sr300/depth/16_37_01_151"] = np.arange(4 * 5, dtype=np.uint16).reshape(4, 5)
        file["Frame_0/array"] = (np.arange(3 * 4 * 5) % 251).astype(np.uint8).reshape(3, 4, 5)
        file["data/again"] = file["data"]

    put("hdf5", "groups.hdf5", hdf5(fill, libver="earliest"))


def events():
    written = (Path(__file__).parent.parent / "tests/golden/events.tfevents").read_bytes()
    put("events", "scalars.tfevents", written)
    put("events", "cut-off.tfevents", written[:-9])


def scores():
    put("scores", "scores.csv",
        "name,label,attack_type,group,score,accepted,threshold,threshold_rule\n"
        '"faces/a,1.png",bonafide,,set/a,0.9,1,0.25,minimum validation ACER\n'
        "faces/2.png,attack,print,set/b,1e-3,0,0.25,minimum validation ACER\n")


def searches():
    for number, text in enumerate(["learning_rate=1e-6..1e-3:log", "dropout=0.1..0.5", "batch=4..32:whole", "x=..1"]):
        put("search-range", f"{number}.txt", text)
    trials = [
        {"rung": 0, "trial": 1, "epochs": 2, "settings": {"learning_rate": 0.001, "dropout": 0.25},
         "val_loss": 0.5, "val_acer": 0.125, "val_auc": None, "failed": ""},
        {"rung": 1, "trial": 0, "epochs": 4, "settings": {"learning_rate": 1e-05, "dropout": 0},
         "val_loss": None, "val_acer": None, "val_auc": None, "failed": "no space"},
    ]
    put("search-log", "two.jsonl", "".join(json.dumps(trial) + "\n" for trial in trials))
    put("search-log", "of-another-search.jsonl", json.dumps(trials[0] | {"settings": {}}) + "\n")


def journal():
    head = '{"preparation":"0123456789abcdef"}\n'
    quality = [12.5, 30.0, 101.25, 2.0, 101.25, 30.0, 0.125]
    outcomes = [
        {"sample": 0, "before": quality, "after": quality, "file": [1024, 305419896], "box": [1, 2.5, 30, 40],
         "points": [[10, 12], [20, 12.5]]},
        {"sample": 3, "lost": ["read", "unreadable", "a.png: no picture"]},
    ]
    put("journal", "two.jsonl", head + "".join(json.dumps(outcome) + "\n" for outcome in outcomes))
    put("journal", "cut-off.jsonl", head + json.dumps(outcomes[0])[:-7])


def protocols():
    put("protocol", "all.toml",
        'models = ["livenessnet", "attacknet-v2.2"]\nseeds = [1, 2]\nfolds = 3\nprotocols = ["cross", "combined"]\n'
        'threshold = "equal-error-rate"\ncompare = "auc"\nunits = "seeds"\n[data]\na = "/"\nb = "/usr"\n'
        '[train]\nepochs = 2\n[model.attacknet-v2.2]\nbatch = 4\nmodel_options.dropout = "0.3"\n[on.combined]\nbatch = 2\n')


def results():
    scores = {"scores": [0.1, 0.9, 0.4], "labels": [0, 1, 1], "types": {"names": ["", "print"], "index": [0, 1, 1]},
              "groups": {"names": ["a", "b"], "index": [0, 1, 1]}, "loss": 0.5, "broken": 0}
    result = {"key": "00", "best_epoch": 1, "validation_loss": 0.5, "validation_accuracy": None, "parameters": 10, "model_bytes": 100,
              "epochs": [{"epoch": 1, "seconds": 2.5, "megabytes": 80, "loss": 0.6, "validation_loss": 0.5}],
              "validation": scores, "targets": {"faces": {**scores, "scores": [0.2, 0.8, 0.7]}}}
    put("result", "whole.json", json.dumps(result))
    put("result", "fewer-labels.json", json.dumps({**result, "validation": {**scores, "labels": [0]}}))
    put("result", "wide-label.json", json.dumps({**result, "validation": {**scores, "labels": [0, 1, (1 << 32) + 1]}}))
    cell = {"id": "livenessnet_faces_s1", "model": "livenessnet", "key": "00", "seed": 1, "fold": -1,
            "source": {"kind": "set", "name": "faces", "set": "faces", "type": ""},
            "settings": "model = \"livenessnet\"\nepochs = 2\n", "targets": [{"name": "faces", "manifest": "data/faces.csv"}],
            "trained_types": ["mask", "print"], "train_images": 20, "test_images": 6}
    faces = {"name": "faces", "train": 20, "val": 4, "test": 6, "ungrouped": 0, "leak_reason": ""}
    put("plan", "one.json", json.dumps({"cells": [cell], "sets": [faces], "notes": ["faces: small"]}))
    put("plan", "no-cells.json", json.dumps({"cells": [], "sets": [], "notes": []}))
    put("plan", "other-kind.json", json.dumps({"cells": [{**cell, "source": {**cell["source"], "kind": "sets"}}], "sets": [], "notes": []}))
    put("sources", "two.toml", '[sources]\na = "a"\n"b/c" = "../b.csv"\n[split]\ntrain = ["a/train", "b/c"]\nval = ["a/val"]\ntest = ["a/test"]\n')
    put("sources", "twice.toml", '[sources]\na = "a"\n[split]\ntrain = ["a"]\ntest = ["a/test"]\n')
    put("sources", "same-file.toml", '[sources]\na = "x"\nb = "x/../x"\n[split]\ntrain = ["a"]\ntest = ["b"]\n')


def more_lists():
    put("msu-mfsd", "train.txt", "01\n03\r\n")
    put("wmca", "grandtest.csv",
        "path,label,type,group\nface-station/31.01.18/514_01_000_0_00,0,bonafide,train\n"
        '"face-station/31.01.18/514_01_035_1_05",1,glasses,dev\nface-station/1/100_03_015_2_10,1,papermask,eval\n')


def videos():
    put("video", "motion-jpeg.avi", video("avi", "MJPG"))
    put("video", "mpeg4.avi", video("avi", "XVID"))
    put("video", "mpeg4.mp4", video("mp4", "mp4v"))
    put("video", "vp8.webm", video("webm", "VP80"))
    put("video", "cut-off.mp4", video("mp4", "mp4v")[:-400])
    put("video", "larger-than-coded.avi", larger_than_coded())
    put("video", "h264.mp4", film("mp4", "libx264"))
    put("video", "h264.mkv", film("matroska", "libx264"))
    put("video", "hevc.mp4", film("mp4", "libx265", **{"x265-params": "log-level=none"}))
    put("video", "vp9.webm", film("webm", "libvpx-vp9"))
    put("video", "mpeg2.mpg", film("mpeg", "mpeg2video"))
    put("video", "mpeg1.m1v", film("mpeg1video", "mpeg1video"))
    put("video", "wmv2.wmv", film("asf", "wmv2", between=0))


if __name__ == "__main__":
    numbers(), arrays(), tensors(), texts(), pictures(), lists(), recordings(), videos()
    groups(), events(), journal(), protocols(), more_lists(), results(), searches()
