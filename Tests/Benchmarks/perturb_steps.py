"""What Pillow and torchvision do for one step, for the steps they know: name, parameters, function of a PIL image."""

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

import pillow_views  # noqa: F401  (readies torchvision)
import torchvision.transforms.functional as F
from torchvision.transforms import InterpolationMode

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


STEPS = [
    ("color_jitter", JITTER, jitter),
    ("perspective", {"startpoints": CORNERS, "endpoints": MOVED},
     lambda image: F.perspective(image, CORNERS, MOVED, InterpolationMode.BILINEAR)),
    ("perspective", {"startpoints": CORNERS, "endpoints": MOVED, "interpolation": "nearest"},
     lambda image: F.perspective(image, CORNERS, MOVED, InterpolationMode.NEAREST)),
    ("rotation", {"degrees": 7.5}, lambda image: image.rotate(7.5)),
    ("rotation", {"degrees": 7.5, "interpolation": "bilinear"}, lambda image: image.rotate(7.5, Image.BILINEAR)),
    ("rotation", {"degrees": 180}, lambda image: image.rotate(180)),
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
]
