"""Writes the perturbation golden files: what torchvision and Pillow make of each step, and what the generator draws.

    python -m venv V && V/bin/pip install pillow==13.0.0 numpy torch==2.13.0 torchvision==0.29.2
    V/bin/python generate.py

steps.txt has one JSON object a line: input (width, height, offset of its [H, W, 3] samples in samples.bin), step,
output (the same), and `close` where the result may differ by one level in one sample of a thousand.
draws.txt has one JSON object a line: the arguments of a draw and the steps it gives, from a reimplementation of the
documented generator.
"""

import json
import pathlib

import numpy as np
import torch
from PIL import Image

# A torchvision built for another torch lacks its own C++ operators; the PIL path needs none of them.
_operators = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    try:
        _operators.define(_name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    except RuntimeError:
        pass

import torchvision.transforms.functional as F  # noqa: E402
from torchvision.transforms import InterpolationMode  # noqa: E402

HERE = pathlib.Path(__file__).parent
RANDOM = np.random.default_rng(20260102)
MODES = {"nearest": InterpolationMode.NEAREST, "bilinear": InterpolationMode.BILINEAR}
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

GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def mix(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def words(start):
    n = 0
    while True:
        n += 1
        yield mix(start + n * GOLDEN & MASK)


def fnv(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & MASK
    return h


def draw_words(seed, recipe, key, variant):
    return words(mix(mix(seed) ^ fnv(f"{recipe}\0{key}\0{variant}".encode())))


def integer(stream, low, high):
    return low + (next(stream) * (high - low + 1) >> 64)


def color_jitter(image, step):
    for name in step["order"]:
        image = getattr(F, "adjust_" + name)(image, step[name])
    return image


def perspective(image, step):
    return F.perspective(image, step["startpoints"], step["endpoints"], MODES[step["interpolation"]], step["fill"])


def rotation(image, step):
    return F.rotate(image, step["degrees"], MODES[step["interpolation"]], step["expand"], fill=step["fill"])


def gaussian_blur(image, step):
    size, sigma = step["kernel_size"], step["sigma"]
    if step["padding"] == "reflect":
        return F.gaussian_blur(image, [size, size], [sigma, sigma])
    # The references' blur: levels / 255, down, then across, zeros beyond the edge, truncated.
    x = torch.arange(size, dtype=torch.float32) - size // 2
    kernel = torch.exp(-(x**2) / (2 * sigma * sigma))
    kernel /= kernel.sum()
    levels = F.to_tensor(image).unsqueeze(0)
    with torch.backends.mkldnn.flags(enabled=False):
        for shape in ((1, 1, -1, 1), (1, 1, 1, -1)):
            levels = torch.conv2d(levels, kernel.view(shape).repeat(3, 1, 1, 1), padding="same", groups=3)
    return F.to_pil_image(levels.squeeze(0).clamp(0, 1))


def occlusion(image, step):
    pixels = np.array(image)
    count = sum(w * h * 3 for _, _, w, h in step["patches"])
    stream = words(mix(step["noise_seed"]))
    data = np.array([next(stream) for _ in range(-(-count // 8))], dtype="<u8").view(np.uint8)
    for x, y, w, h in step["patches"]:
        pixels[y : y + h, x : x + w] = data[: w * h * 3].reshape(h, w, 3)
        data = data[w * h * 3 :]
    return Image.fromarray(pixels)


def zoom_crop(image, step):
    left, top, width, height = (step[name] for name in ("left", "top", "width", "height"))
    return image.crop((left, top, left + width, top + height)).resize(image.size, Image.BILINEAR)


samples, known = bytearray(), {}


def place(image):
    data = np.asarray(image).tobytes()
    if data not in known:
        known[data] = len(samples)
        samples.extend(data)
    return [image.width, image.height, known[data]]


def draw(recipe, seed, key, variant, width, height, always):
    stream = draw_words(seed, recipe, key, variant)
    choices = {
        "cppo-preserving": ["color_jitter", "perspective", "rotation"],
        "cppo-preserving-areal": ["color_jitter", "perspective", "rotation", "gaussian_blur"],
        "cppo-removing": ["occlusion", "zoom_crop"],
    }[recipe]
    if min(width, height) < 10:
        choices = [choice for choice in choices if choice != "perspective"]
    name = choices[integer(stream, 0, len(choices) - 1)]
    step = {"step": name}
    if name == "color_jitter":
        step["brightness"] = integer(stream, 2000, 13000) / 10000
        step["contrast"] = integer(stream, 2000, 18000) / 10000
        step["saturation"] = integer(stream, 2000, 18000) / 10000
        b, c, s = "brightness", "contrast", "saturation"
        step["order"] = [[b, c, s], [b, s, c], [c, b, s], [c, s, b], [s, b, c], [s, c, b]][integer(stream, 0, 5)]
    elif name == "perspective":
        if integer(stream, 0, 1) == 0 and not always:
            return []
        r, b, dx, dy = width - 1, height - 1, width // 2 // 5, height // 2 // 5
        start = [[0, 0], [r, 0], [r, b], [0, b]]
        end = start
        while end == start:
            m = [integer(stream, 0, (dx, dy)[i % 2]) for i in range(8)]
            end = [[m[0], m[1]], [r - m[2], m[3]], [r - m[4], b - m[5]], [m[6], b - m[7]]]
            if not always:
                break
        step |= {"startpoints": start, "endpoints": end, "interpolation": "bilinear", "fill": [0, 0, 0]}
    elif name == "rotation":
        step["degrees"] = integer(stream, -100000, 100000) / 10000
        step |= {"interpolation": "nearest", "expand": False, "fill": [0, 0, 0]}
    elif name == "gaussian_blur":
        step |= {"kernel_size": 3, "sigma": 1.0, "padding": "zeros"}
    elif name == "occlusion":
        step["patches"] = []
        for _ in range(50):
            w = max(1, width * integer(stream, 500, 1500) // 10000)
            h = max(1, height * integer(stream, 500, 1500) // 10000)
            step["patches"].append([integer(stream, 0, width - w), integer(stream, 0, height - h), w, h])
        step["noise_seed"] = integer(stream, 0, (1 << 53) - 1)
    else:
        s = integer(stream, 6000, 7000)
        w, h = max(1, width * s // 10000), max(1, height * s // 10000)
        step |= {"left": integer(stream, 0, width - w), "top": integer(stream, 0, height - h), "width": w, "height": h}
    return [step]


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


with open(HERE / "steps.txt", "w") as out:
    for count, (image, step) in enumerate(all_steps(), 1):
        close = step.pop("close", False)
        result = globals()[step["step"]](image, step)
        out.write(json.dumps({"input": place(image), "step": step, "output": place(result), "close": close}) + "\n")
(HERE / "samples.bin").write_bytes(samples)

with open(HERE / "draws.txt", "w") as out:
    for recipe in ("cppo-preserving", "cppo-preserving-areal", "cppo-removing"):
        for i in range(24):
            seed = [0, 1, 7, (1 << 63) - 1, 1 << 40][i % 5]
            key = [str(i), "r%d" % i, "", "\u00e9\u4e2d"][i % 4]
            width, height = [(640, 480), (1, 1), (31, 9), (10, 10), (1333, 7), (97, 73)][i % 6]
            arguments = dict(recipe=recipe, seed=seed, key=key, variant=i % 3, width=width, height=height, always=i % 2 == 1)
            out.write(json.dumps(arguments | {"steps": draw(**arguments)}) + "\n")
print(count, "steps,", len(samples), "bytes of samples")
