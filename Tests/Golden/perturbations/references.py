"""What Pillow, torchvision's PIL path and NumPy make of a picture and a step: the reference of every step.

Each function takes a picture, a step and, where the step reads one, the second picture.
"""

import pathlib
import statistics
import sys

import numpy as np
import torch
from PIL import Image, ImageOps

import torchvision_pil  # noqa: F401  (readies torchvision)
import torchvision.transforms.functional as F
from torchvision.transforms import InterpolationMode

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "Contract"))

from draws import GOLDEN, integer, mix, words  # noqa: E402

MODES = {"nearest": InterpolationMode.NEAREST, "bilinear": InterpolationMode.BILINEAR}


def seeded_words(seed, count):
    """The first words of a seed's stream, all at once."""
    with np.errstate(over="ignore"):
        z = np.uint64(mix(seed)) + np.uint64(GOLDEN) * np.arange(1, count + 1, dtype=np.uint64)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return z ^ z >> np.uint64(31)


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
    data = seeded_words(step["noise_seed"], -(-count // 8)).astype("<u8").view(np.uint8)
    for x, y, w, h in step["patches"]:
        pixels[y : y + h, x : x + w] = data[: w * h * 3].reshape(h, w, 3)
        data = data[w * h * 3 :]
    return Image.fromarray(pixels)


def zoom_crop(image, step):
    left, top, width, height = (step[name] for name in ("left", "top", "width", "height"))
    return image.crop((left, top, left + width, top + height)).resize(image.size, Image.BILINEAR)


def affine(image, step):
    return F.affine(
        image, step["degrees"], step["translate"], step["scale"], step["shear"], MODES[step["interpolation"]],
        step["fill"])


def horizontal_flip(image, step):
    return F.hflip(image)


def vertical_flip(image, step):
    return F.vflip(image)


def posterize(image, step):
    return F.posterize(image, step["bits"])


def solarize(image, step):
    return F.solarize(image, step["threshold"])


def invert(image, step):
    return ImageOps.invert(image)


def grayscale(image, step):
    return F.to_grayscale(image, 3)


def fill(image, step):
    return Image.new("RGB", image.size, tuple(step["color"]))


def crop_fill(image, step):
    result = image.copy()
    left, top, width, height = (step[name] for name in ("left", "top", "width", "height"))
    result.paste(tuple(step["fill"]), (left, top, left + width, top + height))
    return result


def patch_blackening(image, step):
    pixels, patch = np.array(image), step["patch"]
    rows, columns = -(-image.height // patch), -(-image.width // patch)
    numbers = (seeded_words(step["mask_seed"], rows * columns) >> np.uint64(11)) * 2.0**-53
    black = (numbers < step["probability"]).reshape(rows, columns)
    pixels[np.kron(black, np.ones((patch, patch), bool))[: image.height, : image.width]] = 0
    return Image.fromarray(pixels)


def black_square_cover(image, step):
    width, height = min(step["patch"], image.width), min(step["patch"], image.height)
    covered, stream = np.zeros((image.height, image.width), bool), words(mix(step["cover_seed"]))
    while covered.sum() < step["coverage"] * (image.width * image.height):
        x, y = integer(stream, 0, image.width - width), integer(stream, 0, image.height - height)
        covered[y : y + height, x : x + width] = True
    pixels = np.array(image)
    pixels[covered] = 0
    return Image.fromarray(pixels)


def patch_shuffle(image, step):
    patch, pixels = step["patch"], np.array(image)
    cells = [(y, x) for y in range(0, image.height - patch + 1, patch) for x in range(0, image.width - patch + 1, patch)]
    order, stream = list(range(len(cells))), words(mix(step["shuffle_seed"]))
    for i in range(len(order) - 1, 0, -1):
        j = integer(stream, 0, i)
        order[i], order[j] = order[j], order[i]
    source = pixels.copy()
    for (y, x), other in zip(cells, order):
        v, u = cells[other]
        pixels[y : y + patch, x : x + patch] = source[v : v + patch, u : u + patch]
    return Image.fromarray(pixels)


QUANTILES = np.array(
    [round(statistics.NormalDist().inv_cdf((k + 0.5) / 65536) * 2**20) / 2**20 for k in range(65536)], np.float32)


def normals(seed, shape):
    count = int(np.prod(shape))
    return QUANTILES[seeded_words(seed, -(-count // 4)).astype("<u8").view("<u2")[:count]].reshape(shape)


def gaussian_noise(image, step):
    pixels = np.asarray(image)
    noisy = pixels.astype(np.float32) + np.float32(step["sigma"]) * normals(step["noise_seed"], pixels.shape)
    return Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


BETAS = 1 / (1 + np.exp(-(-6 + 12 * np.arange(1000) / 999))) * (0.005 - 1e-5) + 1e-5
KEPT = np.cumprod(1 - BETAS)


def diffusion_noise(image, step):
    pixels, t = np.asarray(image), step["t"]
    signal, noise = np.sqrt(KEPT).astype(np.float32)[t], np.sqrt(1 - KEPT).astype(np.float32)[t]
    noisy = signal * (pixels / np.float32(255)) + noise * normals(step["noise_seed"], pixels.shape)
    return Image.fromarray((np.clip(noisy, 0, 1) * np.float32(255)).astype(np.uint8))


def mixup(image, step, second):
    if step["fit"] == "stretch":
        second = second.resize(image.size, Image.BILINEAR)
    else:
        ratio = min(image.width / second.width, image.height / second.height)
        inner = second.resize(
            (max(1, int(second.width * ratio)), max(1, int(second.height * ratio))), Image.BILINEAR)
        second = Image.new("RGB", image.size, tuple(step["fill"]))
        second.paste(inner, ((image.width - inner.width) // 2, (image.height - inner.height) // 2))
    return Image.blend(second, image, step["weight"])


def concat(image, step, second):
    second = second.resize((max(1, int(second.width * image.height / second.height)), image.height), Image.BILINEAR)
    result = Image.new("RGB", (image.width + second.width, image.height))
    result.paste(image, (0 if step["side"] == "right" else second.width, 0))
    result.paste(second, (image.width if step["side"] == "right" else 0, 0))
    return result


def apply(image, step, second=None):
    """The reference's picture for one step."""
    reference = globals()[step["step"]]
    return reference(image, step) if second is None else reference(image, step, second)
