"""The steps of /v1/perturb as Pillow and torchvision's Pillow path do them: what a view is compared with."""

import numpy as np
from PIL import Image, ImageEnhance


def color_jitter(image, step):
    enhancers = {
        "brightness": ImageEnhance.Brightness, "contrast": ImageEnhance.Contrast, "saturation": ImageEnhance.Color}
    for name in step["order"]:
        image = enhancers[name](image).enhance(step[name])
    return image


def perspective(image, step):
    """Pillow maps output to input: the coefficients take `end` to `start`."""
    rows, targets = [], []
    for (x, y), (u, v) in zip(step["endpoints"], step["startpoints"]):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        targets += [u, v]
    coefficients = np.linalg.lstsq(np.array(rows, np.float64), np.array(targets, np.float64), rcond=None)[0]
    return image.transform(
        image.size, Image.Transform.PERSPECTIVE, coefficients.tolist(), Image.Resampling.BILINEAR, fillcolor=(0, 0, 0))


def rotation(image, step):
    resample = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR}
    return image.rotate(
        step["degrees"], resample[step.get("interpolation", "nearest")], expand=step.get("expand", False),
        fillcolor=tuple(step.get("fill", [0, 0, 0])))


def zoom_crop(image, step):
    left, top = step["left"], step["top"]
    box = (left, top, left + step["width"], top + step["height"])
    return image.crop(box).resize(image.size, Image.Resampling.BILINEAR)


def gaussian_blur(image, step):
    """Weights normalised, rows then columns; `zeros` padding truncates 255·x, `reflect` rounds."""
    reach = (step["kernel_size"] - 1) / 2
    offsets = np.linspace(-reach, reach, step["kernel_size"])
    weights = np.exp(-0.5 * (offsets / step["sigma"]) ** 2)
    weights /= weights.sum()
    pixels = np.asarray(image, np.float64)
    pad, mode = int(reach), "reflect" if step.get("padding", "zeros") == "reflect" else "constant"
    for axis in (0, 1):
        widths = [(0, 0)] * 3
        widths[axis] = (pad, pad)
        wide = np.pad(pixels, widths, mode=mode)
        length = pixels.shape[axis]
        pixels = sum(w * np.take(wide, range(i, i + length), axis) for i, w in enumerate(weights))
    rounded = np.floor(pixels + 1e-9) if mode == "constant" else np.rint(pixels)
    return Image.fromarray(np.clip(rounded, 0, 255).astype(np.uint8))


TWINS = dict(
    color_jitter=color_jitter, perspective=perspective, rotation=rotation, zoom_crop=zoom_crop,
    gaussian_blur=gaussian_blur)


def outside(shape, patches):
    """True where no rectangle lies."""
    free = np.ones(shape[:2], bool)
    for x, y, width, height in patches:
        free[y : y + height, x : x + width] = False
    return free
