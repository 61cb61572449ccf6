"""JPEG files that are cut short, or end otherwise."""

import io

import numpy as np
from PIL import Image, ImageFile

from case_files import PHOTO, jpeg
from further_cases import add


def before_last_segment(data):
    """Where the last marker of a segment or scan begins, the file's end aside."""
    return max(i for i in range(len(data) - 2) if data[i] == 0xFF and data[i + 1] not in (0, 0xFF, *range(0xD0, 0xD8)))


def add_cases():
    """Adds a case for each kind of JPEG and place of the cut."""
    for name, image in {"photo": PHOTO, "gray": PHOTO.convert("L"), "CMYK": PHOTO.convert("CMYK")}.items():
        for progressive in (False, True):
            file = jpeg(image.crop((0, 0, 60, 50)), quality=80, progressive=progressive)
            start = file.index(b"\xff\xda")
            name_ = f"jpeg {name}{' progressive' if progressive else ''}"
            broken = {f"cut at {share}": file[: start + 14 + int((len(file) - start) * share)] for share in (0.2, 0.6, 0.8, 0.95)}
            broken["with an unknown marker for its end"] = file[:-2] + b"\xff\x02"
            for what, data in broken.items():
                ImageFile.LOAD_TRUNCATED_IMAGES = True
                left, cut = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), len(data)
                # Of a picture in several scans Pillow shows nothing when libjpeg gives up on one of them; here, those before it.
                while left.min() == left.max():
                    cut = before_last_segment(data[:cut]) if what.startswith("cut") or cut < len(data) else len(data) - 2
                    left = np.asarray(Image.open(io.BytesIO(data[:cut])).convert("RGB"))
                add(f"{name_} {what}", data, tolerant=True, expected=left)
