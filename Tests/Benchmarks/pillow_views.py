"""Both CPPO views of a JPEG as a data loader makes them with Pillow and torchvision: the CPPO recipe's ranges."""

import io
import pathlib
import random
import sys

import numpy as np
import torch
from PIL import Image

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "Golden/perturbations"))

import torchvision_pil  # noqa: E402, F401  (readies torchvision)
from torchvision import transforms  # noqa: E402

torch.set_num_threads(1)
PRESERVING = (
    transforms.ColorJitter(brightness=(0.2, 1.3), contrast=(0.2, 1.8), saturation=(0.2, 1.8)),
    transforms.RandomPerspective(distortion_scale=0.2, p=0.5),
    transforms.RandomRotation(10),
)


def occluded(image):
    pixels = np.array(image)
    height, width = pixels.shape[:2]
    for _ in range(50):
        w, h = int(width * random.uniform(0.05, 0.15)), int(height * random.uniform(0.05, 0.15))
        x, y = random.randint(0, width - w), random.randint(0, height - h)
        pixels[y:y + h, x:x + w] = np.random.randint(0, 256, (h, w, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def zoomed(image):
    scale = random.uniform(0.6, 0.7)
    w, h = int(image.width * scale), int(image.height * scale)
    x, y = random.randint(0, image.width - w), random.randint(0, image.height - h)
    return image.crop((x, y, x + w, y + h)).resize(image.size, Image.BILINEAR)


def encoded(image, form):
    if form == "raw":
        return image.tobytes()
    out = io.BytesIO()
    if form == "png":
        image.save(out, "PNG", compress_level=1)
    else:
        image.save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def removing_view(jpeg, form):
    return encoded(random.choice((occluded, zoomed))(Image.open(io.BytesIO(jpeg)).convert("RGB")), form)


def views(jpeg, form):
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    preserving = random.choice(PRESERVING)(image)
    removing = random.choice((occluded, zoomed))(image)
    return encoded(preserving, form), encoded(removing, form)
