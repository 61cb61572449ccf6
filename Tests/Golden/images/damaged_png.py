"""PNG files that are cut short, or have a wrong checksum, filter or number of rows."""

import io
import zlib

import numpy as np
from PIL import Image, ImageFile

from case_files import PHOTO
from exif import SIX
from forge import KINDS, chunk
from further_cases import add, picture, png_head, stream, wrong

END = chunk(b"IEND", b"")
SMOOTH = np.asarray(PHOTO.crop((10, 10, 34, 40))) // 8 * 8


def split(data, parts):
    size = -(-len(data) // parts)
    return [data[i : i + size] for i in range(0, len(data), size)]


def rows_left(data):
    """The rows of an 8-bit RGB picture that a damaged stream still gives, each filter undone; the others zero."""
    inflater, got = zlib.decompressobj(), b""
    try:
        for byte in data:
            got += inflater.decompress(bytes([byte]))
    except zlib.error:
        pass
    rows, previous = np.zeros((SMOOTH.shape[0], SMOOTH.shape[1] * 3), np.uint8), [0] * (SMOOTH.shape[1] * 3)
    for y in range(min(len(rows), len(got) // (len(previous) + 1))):
        kind, *line = got[y * (len(previous) + 1) : (y + 1) * (len(previous) + 1)]
        if kind > 4:
            break
        for i in range(len(line)):
            a, b, c = line[i - 3] if i > 2 else 0, previous[i], previous[i - 3] if i > 2 else 0
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            line[i] = (line[i] + [0, a, b, (a + b) // 2, nearest][kind]) & 255
        rows[y] = previous = line
    return rows.reshape(SMOOTH.shape)


def add_cases():
    """Adds a case for each fault."""
    for color, depth in KINDS:
        for interlaced in (False, True):
            values, before = picture(color, depth)
            data = zlib.compress(stream(values, depth, interlaced))
            head = png_head(13, 11, depth, color, interlaced) + before
            name = f"png color {color} depth {depth}" + (" interlaced" if interlaced else "")
            for share in (0, 0.3, 0.8):
                cut = head + chunk(b"IDAT", data)[: 8 + int(len(data) * share)]
                for alpha in ("white", "transformers") if color in (0, 4, 6) else ("white",):
                    add(f"{name} cut at {share}", cut, alpha, tolerant=True)
    values, _ = picture(2, 8, 16, 20)
    data = zlib.compress(stream(values, 8, False))
    head, whole = png_head(16, 20, 8, 2), values.astype(np.uint8)
    IDATS = [chunk(b"IDAT", part) for part in split(data, 7)]
    ICC = chunk(b"iCCP", b"icc\0\0" + zlib.compress(b"profile"))
    for name, before in {"tEXt": chunk(b"tEXt", b"a\0b"), "iCCP": ICC, "eXIf": chunk(b"eXIf", SIX), "gAMA": chunk(b"gAMA", bytes(4)), "private": chunk(b"abCd", b"x")}.items():
        add(f"png wrong checksum in {name}", head + wrong(before) + b"".join(IDATS) + END, tolerant=True)
    for index in range(7):
        add(f"png wrong checksum in IDAT {index}", head + b"".join(wrong(c) if i == index else c for i, c in enumerate(IDATS)) + END, tolerant=True)
    add("png wrong checksum behind the pixels", head + b"".join(IDATS) + wrong(chunk(b"tEXt", b"a\0b")) + END, tolerant=True)
    add("png wrong Adler", head + chunk(b"IDAT", data[:-1] + bytes([data[-1] ^ 1])) + END, tolerant=True, expected=whole)
    add("png wrong Adler in the last of two IDATs", head + chunk(b"IDAT", data[:-3]) + chunk(b"IDAT", data[-3:-1] + bytes([data[-1] ^ 1])) + END, tolerant=True, expected=whole)
    add("png without Adler", head + chunk(b"IDAT", data[:-4]) + END, tolerant=True)
    for lost in (1, 3, 4, 9, 12, 13, 15, 16):
        add(f"png without its last {lost} bytes", (head + chunk(b"IDAT", data) + END)[:-lost], tolerant=True)
    add("png without its end", head + b"".join(IDATS), tolerant=True)
    add("png with text between its IDATs", head + b"".join(IDATS[:3]) + chunk(b"tEXt", b"a\0b") + b"".join(IDATS[3:]) + END, tolerant=True)
    add("png with an empty IDAT between", head + b"".join(IDATS[:3]) + chunk(b"IDAT", b"") + b"".join(IDATS[3:]) + wrong(END), tolerant=True)
    add("png with an odd name between its IDATs", head + b"".join(IDATS[:3]) + chunk(b"ID\0T", b"a\0b") + b"".join(IDATS[3:]) + END, tolerant=True)
    raw = bytearray(stream(values, 8, False))
    raw[49 * 6] = 9
    add("png with a filter there is not", head + chunk(b"IDAT", zlib.compress(bytes(raw))) + END, tolerant=True)
    add("png with ten rows", head + chunk(b"IDAT", zlib.compress(stream(values[:10], 8, False))) + END, tolerant=True)
    add("png with a row too many", head + chunk(b"IDAT", zlib.compress(stream(values, 8, False) + bytes(49))) + END, tolerant=True)
    data = zlib.compress(stream(SMOOTH, 8, False), 9)
    for at in [0, 1, 2, 5, *range(20, len(data), len(data) // 24)]:
        broken = bytearray(data)
        broken[at] ^= 0x55
        file, left = png_head(24, 30, 8, 2) + chunk(b"IDAT", bytes(broken)) + END, rows_left(bytes(broken))
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        pillows = np.asarray(Image.open(io.BytesIO(file)))
        # Pillow drops a row that an error follows at once.
        assert (pillows != left).any((1, 2)).sum() <= 1 and not pillows[(pillows != left).any((1, 2))].any()
        add(f"png with byte {at} of its data changed", file, tolerant=True, expected=left)
