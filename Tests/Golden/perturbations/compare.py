"""Compares a running server's steps with the installed Pillow, torchvision and NumPy, on many pictures and draws.

    python -m venv V && V/bin/pip install pillow==13.0.0 numpy torch==2.13.0 torchvision==0.29.2 scikit-image requests
    V/bin/python compare.py http://127.0.0.1:8080 [--rounds 30] [--seed 1]

Pictures: scikit-image's photographs and scans, drawn charts, noise, flat colors; sides of 1, 2, 3, primes and up to
8,192. Each round draws every step once for every picture. The table says for each step how many views equal the
reference in every byte; the exit code is 1 when a view differs beyond what the step's documentation grants: nothing,
one level for a blur, and for perspective one sample of a thousand, or any number in pictures of under 1,000 pixels where
LAPACK's noise takes a whole edge.
"""

import argparse
import collections
import io
import itertools
import json
import pathlib
import sys

import numpy as np
import requests
import skimage
from PIL import Image, ImageDraw

from references import apply

LARGE = 400_000


def pictures(random):
    """(name, picture) of every kind."""
    folder = pathlib.Path(skimage.__file__).parent / "data"
    for path in sorted(folder.glob("*.png")) + sorted(folder.glob("*.jpg")):
        yield path.name, Image.open(path).convert("RGB")

    def noise(width, height):
        return Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8))

    for width, height in [(1, 1), (1, 2), (2, 1), (1, 97), (211, 1), (3, 5), (7, 7), (10, 10), (13, 17), (61, 47),
                          (2, 409), (503, 3), (127, 131), (256, 256), (448, 448), (8192, 3), (8192, 61), (5, 4099)]:
        yield f"noise {width}x{height}", noise(width, height)
        yield f"flat {width}x{height}", Image.new("RGB", (width, height), tuple(int(v) for v in random.integers(0, 256, 3)))
    for width, height in [(640, 480), (333, 777)]:
        chart = Image.new("RGB", (width, height), "white")
        pen = ImageDraw.Draw(chart)
        for i in range(40):
            box = sorted(int(v) for v in random.integers(0, width, 2)), sorted(int(v) for v in random.integers(0, height, 2))
            color = tuple(int(v) for v in random.integers(0, 256, 3))
            pen.rectangle((box[0][0], box[1][0], box[0][1], box[1][1]), outline=color, fill=color if i % 3 == 0 else None)
            pen.text((box[0][0], box[1][0]), f"{i} chart {i * 37}", fill=(0, 0, 0))
        yield f"chart {width}x{height}", chart
    slope = np.linspace(0, 255, 8192).astype(np.uint8)
    yield "ramp 8192x64", Image.fromarray(np.ascontiguousarray(np.broadcast_to(slope[None, :, None], (64, 8192, 3))))


