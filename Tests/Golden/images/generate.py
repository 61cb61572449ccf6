"""Writes the image golden files: encoded pictures of every kind and what Pillow makes of them.

    python -m venv V && V/bin/pip install pillow==13.0.0 numpy && V/bin/python generate.py

photo.png is a reduced crop of the portrait of Eileen Collins (NASA, public domain).

cases.txt has one JSON object a line: name, where its file lies in files.bin ([offset, length]), the options alpha and
orientation, and the result: width, height and where its [H, W, 3] samples lie in samples.bin (an offset).
"""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

from case_files import PHOTO, Collection, jpeg
from forge import ADAM7, CHANNELS, KINDS, chunk, filtered, on_white, pack

RANDOM = np.random.default_rng(20260101)
COLLECTION = Collection()


def add(name, data, alphas=("white",), orientations=("ignore",)):
    for alpha in alphas:
        for orientation in orientations:
            image = Image.open(io.BytesIO(data))
            image.load()
            if orientation == "apply":
                image = ImageOps.exif_transpose(image)
            result = on_white(image) if alpha == "white" else image.convert("RGB")
            COLLECTION.add(name, data, np.asarray(result), alpha=alpha, orientation=orientation)


def png(values, depth, color, interlaced=False, before=b"", parts=1):
    """values: [H, W, channels]. `before` are chunks ahead of IDAT; `parts` how many IDATs there are."""
    height, width, channels = values.shape
    bpp = max(1, depth * channels // 8)
    stream = b""
    for x, y, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = values[y::dy, x::dx]
        if part.size == 0:
            continue
        rows = pack(part.reshape(part.shape[0], -1), depth)
        stream += filtered(rows, bpp, RANDOM.integers(0, 5, len(rows)))
    data = zlib.compress(stream, 9)
    cut = max(1, -(-len(data) // parts))
    idat = b"".join(chunk(b"IDAT", data[i : i + cut]) for i in range(0, len(data), cut))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + idat + chunk(b"IEND", b"")


for color, depth in KINDS:
    for width, height in [(1, 1), (1, 7), (9, 1), (3, 5), (13, 11)]:
        for interlaced in (False, True):
            values = RANDOM.integers(0, 1 << depth, (height, width, CHANNELS[color]))
            if color == 0 and depth == 16:  # some below 256, so that not all saturate
                values = np.where(RANDOM.random(values.shape) < 0.6, values % 256, values)
            before = b""
            if color == 3:
                entries = 1 << depth
                before = chunk(b"PLTE", RANDOM.integers(0, 256, 3 * entries, dtype=np.uint8).tobytes())
            name = f"png color {color} depth {depth} {width}x{height}" + (" interlaced" if interlaced else "")
            alphas = ("white", "drop") if color in (4, 6) else ("white",)
            add(name, png(values, depth, color, interlaced, before), alphas)

# Palettes shorter than their indices, and tRNS of every kind, which neither loader composites.
some = RANDOM.integers(0, 256, (11, 13, 1))
add("png short palette", png(some, 8, 3, before=chunk(b"PLTE", bytes(range(3 * 40)))))
palette = chunk(b"PLTE", RANDOM.integers(0, 256, 768, dtype=np.uint8).tobytes())
add("png palette with tRNS", png(some, 8, 3, before=palette + chunk(b"tRNS", bytes(range(200)))), ("white", "drop"))
add("png gray with tRNS", png(some, 8, 0, before=chunk(b"tRNS", b"\0\x07")), ("white", "drop"))
color = RANDOM.integers(0, 256, (11, 13, 3))
add("png color with tRNS", png(color, 8, 2, before=chunk(b"tRNS", b"\0\x07\0\x08\0\x09")), ("white", "drop"))
add("png many IDATs", png(color, 8, 2, parts=23))
add("png with gamma, text, time", png(color, 8, 2, before=chunk(b"gAMA", struct.pack(">I", 100000))
    + chunk(b"tEXt", b"Title\0nothing") + chunk(b"tIME", bytes([7, 230, 1, 1, 0, 0, 0]))))
alpha = np.stack(np.meshgrid(np.arange(256), np.arange(0, 256, 5)), -1)
alpha = np.stack([alpha[..., 0], 255 - alpha[..., 0], alpha[..., 0] // 2, alpha[..., 1]], -1)
add("png every level with many alphas", png(alpha, 8, 6), ("white", "drop"))
buffer = io.BytesIO()
PHOTO.save(buffer, "PNG")
add("png photo", buffer.getvalue())


def exif(orientation, big_endian):
    order = ">" if big_endian else "<"
    head = b"MM\0*" if big_endian else b"II*\0"
    entries = struct.pack(order + "HHII", 0x0100, 4, 1, 640) + struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return head + struct.pack(order + "IH", 8, 2) + entries + struct.pack(order + "I", 0)


small = PHOTO.crop((30, 20, 30 + 19, 20 + 13))
for name, image in [("photo", PHOTO), ("19x13", small), ("1x1", PHOTO.crop((5, 5, 6, 6))),
                    ("1x17", PHOTO.crop((40, 5, 41, 22))), ("17x1", PHOTO.crop((40, 5, 57, 6))),
                    ("3x5", PHOTO.crop((40, 30, 43, 35)))]:
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        for progressive in (False, True):
            add(f"jpeg {name} {subsampling}" + (" progressive" if progressive else ""),
                jpeg(image, quality=80, subsampling=subsampling, progressive=progressive))
    for mode in ("L", "CMYK"):
        for progressive in (False, True):
            add(f"jpeg {name} {mode}" + (" progressive" if progressive else ""),
                jpeg(image.convert(mode), quality=85, progressive=progressive))
cmyk = Image.fromarray(RANDOM.integers(0, 256, (24, 31, 4), dtype=np.uint8), "CMYK")
plain = jpeg(cmyk, quality=95)
marker = plain.index(b"\xff\xee")
assert plain[marker + 4 : marker + 9] == b"Adobe" and plain[marker + 15] == 0
add("jpeg CMYK with Adobe marker", plain)
add("jpeg YCCK", plain[: marker + 15] + b"\2" + plain[marker + 16 :])
add("jpeg CMYK without Adobe marker", plain[:marker] + plain[marker + 16 :])
add("jpeg stored as RGB", jpeg(small, quality=90, keep_rgb=True))
add("jpeg with restarts", jpeg(small, quality=70, restart_marker_blocks=1))
add("jpeg optimized", jpeg(small, quality=30, optimize=True))
add("jpeg with bytes after its end", jpeg(small) + b"more" * 9)
add("jpeg with bytes between its markers", jpeg(small).replace(b"\xff\xdb", b"\0\1\2\xff\xdb", 1))
for orientation in range(0, 10):
    for big_endian in (False, True):
        kind = "big" if big_endian else "little"
        add(f"jpeg orientation {orientation} {kind} endian",
            jpeg(small, exif=b"Exif\0\0" + exif(orientation, big_endian)), orientations=("ignore", "apply"))
        add(f"png orientation {orientation} {kind} endian",
            png(color, 8, 2, before=chunk(b"eXIf", exif(orientation, big_endian))), orientations=("ignore", "apply"))
for text in ('<x tiff:Orientation="6"/>', "<tiff:Orientation>8</tiff:Orientation>", '<x tiff:Orientation="x"/>'):
    add("jpeg orientation in XMP " + text, jpeg(small, xmp=text.encode()), orientations=("ignore", "apply"))

COLLECTION.write("cases.txt")
