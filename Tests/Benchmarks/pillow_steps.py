"""Every step as somebody who knows Pillow, torchvision, PyTorch and NumPy would write it, fast: not the same random numbers
as the server's, but as many. Steps with a name, parameters, and a function of a PIL image and a second one."""

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps

import pillow_views  # noqa: F401  (readies torchvision)
import torchvision.transforms.functional as F
from torchvision.transforms import InterpolationMode

RANDOM = np.random.default_rng(0)
JITTER = {"brightness": 1.2, "contrast": 0.7, "saturation": 1.4}
CORNERS = [[0, 0], [1023, 0], [1023, 767], [0, 767]]
MOVED = [[60, 40], [980, 20], [1000, 740], [30, 700]]
CROP = {"left": 100, "top": 90, "width": 665, "height": 499}
PATCHES = [[(i * 97) % 900, (i * 53) % 660, 60 + i, 50 + i] for i in range(50)]
LEFT, TOP = CROP["left"], CROP["top"]
BOX = (LEFT, TOP, LEFT + CROP["width"], TOP + CROP["height"])


def jitter(image):
    for enhancer, factor in zip((ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color), JITTER.values()):
        image = enhancer(image).enhance(factor)
    return image


def occlude(image):
    pixels = np.array(image)
    for x, y, w, h in PATCHES:
        pixels[y:y + h, x:x + w] = np.random.randint(0, 256, (h, w, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def affine(mode):
    return lambda image: F.affine(image, 20, [0, 0], 1, [10, 0], interpolation=mode)


def blur_with_zeros(size, sigma):
    """As the method's reference code has it."""
    x = torch.arange(size, dtype=torch.float32) - size // 2
    kernel = torch.exp(-(x**2) / (2 * sigma * sigma))
    kernel = (kernel / kernel.sum()).view(1, 1, -1, 1).repeat(3, 1, 1, 1)

    def blur(image):
        levels = F.to_tensor(image).unsqueeze(0)
        levels = torch.conv2d(levels, kernel, padding="same", groups=3)
        levels = torch.conv2d(levels, kernel.transpose(2, 3), padding="same", groups=3)
        return F.to_pil_image(levels.squeeze(0).clamp(0, 1))

    return blur


def blacken(image, patch=14, probability=0.6):
    pixels = np.array(image)
    rows, columns = -(-image.height // patch), -(-image.width // patch)
    kept = (RANDOM.random((rows, columns)) >= probability).astype(np.uint8)
    kept = kept.repeat(patch, 0).repeat(patch, 1)[: image.height, : image.width]
    pixels *= kept[..., None]
    return Image.fromarray(pixels)


def cover(image, patch=14, coverage=0.8):
    pixels = np.array(image)
    open_, left = np.ones((image.height, image.width), bool), int((1 - coverage) * image.height * image.width)
    uncovered = open_.size
    while uncovered > left:
        y, x = RANDOM.integers(0, image.height - patch + 1), RANDOM.integers(0, image.width - patch + 1)
        square = open_[y:y + patch, x:x + patch]
        uncovered -= int(square.sum())
        square[:] = False
        pixels[y:y + patch, x:x + patch] = 0
    return Image.fromarray(pixels)


def shuffle(image, patch=14):
    pixels = np.array(image)
    rows, columns = image.height // patch, image.width // patch
    whole = pixels[: rows * patch, : columns * patch]
    cells = whole.reshape(rows, patch, columns, patch, 3).swapaxes(1, 2).reshape(rows * columns, patch, patch, 3)
    cells = cells[RANDOM.permutation(rows * columns)].reshape(rows, columns, patch, patch, 3)
    whole[:] = cells.swapaxes(1, 2).reshape(rows * patch, columns * patch, 3)
    return Image.fromarray(pixels)


def add_noise(image, sigma=25):
    pixels = np.asarray(image)
    noise = RANDOM.standard_normal(pixels.shape, np.float32)
    noise *= sigma
    noise += pixels
    return Image.fromarray(np.clip(np.rint(noise, out=noise), 0, 255, out=noise).astype(np.uint8))


def diffuse(image, kept=0.86302, noise=0.50518):
    levels = torch.from_numpy(np.array(image)).float().div_(255).mul_(kept)
    levels.add_(torch.randn(levels.shape), alpha=noise).clamp_(0, 1).mul_(255)
    return Image.fromarray(levels.byte().numpy())


def covered_box(image):
    result = image.copy()
    result.paste((0, 0, 0), BOX)
    return result


def mixed(fit):
    def mix(image, second):
        if fit == "stretch":
            second = second.resize(image.size, Image.BILINEAR)
        else:
            second = ImageOps.pad(second, image.size, Image.BILINEAR, "white")
        return Image.blend(second, image, 0.8)

    return mix


def beside(image, second):
    second = second.resize((int(second.width * image.height / second.height), image.height), Image.BILINEAR)
    result = Image.new("RGB", (image.width + second.width, image.height))
    result.paste(image, (0, 0))
    result.paste(second, (image.width, 0))
    return result


STEPS = [
    ("color_jitter", JITTER, jitter),
    ("color_jitter", {"brightness": 1.2}, lambda image: ImageEnhance.Brightness(image).enhance(1.2)),
    ("color_jitter", {"contrast": 0.7}, lambda image: ImageEnhance.Contrast(image).enhance(0.7)),
    ("color_jitter", {"saturation": 1.4}, lambda image: ImageEnhance.Color(image).enhance(1.4)),
    ("color_jitter", {"hue": 0.1}, lambda image: F.adjust_hue(image, 0.1)),
    ("perspective", {"startpoints": CORNERS, "endpoints": MOVED},
     lambda image: F.perspective(image, CORNERS, MOVED, InterpolationMode.BILINEAR)),
    ("perspective", {"startpoints": CORNERS, "endpoints": MOVED, "interpolation": "nearest"},
     lambda image: F.perspective(image, CORNERS, MOVED, InterpolationMode.NEAREST)),
    ("rotation", {"degrees": 7.5}, lambda image: image.rotate(7.5)),
    ("rotation", {"degrees": 7.5, "interpolation": "bilinear"}, lambda image: image.rotate(7.5, Image.BILINEAR)),
    ("rotation", {"degrees": 30, "expand": True, "fill": 255},
     lambda image: image.rotate(30, expand=True, fillcolor=(255, 255, 255))),
    ("rotation", {"degrees": 180}, lambda image: image.rotate(180)),
    ("gaussian_blur", {"kernel_size": 3, "sigma": 1}, blur_with_zeros(3, 1.0)),
    ("gaussian_blur", {"kernel_size": 3, "sigma": 1, "padding": "reflect"}, lambda image: F.gaussian_blur(image, 3, 1.0)),
    ("gaussian_blur", {"kernel_size": 9, "sigma": 2, "padding": "reflect"}, lambda image: F.gaussian_blur(image, 9, 2.0)),
    ("zoom_crop", CROP, lambda image: image.crop(BOX).resize(image.size, Image.BILINEAR)),
    ("occlusion", {"patches": PATCHES, "noise_seed": 1}, occlude),
    ("horizontal_flip", {}, lambda image: image.transpose(Image.FLIP_LEFT_RIGHT)),
    ("vertical_flip", {}, lambda image: image.transpose(Image.FLIP_TOP_BOTTOM)),
    ("posterize", {"bits": 2}, lambda image: ImageOps.posterize(image, 2)),
    ("solarize", {"threshold": 128}, lambda image: ImageOps.solarize(image, 128)),
    ("invert", {}, ImageOps.invert),
    ("grayscale", {}, lambda image: F.to_grayscale(image, 3)),
    ("affine", {"degrees": 20, "shear": [10, 0]}, affine(InterpolationMode.NEAREST)),
    ("affine", {"degrees": 20, "shear": [10, 0], "interpolation": "bilinear"}, affine(InterpolationMode.BILINEAR)),
    ("patch_blackening", {"probability": 0.6, "mask_seed": 1}, blacken),
    ("black_square_cover", {"coverage": 0.8, "cover_seed": 1}, cover),
    ("patch_shuffle", {"patch": 14, "shuffle_seed": 1}, shuffle),
    ("patch_shuffle", {"patch": 28, "shuffle_seed": 1}, lambda image: shuffle(image, 28)),
    ("gaussian_noise", {"sigma": 25, "noise_seed": 1}, add_noise),
    ("diffusion_noise", {"t": 500, "noise_seed": 1}, diffuse),
    ("fill", {}, lambda image: Image.new("RGB", image.size, (128, 128, 128))),
    ("crop_fill", CROP, covered_box),
    ("mixup", {"image": "second"}, mixed("pad")),
    ("mixup", {"image": "second", "fit": "stretch"}, mixed("stretch")),
    ("concat", {"image": "second"}, beside),
]
