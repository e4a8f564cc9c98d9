"""Golden values of data preparation: quality, enhancement, alignment, resizing, boxes -> prepare.npz.

Every formula is written in NumPy; where OpenCV has the operation, the script prints how far it lies from it. Only the
8-bit conversion between RGB and CIE L*a*b* is OpenCV's (opencv-python-headless).

    python3 tests/golden/make_prepare.py
"""
import os

import cv2
import numpy as np

cv2.setNumThreads(1)
try:
    cv2.ipp.setUseIPP(False)
except AttributeError:
    pass


def said(name, ours, theirs):
    difference = np.abs(ours.astype(np.int64) - theirs.astype(np.int64))
    print(f"{name:12} largest difference from OpenCV {difference.max()}, mean {difference.mean():.4f}")
    return ours


def to_bytes(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def picture(height, width, seed):
    """Edges, gradients and noise, in colour."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    base = np.stack([90 + 1.5 * x, 60 + 2 * y, 150 - x + 0.5 * y], axis=-1)
    face = ((x - width / 2) / (width / 3)) ** 2 + ((y - height / 2) / (height / 2.4)) ** 2 < 1
    base[face] += [50, 30, 10]
    for cx, cy in ((0.38, 0.42), (0.62, 0.42), (0.5, 0.72)):
        base[(x - cx * width) ** 2 + (y - cy * height) ** 2 < (width / 12) ** 2] -= 70
    return to_bytes(base + random.normal(0, 6, base.shape))


# --- quality -------------------------------------------------------------------------------------------------------

def grey_of(rgb):
    r, g, b = (rgb[..., c].astype(np.int64) for c in range(3))
    return ((r * 9798 + g * 19235 + b * 3735 + (1 << 14)) >> 15).astype(np.float64)


def quality(rgb):
    g = np.pad(grey_of(rgb), 1, mode="reflect") if min(rgb.shape[:2]) > 1 else None
    c = g[1:-1, 1:-1]
    laplacian = g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:] - 4 * c
    sx = (g[:-2, 2:] - g[:-2, :-2]) + 2 * (g[1:-1, 2:] - g[1:-1, :-2]) + (g[2:, 2:] - g[2:, :-2])
    sy = (g[2:, :-2] - g[:-2, :-2]) + 2 * (g[2:, 1:-1] - g[:-2, 1:-1]) + (g[2:, 2:] - g[:-2, 2:])
    energy = sx**2 + sy**2
    edges = (0.6 * laplacian.var() + 0.4 * energy.var()) / 1000
    parts = [min(1, (0.7 * laplacian.var() + 0.3 * np.sqrt(energy).mean()) / 100), min(1, c.std() / 50),
             1 - abs(c.mean() - 128) / 128, min(1, edges / 100)]
    total = float(np.dot(parts, [0.35, 0.25, 0.20, 0.20]))
    gates = 40 <= c.mean() <= 220 and c.std() > 15 and edges > 80
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    assert np.array_equal(grey, c.astype(np.uint8))
    assert np.array_equal(cv2.Laplacian(grey, cv2.CV_64F), laplacian)
    assert np.array_equal(cv2.Sobel(grey, cv2.CV_64F, 1, 0, ksize=3), sx)
    return np.array(parts + [c.mean(), c.std(), edges, total, float(gates)])


# --- enhancement ---------------------------------------------------------------------------------------------------

def bilateral(rgb, diameter, sigma_colour, sigma_space):
    radius = diameter // 2
    padded = np.pad(rgb.astype(np.float64), ((radius, radius), (radius, radius), (0, 0)), mode="reflect")
    height, width = rgb.shape[:2]
    total, weights = np.zeros(rgb.shape), np.zeros((height, width, 1))
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            if dx * dx + dy * dy > radius * radius:
                continue
            other = padded[radius + dy:radius + dy + height, radius + dx:radius + dx + width]
            colour = np.abs(other - rgb).sum(axis=2, keepdims=True)
            weight = np.exp(-colour**2 / (2 * sigma_colour**2) - (dx * dx + dy * dy) / (2 * sigma_space**2))
            total += weight * other
            weights += weight
    return to_bytes(total / weights)


def clahe(grey, clip, tiles):
    height, width = grey.shape
    down, right = -height % tiles, -width % tiles
    if down or right:  # OpenCV pads both, by a whole number of tiles where one fits already
        down, right = tiles - height % tiles, tiles - width % tiles
    padded = np.pad(grey, ((0, down), (0, right)), mode="reflect")
    th, tw = padded.shape[0] // tiles, padded.shape[1] // tiles
    area = th * tw
    limit = max(1, int(clip * area / 256))
    tables = np.zeros((tiles, tiles, 256))
    for i in range(tiles):
        for j in range(tiles):
            histogram = np.bincount(padded[i * th:(i + 1) * th, j * tw:(j + 1) * tw].ravel(), minlength=256)
            clipped = int(np.maximum(histogram - limit, 0).sum())
            histogram = np.minimum(histogram, limit) + clipped // 256
            rest = clipped % 256
            if rest:
                step = max(256 // rest, 1)
                for k in range(0, 256, step):
                    if rest == 0:
                        break
                    histogram[k] += 1
                    rest -= 1
            tables[i, j] = np.clip(np.rint(np.float32(histogram.cumsum()) * np.float32(255 / area)), 0, 255)
    ty, tx = np.arange(height) / th - 0.5, np.arange(width) / tw - 0.5
    y0, x0 = np.floor(ty).astype(int), np.floor(tx).astype(int)
    fy, fx = (ty - y0)[:, None], (tx - x0)[None, :]
    y1, x1 = np.minimum(y0 + 1, tiles - 1)[:, None], np.minimum(x0 + 1, tiles - 1)[None, :]
    y0, x0 = np.maximum(y0, 0)[:, None], np.maximum(x0, 0)[None, :]
    out = ((tables[y0, x0, grey] * (1 - fx) + tables[y0, x1, grey] * fx) * (1 - fy)
           + (tables[y1, x0, grey] * (1 - fx) + tables[y1, x1, grey] * fx) * fy)
    return to_bytes(out)


def equalize(rgb, clip, tiles=8):
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    theirs = cv2.createCLAHE(clip, (tiles, tiles)).apply(lab[..., 0].copy())
    lab[..., 0] = said("clahe", clahe(lab[..., 0], clip, tiles), theirs)
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


def gaussian(rgb, sigma):
    radius = (int(np.rint(sigma * 6 + 1)) | 1) // 2
    kernel = np.exp(-np.arange(-radius, radius + 1) ** 2 / (2 * sigma**2))
    kernel /= kernel.sum()
    out = np.pad(rgb.astype(np.float64), ((radius, radius), (radius, radius), (0, 0)), mode="reflect")
    out = sum(k * out[i:i + rgb.shape[0]] for i, k in enumerate(kernel))
    return sum(k * out[:, i:i + rgb.shape[1]] for i, k in enumerate(kernel))


def unsharp(rgb, sigma, amount):
    return to_bytes(amount * rgb + (1 - amount) * to_bytes(gaussian(rgb, sigma)))


def correct_gamma(rgb, gamma):
    return to_bytes(255 * (rgb / 255.0) ** (1 / gamma))


def stretch(rgb, gain, offset):
    return to_bytes(gain * rgb.astype(np.float64) + offset)


def means(channels, strength, template=7, search=21):
    """Non-local means over an image of one or more channels."""
    t, s = template // 2, search // 2
    height, width = channels.shape[:2]
    padded = np.pad(channels.astype(np.float64), ((t + s, t + s), (t + s, t + s), (0, 0)), mode="reflect")
    centre = padded[s:s + height + 2 * t, s:s + width + 2 * t]
    total, weights = np.zeros(channels.shape), np.zeros((height, width, 1))
    for dy in range(-s, s + 1):
        for dx in range(-s, s + 1):
            other = padded[s + dy:s + dy + height + 2 * t, s + dx:s + dx + width + 2 * t]
            squares = ((other - centre) ** 2).sum(axis=2)
            sums = np.pad(squares.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
            distance = (sums[template:, template:] - sums[:-template, template:] - sums[template:, :-template]
                        + sums[:-template, :-template]) / template**2
            weight = np.exp(-distance / (strength**2 * channels.shape[2]))[..., None]
            weight[weight < 0.001] = 0
            total += weight * other[t:t + height, t:t + width]
            weights += weight
    return to_bytes(total / weights)


def denoise(rgb, lightness, colour):
    lab = cv2.cvtColor(rgb, cv2.COLOR_LRGB2LAB)  # OpenCV takes the bytes for linear light here
    lab = np.concatenate([means(lab[..., :1], lightness), means(lab[..., 1:], colour)], axis=2)
    theirs = cv2.fastNlMeansDenoisingColored(np.ascontiguousarray(rgb[..., ::-1]), None, lightness, colour, 7, 21)
    return said("denoise", cv2.cvtColor(lab, cv2.COLOR_LAB2LRGB), theirs[..., ::-1])


def sharpen(rgb, keep):
    padded = np.pad(rgb.astype(np.float64), ((1, 1), (1, 1), (0, 0)), mode="reflect")
    height, width = rgb.shape[:2]
    around = sum(padded[i:i + height, j:j + width] for i in range(3) for j in range(3)) - rgb
    return to_bytes(keep * rgb + (1 - keep) * np.clip(9.0 * rgb - around, 0, 255))


def photo(rgb):
    return stretch(correct_gamma(unsharp(equalize(bilateral(rgb, 9, 75, 75), 3), 2, 1.5), 1.2), 1.1, 5)


def video(rgb):
    return sharpen(equalize(denoise(bilateral(rgb, 9, 80, 80), 10, 10), 4), 0.7)


# --- geometry ------------------------------------------------------------------------------------------------------

TEMPLATE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
                     [70.7299, 92.2041]])


def template(points, width, height, margin):
    return ((TEMPLATE[:points] + 0.5 - 56) * min(width, height) / 112 / margin
            + np.array([width, height]) / 2 - 0.5)


def similarity(source, target):
    """a, b, dx, dy by least squares over x' = a x - b y + dx, y' = b x + a y + dy."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        values += [u, v]
    return np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]


