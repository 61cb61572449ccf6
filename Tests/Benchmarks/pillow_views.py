"""Both CPPO views of a JPEG as a data loader makes them with Pillow and torchvision: the CPPO recipe's ranges."""

import io
import random
import sys

import numpy as np
import torch
from PIL import Image

try:
    from torchvision import transforms
except RuntimeError:
    # A torchvision built for another torch lacks its own C++ operators, of which the PIL path needs none. With its own
    # torch it brings them, and may not find them defined.
    for _name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[_name]
    _operators = torch.library.Library("torchvision", "DEF")
    for _name in ("nms", "qnms"):
        _operators.define(_name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from torchvision import transforms

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
