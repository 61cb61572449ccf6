"""PNG files forged chunk by chunk, and what loaders make of transparency."""

import struct
import zlib

import numpy as np
from PIL import Image

KINDS = [(0, d) for d in (1, 2, 4, 8, 16)] + [(2, 8), (2, 16)] + [(3, d) for d in (1, 2, 4, 8)] + \
        [(4, 8), (4, 16), (6, 8), (6, 16)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def on_white(image):
    """What Qwen's loader does with alpha."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    background = Image.new("RGB", image.size, (255, 255, 255))
    background.paste(image, mask=image.split()[3])
    return background


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def pack(values, depth):
    """[rows, samples] to rows of bytes."""
    if depth == 16:
        return values.astype(">u2").view(np.uint8).reshape(len(values), -1)
    if depth == 8:
        return values.astype(np.uint8)
    bits = (values[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    return np.packbits(bits.reshape(len(values), -1).astype(np.uint8), axis=1)


def filtered(rows, bpp, kinds):
    previous = np.zeros(rows.shape[1], np.int64)
    out = bytearray()
    for row, kind in zip(rows.astype(np.int64), kinds):
        left = np.concatenate([np.zeros(bpp, np.int64), row])[: len(row)]
        corner = np.concatenate([np.zeros(bpp, np.int64), previous])[: len(row)]
        p = left + previous - corner
        distances = [abs(p - left), abs(p - previous), abs(p - corner)]
        paeth = np.where((distances[0] <= distances[1]) & (distances[0] <= distances[2]), left,
                         np.where(distances[1] <= distances[2], previous, corner))
        predicted = [0 * row, left, previous, (left + previous) // 2, paeth][kind]
        out.append(kind)
        out.extend(((row - predicted) % 256).astype(np.uint8).tobytes())
        previous = row
    return bytes(out)