def draws(random, image):
    """One of every step for this picture."""
    width, height = image.size
    real = lambda low, high: round(float(random.uniform(low, high)), 4)  # noqa: E731
    whole = lambda low, high: int(random.integers(low, high + 1))  # noqa: E731
    seed = lambda: whole(0, (1 << 63) - 2)  # noqa: E731
    mode = lambda: ("nearest", "bilinear")[whole(0, 1)]  # noqa: E731
    color = lambda: [whole(0, 255) for _ in range(3)]  # noqa: E731

    def box(least=1):
        w, h = whole(least, width), whole(least, height)
        return {"left": whole(0, width - w), "top": whole(0, height - h), "width": w, "height": h}

    orders = list(itertools.permutations(["brightness", "contrast", "saturation"]))
    yield {"step": "color_jitter", "brightness": real(0.2, 1.3), "contrast": real(0.2, 1.8), "saturation": real(0.2, 1.8),
           "order": list(orders[whole(0, 5)])}
    with_hue = list(itertools.permutations(["brightness", "contrast", "saturation", "hue"]))
    yield {"step": "color_jitter", "brightness": real(0, 3), "contrast": real(0, 3), "saturation": real(0, 3),
           "hue": real(-0.5, 0.5), "order": list(with_hue[whole(0, 23)])}
    for limit in (10, 360):
        yield {"step": "rotation", "degrees": real(-limit, limit), "interpolation": mode(),
               "expand": bool(whole(0, 1)) and width * height < LARGE and max(width, height) < 2000, "fill": color()}
    yield {"step": "rotation", "degrees": float(whole(-4, 4) * 90), "interpolation": mode(),
           "expand": bool(whole(0, 1)), "fill": color()}
    yield {"step": "affine", "degrees": real(-45, 45), "translate": [whole(-width, width) // 4, whole(-height, height) // 4],
           "scale": real(0.5, 2), "shear": [real(-20, 20), real(-20, 20) * whole(0, 1)], "interpolation": mode(),
           "fill": color()}
    yield {"step": "affine", "degrees": 0.0, "translate": [whole(-9, 9), whole(-9, 9)], "scale": real(0.1, 5),
           "shear": [0.0, 0.0], "interpolation": mode(), "fill": color()}
    yield {"step": "zoom_crop", **box()}
    ratio = real(0.6, 0.7)
    w, h = max(1, int(width * ratio)), max(1, int(height * ratio))
    yield {"step": "zoom_crop", "left": whole(0, width - w), "top": whole(0, height - h), "width": w, "height": h}
    for name in ("horizontal_flip", "vertical_flip", "invert", "grayscale"):
        yield {"step": name}
    yield {"step": "posterize", "bits": whole(1, 8)}
    yield {"step": "solarize", "threshold": whole(0, 256)}
    yield {"step": "fill", "color": color()}
    yield {"step": "crop_fill", **box(0), "fill": color()}
    yield {"step": "occlusion", "noise_seed": seed(), "patches": [list(box().values()) for _ in range(whole(0, 5))]}
    yield {"step": "patch_blackening", "patch": whole(1, 40), "probability": real(0, 1), "mask_seed": seed()}
    if width * height < LARGE:
        yield {"step": "black_square_cover", "patch": whole(8, 60), "coverage": real(0, 0.95), "cover_seed": seed()}
    yield {"step": "patch_shuffle", "patch": whole(4, 40), "shuffle_seed": seed()}
    yield {"step": "gaussian_noise", "sigma": real(0, 120), "noise_seed": seed()}
    yield {"step": "diffusion_noise", "t": whole(0, 999), "noise_seed": seed()}
    size = 2 * whole(0, 10) + 1
    yield {"step": "gaussian_blur", "kernel_size": size, "sigma": real(0.1, 4), "padding": "zeros"}
    if size // 2 < min(width, height):
        yield {"step": "gaussian_blur", "kernel_size": size, "sigma": real(0.1, 4), "padding": "reflect"}
    across, down = int(width // 2 * 0.2), int(height // 2 * 0.2)
    if min(across, down) >= 1:
        right, bottom = width - 1, height - 1
        m = [whole(0, (across, down)[i % 2]) for i in range(8)]
        yield {"step": "perspective", "startpoints": [[0, 0], [right, 0], [right, bottom], [0, bottom]],
               "endpoints": [[m[0], m[1]], [right - m[2], m[3]], [right - m[4], bottom - m[5]], [m[6], bottom - m[7]]],
               "interpolation": mode(), "fill": color()}
    yield {"step": "mixup", "image": "second", "weight": real(0, 1), "fit": ("pad", "stretch")[whole(0, 1)], "fill": color()}
    if height < 2000:
        yield {"step": "concat", "image": "second", "side": ("right", "left")[whole(0, 1)]}


def stored_png(image):
    """A PNG without compression."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=0)
    return file.getvalue()


def served(session, url, image, second, steps):
    """The server's pixels for each step."""
    views = [{"name": f"v{i}", "steps": [step]} for i, step in enumerate(steps)]
    request = {"views": views, "format": "raw", "images": [{"id": "first"}, {"id": "second", "second_only": True}]}
    reply = session.post(url + "/v1/perturb", headers={"Accept": "application/x-safetensors"}, timeout=300, files=[
        ("request", (None, json.dumps(request), "application/json")), ("first", ("first.png", stored_png(image), "image/png")),
        ("second", ("second.png", stored_png(second), "image/png"))])
    assert reply.status_code == 200, reply.text
    length = int.from_bytes(reply.content[:8], "little")
    header = json.loads(reply.content[8 : 8 + length])
    for i in range(len(steps)):
        entry = header[f"first.v{i}"]
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        yield np.frombuffer(reply.content[start:end], np.uint8).reshape(entry["shape"])


def label(step):
    name = step["step"]
    extra = {"rotation": "interpolation", "affine": "interpolation", "gaussian_blur": "padding", "mixup": "fit",
             "perspective": "interpolation"}
    if name == "color_jitter":
        return name + (" with hue" if "hue" in step else "")
    return f"{name} {step[extra[name]]}" if name in extra else name


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random, session = np.random.default_rng(arguments.seed), requests.Session()
    known = list(pictures(random))
    views, exact, samples, differing = (collections.Counter() for _ in range(4))
    largest, failed = collections.Counter(), []
    for number in range(arguments.rounds):
        for name, image in known:
            # Large pictures cost the reference seconds: they take part in every eighth round.
            if image.width * image.height > LARGE and number % 8:
                continue
            second = known[int(random.integers(len(known)))][1]
            if second.width / second.height * image.height > 20_000:
                second = image
            steps = list(draws(random, image))
            for step, found in zip(steps, served(session, arguments.url, image, second, steps)):
                pair = (second,) if "image" in step else ()
                expected = np.asarray(apply(image, step, *pair))
                kind = label(step)
                views[kind] += 1
                samples[kind] += expected.size
                if expected.shape != found.shape:
                    failed.append((name, step, "shape", expected.shape, found.shape))
                    continue
                difference = np.abs(expected.astype(int) - found)
                count = int((difference > 0).sum())
                exact[kind] += count == 0
                differing[kind] += count
                largest[kind] = max(largest[kind], int(difference.max()))
                rare = count * 1000 <= expected.size or image.width * image.height < 1000
                granted = (kind.startswith("perspective") and rare) or (
                    kind.startswith("gaussian_blur") and difference.max() <= 1)
                if count and not granted:
                    failed.append((name, step, count, int(difference.max())))
        print(f"round {number + 1}: {sum(views.values())} views, {len(failed)} beyond what is granted", file=sys.stderr)
    print("| step | views | equal in every byte | samples that differ | by at most |\n|---|---|---|---|---|")
    for kind in sorted(views):
        print(f"| {kind} | {views[kind]} | {exact[kind]} | {differing[kind]} of {samples[kind]} | {largest[kind]} |")
    print(f"| all | {sum(views.values())} | {sum(exact.values())} | {sum(differing.values())} of {sum(samples.values())} | |")
    for failure in failed[:20]:
        print("beyond:", *failure, file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