def bilinear(rgb, x, y):
    height, width = rgb.shape[:2]
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    x1, y1 = np.minimum(x0 + 1, width - 1), np.minimum(y0 + 1, height - 1)
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    return (rgb[y0, x0] * (1 - fx) + rgb[y0, x1] * fx) * (1 - fy) + (rgb[y1, x0] * (1 - fx) + rgb[y1, x1] * fx) * fy


def warp(rgb, s, width, height):
    a, b, dx, dy = s
    inverse = np.linalg.inv(np.array([[a, -b, dx], [b, a, dy], [0, 0, 1]]))
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    out = to_bytes(bilinear(rgb, inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2],
                            inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]))
    theirs = cv2.warpAffine(rgb, np.array([[a, -b, dx], [b, a, dy]]), (width, height), flags=cv2.INTER_LINEAR,
                            borderMode=cv2.BORDER_REPLICATE)
    return said("warp", out, theirs)


def lanczos_taps(length, extent):
    """For each of `extent` pixels: 8 places in [0, length) and their weights, sinc(t) sinc(t / 4) made to sum to 1."""
    at = (np.arange(extent) + 0.5) * length / extent - 0.5
    first = np.floor(at).astype(int)
    places = first[:, None] + np.arange(-3, 5)[None, :]
    t = at[:, None] - places
    weights = np.sinc(t) * np.sinc(t / 4)
    return np.clip(places, 0, length - 1), weights / weights.sum(axis=1, keepdims=True)


