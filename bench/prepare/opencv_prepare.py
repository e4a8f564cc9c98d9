#!/usr/bin/env python3
"""Prepares pictures as a plain script over OpenCV does: decode, judge, resize, enhance, judge, write PNG. The same stages
as `liven data prepare --quality 0.65 --no-gates --enhance photo`.

    opencv_prepare.py LIST OUT      LIST: a picture's path a line
"""
import sys
from pathlib import Path

import cv2
import numpy as np


def quality(image):
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    laplacian = cv2.Laplacian(grey, cv2.CV_64F).var()
    gx = cv2.Sobel(grey, cv2.CV_64F, 1, 0, ksize=3)
    gy = cv2.Sobel(grey, cv2.CV_64F, 0, 1, ksize=3)
    energy = gx * gx + gy * gy
    sharpness = min(1.0, (0.7 * laplacian + 0.3 * np.sqrt(energy).mean()) / 100)
    contrast = min(1.0, grey.std() / 50)
    brightness = 1 - abs(grey.mean() - 128) / 128
    blur = min(1.0, (0.6 * laplacian + 0.4 * energy.var()) / 1000 / 100)
    return 0.35 * sharpness + 0.25 * contrast + 0.20 * brightness + 0.20 * blur


GAMMA = np.array([round(255 * (v / 255) ** (1 / 1.2)) for v in range(256)], np.uint8)
CLAHE = cv2.createCLAHE(3.0, (8, 8))


def enhance(image):
    image = cv2.bilateralFilter(image, 9, 75, 75)
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB)
    lightness, a, b = cv2.split(lab)
    image = cv2.cvtColor(cv2.merge((CLAHE.apply(lightness), a, b)), cv2.COLOR_LAB2BGR)
    image = cv2.addWeighted(image, 1.5, cv2.GaussianBlur(image, (0, 0), 2.0), -0.5, 0)
    return cv2.convertScaleAbs(cv2.LUT(image, GAMMA), alpha=1.1, beta=5)


def main():
    cv2.setNumThreads(1)
    out = Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    kept = []
    for number, path in enumerate(Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()):
        image = cv2.imread(path)
        if image is None or quality(image) < 0.65:
            continue
        face = enhance(cv2.resize(image, (256, 256), interpolation=cv2.INTER_LANCZOS4))
        kept.append(quality(face))
        cv2.imwrite(str(out / f"{number:06d}.png"), face)
    print(f"{len(kept)} {cv2.__version__}")


main()
