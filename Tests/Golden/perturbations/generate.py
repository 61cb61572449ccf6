"""Writes the perturbation golden files: what torchvision and Pillow make of each step.

    python -m venv V && V/bin/pip install pillow==13.0.0 numpy torch==2.13.0 torchvision==0.29.2
    V/bin/python generate.py

steps.txt has one JSON object a line: input (width, height, offset of its [H, W, 3] samples in samples.bin), step,
output (the same), `second` where the step reads a second picture, and `close` where the result may differ by one level
in one sample of a thousand. The references are in references.py.
"""

import itertools
import json
import pathlib

import numpy as np
from PIL import Image

from references import MODES, apply

HERE = pathlib.Path(__file__).parent
RANDOM = np.random.default_rng(20260102)
PHOTO = Image.open(HERE.parent / "images" / "photo.png").convert("RGB").crop((20, 10, 81, 57))


def noise(width, height):
    return Image.fromarray(RANDOM.integers(0, 256, (height, width, 3), dtype=np.uint8))


def flat(width, height):
    """Bands of one color each: where truncation shows."""
    levels = RANDOM.integers(0, 256, (height // 4 + 1, 1, 3), dtype=np.uint8)
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(levels.repeat(4, 0)[:height], (height, width, 3))))


TINY = [noise(1, 1), noise(1, 7), noise(9, 1), noise(3, 5)]
SMALL = TINY + [noise(13, 17), flat(23, 19)]
ALL = SMALL + [PHOTO]
samples, known = bytearray(), {}


def place(image):
    data = np.asarray(image).tobytes()
    if data not in known:
        known[data] = len(samples)
        samples.extend(data)
    return [image.width, image.height, known[data]]