def lanczos(rgb, width, height):
    places, weights = lanczos_taps(rgb.shape[1], width)
    out = (rgb.astype(np.float64)[:, places] * weights[None, :, :, None]).sum(axis=2)
    places, weights = lanczos_taps(rgb.shape[0], height)
    out = to_bytes((out[places] * weights[:, :, None, None]).sum(axis=1))
    return said("lanczos", out, cv2.resize(rgb, (width, height), interpolation=cv2.INTER_LANCZOS4))


def window(x, y, w, h, margin):
    grow = (margin - 1) / 2
    left, top = np.floor(x - grow * w + 0.5), np.floor(y - grow * h + 0.5)
    right, bottom = np.floor(x + w + grow * w + 0.5), np.floor(y + h + grow * h + 0.5)
    return [left, top, right - left, bottom - top]


def main():
    out = {}
    image, second = picture(67, 53, 1), picture(41, 58, 2)
    flat = np.full((9, 7, 3), 30, np.uint8)
    for name, rgb in (("image", image), ("second", second), ("flat", flat)):
        out[name] = rgb
        out[f"{name}/quality"] = quality(rgb)
    smooth = to_bytes(gaussian(image, 1.5))
    out["smooth"] = smooth
    out["bilateral"] = said("bilateral", bilateral(image, 9, 75, 75), cv2.bilateralFilter(image, 9, 75, 75))
    out["equalize"] = equalize(image, 3)
    blurred = cv2.GaussianBlur(image, (0, 0), 2)
    out["unsharp"] = said("unsharp", unsharp(image, 2, 1.5), cv2.addWeighted(image, 1.5, blurred, -0.5, 0))
    out["gamma"] = correct_gamma(image, 1.2)
    out["stretch"] = said("stretch", stretch(image, 1.1, 5), cv2.convertScaleAbs(image, alpha=1.1, beta=5))
    out["denoise"] = denoise(image, 10, 10)
    out["sharpen"] = sharpen(image, 0.7)
    out["photo"] = photo(image)
    out["video"] = video(image)
    points = np.array([[15.25, 27.5], [35.5, 24.75], [27.0, 38.25], [18.5, 49.0], [36.25, 46.5]])
    out["landmarks"] = points
    for count in (2, 5):
        for margin in (1.0, 2.0):
            places = template(count, 48, 40, margin)
            out[f"align/{count}/{margin:g}/template"] = places
            out[f"align/{count}/{margin:g}/similarity"] = similarity(points[:count], places)
    out["warp"] = warp(smooth, similarity(points, template(5, 48, 40, 1)), 48, 40)
    out["lanczos"] = lanczos(image, 32, 40)
    out["lanczos_up"] = lanczos(second, 77, 64)
    boxes = [[10.2, 5.6, 20.5, 30.4, 1], [10.2, 5.6, 20.5, 30.4, 2], [-3.5, -7.25, 18, 21, 1.5], [40, 50, 30, 30, 1.2]]
    out["boxes"] = np.array(boxes)
    out["windows"] = np.array([window(*b) for b in boxes])
    out = {k: v if v.dtype == np.uint8 else v.astype(np.float32) for k, v in out.items()}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "prepare.npz")
    np.savez(path, **out)
    print(f"{len(out)} arrays, {os.path.getsize(path)} bytes")


main()
