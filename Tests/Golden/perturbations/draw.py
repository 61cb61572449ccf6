"""Writes draws.txt: what the documented generator draws of the CPPO recipes.

    python -m venv V && V/bin/pip install pillow==13.0.0 numpy && V/bin/python draw.py

One JSON object a line: the arguments of a draw and the steps it gives. The random numbers, and whether a step changes a
picture of this size, are those of Tests/Contract/draws.py, written from the documentation.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parents[1] / "Contract"))

from draws import integer, stream, unchanged  # noqa: E402

CHOICES = {
    "cppo-preserving": ["color_jitter", "perspective", "rotation"],
    "cppo-preserving-areal": ["color_jitter", "perspective", "rotation", "gaussian_blur"],
    "cppo-removing": ["occlusion", "zoom_crop"],
}


def one(name, words, width, height):
    step = {"step": name}
    if name == "color_jitter":
        step["brightness"] = integer(words, 2000, 13000) / 10000
        step["contrast"] = integer(words, 2000, 18000) / 10000
        step["saturation"] = integer(words, 2000, 18000) / 10000
        b, c, s = "brightness", "contrast", "saturation"
        step["order"] = [[b, c, s], [b, s, c], [c, b, s], [c, s, b], [s, b, c], [s, c, b]][integer(words, 0, 5)]
    elif name == "perspective":
        r, b, dx, dy = width - 1, height - 1, width // 2 // 5, height // 2 // 5
        m = [integer(words, 0, (dx, dy)[i % 2]) for i in range(8)]
        step |= {
            "startpoints": [[0, 0], [r, 0], [r, b], [0, b]],
            "endpoints": [[m[0], m[1]], [r - m[2], m[3]], [r - m[4], b - m[5]], [m[6], b - m[7]]],
            "interpolation": "bilinear", "fill": [0, 0, 0]}
    elif name == "rotation":
        step["degrees"] = integer(words, -100000, 100000) / 10000
        step |= {"interpolation": "nearest", "expand": False, "fill": [0, 0, 0]}
    elif name == "gaussian_blur":
        step |= {"kernel_size": 3, "sigma": 1.0, "padding": "zeros"}
    elif name == "occlusion":
        step["patches"] = []
        for _ in range(50):
            w = max(1, width * integer(words, 500, 1500) // 10000)
            h = max(1, height * integer(words, 500, 1500) // 10000)
            step["patches"].append([integer(words, 0, width - w), integer(words, 0, height - h), w, h])
        step["noise_seed"] = integer(words, 0, (1 << 53) - 1)
    else:
        s = integer(words, 6000, 7000)
        w, h = max(1, width * s // 10000), max(1, height * s // 10000)
        step |= {"left": integer(words, 0, width - w), "top": integer(words, 0, height - h), "width": w, "height": h}
    return step


def draw(recipe, seed, key, variant, width, height, always):
    words, left = stream(seed, recipe, key, variant), list(CHOICES[recipe])
    if min(width, height) < 10 and "perspective" in left:
        left.remove("perspective")
    while True:
        name = left[integer(words, 0, len(left) - 1)]
        if name == "perspective" and integer(words, 0, 1) == 0 and not always:
            return []
        for _ in range(1000):
            step = one(name, words, width, height)
            if not always or not unchanged(step, (width, height)):
                return [step]
        if len(left) == 1:
            return [step]
        left.remove(name)


with open(HERE / "draws.txt", "w") as out:
    for recipe in CHOICES:
        for i in range(24):
            seed = [0, 1, 7, (1 << 63) - 1, 1 << 40][i % 5]
            key = [str(i), "r%d" % i, "", "\u00e9\u4e2d"][i % 4]
            width, height = [(640, 480), (1, 1), (31, 9), (10, 10), (1333, 7), (97, 73)][i % 6]
            arguments = dict(recipe=recipe, seed=seed, key=key, variant=i % 3, width=width, height=height, always=i % 2 == 1)
            out.write(json.dumps(arguments | {"steps": draw(**arguments)}) + "\n")