def all_steps():
    """Pairs of image and step, `close` added where equality isn't promised."""
    names = ["brightness", "contrast", "saturation"]
    orders = [[a, b, c] for a in names for b in names for c in names if len({a, b, c}) == 3]
    factors = [(0.6, 1.4, 0.3), (1.3, 0.2, 1.8), (0.2, 1.8, 1.1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (2.5, 7.0, 9.0)]
    for i, (b, c, s) in enumerate(factors):
        for j, order in enumerate(orders):
            for image in ALL if i == 0 else [ALL[(i + j) % len(ALL)], PHOTO if j == i else SMALL[4]]:
                yield image, {"step": "color_jitter", "brightness": b, "contrast": c, "saturation": s, "order": order}
    for degrees in (0, 7.5, -9.9999, 3.0001, 90, 180, 270, -90, 360, 45, 0.001, -180, 123.456, 1e-15, 179.9999999999):
        for interpolation in MODES:
            for expand in (False, True):
                fill = [0, 0, 0] if abs(degrees) <= 10 else [255, 7, 128]
                images = ALL if degrees == 7.5 else SMALL + ([PHOTO] if degrees in (123.456, 3.0001) else [])
                for image in images:
                    yield image, {"step": "rotation", "degrees": float(degrees), "interpolation": interpolation,
                                  "expand": expand, "fill": fill}
    for image in [SMALL[4], SMALL[5], PHOTO, noise(10, 37)]:
        for i in range(10):
            r, b, dx, dy = image.width - 1, image.height - 1, image.width // 4, image.height // 4
            m = [int(RANDOM.integers(0, (dx, dy)[j % 2] + 1)) for j in range(8)]
            start = [[0, 0], [r, 0], [r, b], [0, b]]
            end = [[m[0], m[1]], [r - m[2], m[3]], [r - m[4], b - m[5]], [m[6], b - m[7]]]
            if i >= 8:
                start, end = end, start
            if image is PHOTO and 3 < i < 8:
                continue
            yield image, {"step": "perspective", "startpoints": start, "endpoints": end,
                          "interpolation": "nearest" if i == 1 else "bilinear", "fill": [9, 200, 31] if i == 2 else [0, 0, 0],
                          "close": True}
    for size, sigma in [(1, 1.0), (3, 1.0), (3, 0.4), (5, 1.3), (7, 2.0), (9, 0.9137), (21, 3.3), (35, 10.0), (99, 5.0)]:
        for image in ALL if size == 3 else SMALL[3:] + ([PHOTO] if size == 21 else []):
            for padding in ("zeros", "reflect"):
                step = {"step": "gaussian_blur", "kernel_size": size, "sigma": sigma, "padding": padding}
                if padding == "zeros":
                    yield image, step
                elif size // 2 < min(image.size):
                    yield image, step | {"close": True}
    for image in ALL:
        for i in range(8):
            w, h = (int(RANDOM.integers(1, side + 1)) for side in image.size)
            if i == 0:
                w, h = image.size
            elif i == 1:
                w = image.width
            elif i == 2:
                w, h = -(-image.width * 13 // 20), -(-image.height * 13 // 20)
            if image is PHOTO and i > 3:
                break
            yield image, {"step": "zoom_crop", "left": int(RANDOM.integers(0, image.width - w + 1)),
                          "top": int(RANDOM.integers(0, image.height - h + 1)), "width": w, "height": h}
    for image in ALL:
        for seed in (0, 7, (1 << 63) - 1):
            patches = []
            for _ in range(5):
                w, h = (int(RANDOM.integers(1, side + 1)) for side in image.size)
                patches.append([int(RANDOM.integers(0, image.width - w + 1)),
                                int(RANDOM.integers(0, image.height - h + 1)), w, h])
            yield image, {"step": "occlusion", "patches": patches[: seed % 6], "noise_seed": seed}
    # What came first keeps its place in the random sequence: the lines above never change.
    wide, tall = noise(211, 3), noise(2, 83)
    several = SMALL + [wide, tall]
    for i, (b, c, s, h) in enumerate(
        [(1.0, 1.0, 1.0, 0.0), (0.6, 1.4, 0.3, 0.1), (1.3, 0.2, 1.8, -0.5), (1.0, 1.0, 1.0, 0.5), (1.1, 0.9, 1.2, -0.03),
         (1.0, 1.0, 1.0, 0.2501)]):
        for j, order in enumerate(itertools.permutations(names + ["hue"])):
            for image in ALL if j == 0 else [several[(i + j) % len(several)]]:
                yield image, {"step": "color_jitter", "brightness": b, "contrast": c, "saturation": s, "hue": h,
                              "order": list(order)}
    maps = [(0.0, [0, 0], 1.0, [0.0, 0.0]), (45.0, [0, 0], 1.0, [20.0, 0.0]), (-45.0, [3, -2], 0.7, [0.0, 0.0]),
            (0.0, [0, 0], 0.5, [0.0, 0.0]), (0.0, [2, 1], 1.37, [0.0, 0.0]), (0.0, [-4, 0], 1.0, [0.0, 0.0]),
            (0.0, [0, 0], 1.0, [-20.0, 13.5]), (180.0, [1, 1], 2.5, [5.0, -7.25]), (90.0, [0, 0], 1.0, [0.0, 0.0]),
            (-133.3333, [1, 5], 3.3, [89.0, -30.0]), (12.5, [0, 0], 0.001, [0.0, 0.0]), (360.0, [0, 0], 1000.0, [0.0, 0.0])]
    for i, (degrees, translate, scale, shear) in enumerate(maps):
        for interpolation in MODES:
            for image in (ALL if i == 1 else several):
                yield image, {"step": "affine", "degrees": degrees, "translate": translate, "scale": scale, "shear": shear,
                              "interpolation": interpolation, "fill": [255, 7, 128] if i % 2 else [0, 0, 0]}
    for image in several + [PHOTO]:
        for name in ("horizontal_flip", "vertical_flip", "invert", "grayscale"):
            yield image, {"step": name}
    for image in [SMALL[4], TINY[0], wide]:
        for bits in range(1, 9):
            yield image, {"step": "posterize", "bits": bits}
        for threshold in (0, 1, 128, 200, 255, 256):
            yield image, {"step": "solarize", "threshold": threshold}
    for image in several:
        yield image, {"step": "fill", "color": [128, 128, 128]}
        yield image, {"step": "fill", "color": [1, 254, 77]}
        for i in range(5):
            w, h = (int(RANDOM.integers(0, side + 1)) for side in image.size)
            if i == 0:
                w, h = image.size
            yield image, {"step": "crop_fill", "left": int(RANDOM.integers(0, image.width - w + 1)),
                          "top": int(RANDOM.integers(0, image.height - h + 1)), "width": w, "height": h,
                          "fill": [9, 8, 7] if i == 1 else [0, 0, 0]}
    for image in several + [PHOTO]:
        for patch, share, seed in ((14, 0.6, 3), (1, 0.5, 0), (4, 0.5, (1 << 63) - 1), (7, 0.0, 5), (5, 1.0, 6), (65536, 0.6, 1)):
            yield image, {"step": "patch_blackening", "patch": patch, "probability": share, "mask_seed": seed}
        for patch, share, seed in ((14, 0.8, 3), (1, 0.5, 0), (4, 0.99, (1 << 63) - 1), (7, 0.0, 5), (65536, 0.6, 1)):
            yield image, {"step": "black_square_cover", "patch": patch, "coverage": share, "cover_seed": seed}
        for patch, seed in ((14, 3), (1, 0), (4, (1 << 63) - 1), (2, 7), (65536, 1)):
            yield image, {"step": "patch_shuffle", "patch": patch, "shuffle_seed": seed}
        for sigma, seed in ((0.0, 3), (1.0, 0), (25.0, (1 << 63) - 1), (300.0, 7), (0.3, 1)):
            yield image, {"step": "gaussian_noise", "sigma": sigma, "noise_seed": seed}
        for t, seed in ((0, 3), (100, 0), (450, (1 << 63) - 1), (500, 7), (999, 1)):
            yield image, {"step": "diffusion_noise", "t": t, "noise_seed": seed}
    for i, image in enumerate(several + [PHOTO]):
        for j, second in enumerate([several[(i + 1) % len(several)], several[(i + 3) % len(several)], PHOTO]):
            for weight in (0.0, 0.8123, 0.5, 1.0)[j :]:
                yield image, {"step": "mixup", "image": "second", "weight": weight, "fit": ["pad", "stretch"][(i + j) % 2],
                              "fill": [255, 255, 255] if j else [3, 100, 200], "second": second}
            if (image.width, image.height) != (2, 83) or j == 2:
                yield image, {"step": "concat", "image": 1, "side": ["right", "left"][(i + j) % 2], "second": second}


with open(HERE / "steps.txt", "w") as out:
    for count, (image, step) in enumerate(all_steps(), 1):
        close, second = step.pop("close", False), step.pop("second", None)
        result = apply(image, step, second)
        line = {"input": place(image), "step": step, "output": place(result), "close": close}
        out.write(json.dumps(line if second is None else line | {"second": place(second)}) + "\n")
(HERE / "samples.bin").write_bytes(samples)
print(count, "steps,", len(samples), "bytes of samples")
