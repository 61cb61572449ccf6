"""Pictures forged of random samples, and one case for each that Pillow reads."""

import io
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageFile, ImageOps

from case_files import Collection
from forge import ADAM7, CHANNELS, chunk, filtered, on_white, pack

warnings.simplefilter("ignore")
COLLECTION = Collection()
RANDOM = np.random.default_rng(20260202)


def composited(image):
    """transformers 5's convert_to_rgb."""
    if "A" not in image.getbands() and image.info.get("transparency") is None:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image).convert("RGB")


COLORS = {"white": on_white, "transformers": composited, "drop": lambda image: image.convert("RGB")}


def high_bytes(image):
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8), "L") if image.mode == "I;16" else image


def add(name, data, alpha="white", orientation="ignore", gray16="clip", tolerant=False, expected=None):
    """One case, unless Pillow refuses the file. `expected` where it loses more than need be."""
    ImageFile.LOAD_TRUNCATED_IMAGES = tolerant
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
        if orientation == "apply":
            image = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, TypeError, struct.error):
        return False
    if gray16 == "scale":
        image = high_bytes(image)
    result = np.asarray(COLORS[alpha](image)) if expected is None else expected
    COLLECTION.add(
        name, data, np.ascontiguousarray(result), alpha=alpha, orientation=orientation, gray16=gray16,
        allow_truncated=tolerant)
    return True


def wrong(chunk):
    return chunk[:-1] + bytes([chunk[-1] ^ 1])


def stream(values, depth, interlaced):
    bpp, data = max(1, depth * values.shape[2] // 8), b""
    for x, y, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = values[y::dy, x::dx]
        if part.size:
            data += filtered(pack(part.reshape(part.shape[0], -1), depth), bpp, np.arange(len(part)) % 5)
    return data


def png_head(width, height, depth, color, interlaced=False):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced))


def png(values, depth, color, before=b"", after=b"", interlaced=False):
    height, width, _ = values.shape
    return png_head(width, height, depth, color, interlaced) + before + \
        chunk(b"IDAT", zlib.compress(stream(values, depth, interlaced))) + after + chunk(b"IEND", b"")


def picture(color, depth, width=13, height=11):
    values = RANDOM.integers(0, 1 << depth, (height, width, CHANNELS[color]))
    if color == 0 and depth == 16:
        values = np.where(RANDOM.random(values.shape) < 0.6, values % 256, values)
    before = chunk(b"PLTE", RANDOM.integers(0, 256, 3 << depth, dtype=np.uint8).tobytes()) if color == 3 else b""
    return values, before
