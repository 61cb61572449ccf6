"""Writes the golden files of what generate.py has not: orientations wherever Pillow finds them, transparency as the
processors of transformers see it, deep gray, and damaged files.

    python -m venv V && V/bin/pip install pillow==13.0.0 numpy && V/bin/python further.py

further.txt is as cases.txt, with gray16 and allow_truncated beside the options there; further_files.bin and
further_samples.bin are as files.bin and samples.bin. A file that Pillow refuses is no case.
"""

import io
import json
import pathlib
import struct
import warnings
import zlib

import numpy as np
from PIL import Image, ImageFile, ImageOps

from forge import ADAM7, CHANNELS, KINDS, chunk, filtered, on_white, pack

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).parent
RANDOM = np.random.default_rng(20260202)
PHOTO = Image.open(HERE / "photo.png").convert("RGB")

cases, files, samples, known = [], bytearray(), bytearray(), {}


def place(blob, data):
    key = (id(blob), bytes(data))
    if key not in known:
        known[key] = len(blob)
        blob.extend(data)
    return known[key]


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
    cases.append({
        "name": name, "file": [place(files, data), len(data)], "alpha": alpha, "orientation": orientation,
        "gray16": gray16, "allow_truncated": tolerant, "width": result.shape[1], "height": result.shape[0],
        "samples": place(samples, np.ascontiguousarray(result).tobytes()),
    })
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


# Transparency.

for color, depth in KINDS:
    values, before = picture(color, depth)
    keys = [b""]
    first = [int(v) for v in values[0, 0]]
    if color == 0:
        scaled = first[0] * {1: 255, 2: 85, 4: 17}.get(depth, 1)
        keys += [struct.pack(">H", k & 0xFFFF) for k in (first[0], scaled, 0, 0x0100 | (scaled & 255))]
    elif color == 2:
        high = [v >> 8 if depth == 16 else v for v in first]
        keys += [struct.pack(">HHH", *k) for k in (first, high, [v | 0x0100 for v in high])]
    elif color == 3:
        keys += [bytes(RANDOM.integers(0, 256, n, dtype=np.uint8)) for n in (1, 1 << depth)] + [b"\xff\0\xff"[: 1 << depth]]
    for index, key in enumerate(keys):
        file = png(values, depth, color, before + (chunk(b"tRNS", key) if key else b""))
        for alpha in ("white", "transformers", "drop"):
            if alpha == "transformers" or index == 1:
                add(f"png color {color} depth {depth} tRNS {key[:6].hex()}", file, alpha)
    if color == 0 and depth == 16:
        for alpha in ("white", "transformers"):
            add("png deep gray scaled", png(values, depth, color), alpha, gray16="scale")
add("png short palette, long tRNS", png(RANDOM.integers(0, 256, (11, 13, 1)), 8, 3,
    chunk(b"PLTE", bytes(range(120))) + chunk(b"tRNS", bytes(range(200)))), "transformers")
values, _ = picture(2, 16)
add("png deep color scaled", png(values, 16, 2), gray16="scale")


# Orientations.

def tiff(entries, order="<", start=8, magic=None, filler=b"", tail=b""):
    head = (magic or (b"MM\0*" if order == ">" else b"II*\0")) + struct.pack(order + "I", start)
    return head + filler + struct.pack(order + "H", len(entries)) + b"".join(entries) + struct.pack(order + "I", 0) + tail


def entry(tag, kind, count, value, order="<"):
    return struct.pack(order + "HHI", tag, kind, count) + value


def short(value, tag=0x0112, order="<", count=1):
    return entry(tag, 3, count, struct.pack(order + "HH", value, 0), order)


def jpeg(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


SMALL = PHOTO.crop((30, 20, 30 + 19, 20 + 13))
BARE = jpeg(SMALL)


def segment(marker, body, length=None):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2 if length is None else length) + body


def app1(block):
    return segment(0xE1, b"Exif\0\0" + block)


def xmp(text):
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + text)


SIX, EIGHT = tiff([short(6)]), tiff([short(8)])
JUNK = {
    "00": b"\0", "FF00": b"\xff\0", "rubbish": b"\1\2\3rubbish", "rubbish with FF00": b"a\xff\0b\xff\xff\0c", "fill": b"\xff\xff\xff",
    "RST0": b"\xff\xd0", "RST7 and rubbish": b"\xff\xd7ab", "length 0": b"\xff\xe5\0\0", "length 1": b"\xff\xe5\0\1",
    "length 0 and rubbish": b"\xff\xfe\0\0xyz", "length 2": b"\xff\xe7\0\2", "APP1 of length 0": b"\xff\xe1\0\0",
    "APP1 of another kind": segment(0xE1, b"something else"), "APP1 with EXIF alone": segment(0xE1, b"Exif\0\0"),
    "comment that looks like a marker": segment(0xFE, app1(EIGHT)),
}
for name, junk in JUNK.items():
    for place_ in ("front", "behind JFIF"):
        at = 2 if place_ == "front" else 20
        add(f"jpeg orientation behind {name}, {place_}", BARE[:at] + junk + app1(SIX) + BARE[at:], orientation="apply")
BLOCKS = {
    "split": app1(SIX[:11]) + app1(SIX[11:]), "split in three": app1(SIX[:4]) + segment(0xE2, b"x") + app1(SIX[4:17]) + app1(SIX[17:]),
    "two blocks": app1(SIX) + app1(EIGHT), "empty, then a block": app1(b"") + app1(SIX),
    "two signatures": app1(b"Exif\0\0" + SIX), "three signatures": app1(b"Exif\0\0Exif\0\0" + SIX),
    "xmp": xmp(b'<x tiff:Orientation="6"/>'), "two xmps": xmp(b'tiff:Orientation="6"') + xmp(b"tiff:Orientation>8<"),
    "xmp and exif without one": xmp(b'tiff:Orientation="6"') + app1(tiff([short(3, tag=0x0100)])),
    "xmp and exif": xmp(b'tiff:Orientation="6"') + app1(EIGHT), "xmp and illegal exif": xmp(b'tiff:Orientation="6"') + app1(tiff([short(9)])),
    "xmp cut short": xmp(b"tiff:Orientation>7"), "xmp of several tries": xmp(b"tiff:Orientation=6 tiff:Orientation='6' tiff:Orientation=\"5\""),
    "extended xmp": segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b'tiff:Orientation="6"'), "empty xmp": xmp(b""),
}
for kind in list(range(0, 15)) + [16, 17, 18]:
    for count in (0, 1, 2, 3):
        for order in "<>":
            value = {3: struct.pack(order + "HH", 6, 8), 5: b"", 10: b"", 11: struct.pack(order + "f", 6), 12: b"", 16: b"",
                     2: b"6\0\0\0"}.get(kind, struct.pack(order + "I", 6) if kind in (4, 9, 13) else b"\6\0\0\0")
            outside = {3: struct.pack(order + "HHH", 6, 8, 3), 5: struct.pack(order + "6I", 12, 2, 8, 1, 3, 1), 10: struct.pack(order + "6i", -12, -2, 8, 1, 3, 1),
                       12: struct.pack(order + "3d", 6, 8, 3), 16: struct.pack(order + "3Q", 6, 8, 3), 11: struct.pack(order + "3f", 6, 8, 3),
                       8: struct.pack(order + "3h", 6, 8, 3)}.get(kind, struct.pack(order + "3I", 6, 8, 3))
            if not value or (kind in (3, 8) and count == 3) or (kind in (4, 9, 11, 13) and count > 1):
                value = struct.pack(order + "I", 26)
            name = f"type {kind} count {count} {'big' if order == '>' else 'little'} endian"
            BLOCKS[name] = app1(tiff([entry(0x0112, kind, count, value, order)], order, tail=outside))
BLOCKS |= {
    "cut in the directory": app1(SIX[:15]), "cut behind the entry": app1(SIX[:22]), "no entries": app1(tiff([])),
    "start beyond the end": app1(tiff([short(6)], start=900)), "start behind filler": app1(tiff([short(6)], start=11, filler=b"abc")),
    "start in the header": app1(tiff([short(6)], start=0)), "first of two": app1(tiff([short(6), short(8)])),
    "first unreadable of two": app1(tiff([entry(0x0112, 99, 1, b"\3\0\0\0"), short(8)])),
    "first of count 0": app1(tiff([short(3, count=0), short(8)])), "text, and xmp": xmp(b'tiff:Orientation="6"') + app1(tiff([entry(0x0112, 2, 2, b"6\0\0\0")])),
    "outside the file": app1(tiff([entry(0x0112, 3, 3, struct.pack("<I", 9000)), short(6, tag=0x0113)])),
    "outside, then another": app1(tiff([entry(0x0100, 4, 2, struct.pack("<I", 9000)), short(6)])),
    "too much outside, then another": app1(tiff([entry(0x0100, 4, 2000, struct.pack("<I", 8)), short(6)])),
    "MM with its magic turned": app1(tiff([short(6, order=">")], ">", magic=b"MM*\0")), "II with its magic turned": app1(tiff([short(6)], magic=b"II\0*")),
}
for name, block in BLOCKS.items():
    add(f"jpeg orientation {name}", BARE[:2] + block + BARE[2:], orientation="apply")
for at in range(2, len(app1(SIX)), 3):
    mutated = bytearray(app1(SIX))
    mutated[at] ^= 1 << (at % 8)
    add(f"jpeg orientation, EXIF byte {at} changed", BARE[:2] + bytes(mutated) + BARE[2:], orientation="apply")

values, _ = picture(2, 8, 9, 5)
XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def profile(block, breaks=72):
    digits = block.hex().encode()
    return b"\nexif\n%8d\n" % len(block) + b"\n".join(digits[i : i + breaks] for i in range(0, len(digits), breaks)) + b"\n"


def itxt(keyword, text, compressed=0, method=0, language=b"", translated=b""):
    return chunk(b"iTXt", keyword + b"\0" + bytes([compressed, method]) + language + b"\0" + translated + b"\0" + text)


RAW, KEY = b"Raw profile type exif", b"XML:com.adobe.xmp"
TEXTS = {
    "iTXt XMP": itxt(KEY, XMP), "iTXt XMP compressed": itxt(KEY, zlib.compress(XMP), 1), "iTXt XMP with a language": itxt(KEY, XMP, 0, 0, b"en-GB", b"key"),
    "iTXt XMP no zlib": itxt(KEY, b"nothing", 1), "iTXt XMP of an unknown method": itxt(KEY, zlib.compress(XMP), 1, 1), "iTXt XMP no Latin": itxt(KEY, XMP + b"\xff\xfe"),
    "iTXt XMP cut short": itxt(KEY, zlib.compress(XMP)[:-7], 1), "iTXt without its zeros": chunk(b"iTXt", KEY + b"\0\0\0abc"), "iTXt of its keyword": chunk(b"iTXt", KEY),
    "tEXt XMP": chunk(b"tEXt", KEY + b"\0" + XMP), "zTXt XMP": chunk(b"zTXt", KEY + b"\0\0" + zlib.compress(XMP)),
    "two XMPs": itxt(KEY, XMP) + itxt(KEY, XMP.replace(b"6", b"8")), "XMP and a broken one": itxt(KEY, XMP) + itxt(KEY, b"nothing", 1),
    "other keyword": itxt(b"XML:com.adobe.xmq", XMP), "XMP of an element": itxt(KEY, b"<tiff:Orientation>5</tiff:Orientation>"),
    "zTXt raw profile": chunk(b"zTXt", RAW + b"\0\0" + zlib.compress(profile(b"Exif\0\0" + SIX))), "tEXt raw profile": chunk(b"tEXt", RAW + b"\0" + profile(SIX)),
    "iTXt raw profile": itxt(RAW, profile(SIX)), "raw profile in odd lines": chunk(b"tEXt", RAW + b"\0" + profile(SIX, 7)),
    "raw profile with blanks": chunk(b"tEXt", RAW + b"\0" + profile(SIX).replace(b"4949", b" 49 49\t", 1)), "raw profile no digits": chunk(b"tEXt", RAW + b"\0\nexif\n 3\nxyz\n"),
    "raw profile empty, and XMP": chunk(b"tEXt", RAW + b"\0") + itxt(KEY, XMP), "raw profile no zlib, and XMP": chunk(b"zTXt", RAW + b"\0\0nothing") + itxt(KEY, XMP),
    "raw profile and XMP": chunk(b"tEXt", RAW + b"\0" + profile(EIGHT)) + itxt(KEY, XMP), "raw profile and eXIf": chunk(b"eXIf", EIGHT) + chunk(b"tEXt", RAW + b"\0" + profile(SIX)),
    "raw profile in capitals": chunk(b"tEXt", RAW + b"\0" + profile(SIX).upper()), "raw profile with two signatures": chunk(b"tEXt", RAW + b"\0" + profile(b"Exif\0\0" * 2 + SIX)),
    "two eXIfs": chunk(b"eXIf", SIX) + chunk(b"eXIf", EIGHT), "eXIf with a signature": chunk(b"eXIf", b"Exif\0\0" + SIX), "eXIf with two": chunk(b"eXIf", b"Exif\0\0" * 2 + SIX),
    "eXIf without one, and XMP": chunk(b"eXIf", tiff([short(3, tag=0x0100)])) + itxt(KEY, XMP), "empty eXIf, and XMP": chunk(b"eXIf", b"") + itxt(KEY, XMP),
    "tEXt exif": chunk(b"tEXt", b"exif\0" + SIX), "tEXt exif with a signature": chunk(b"tEXt", b"exif\0Exif\0\0" + SIX),
}
for name, block in TEXTS.items():
    add(f"png orientation in {name}", png(values, 8, 2, before=block), orientation="apply")
    add(f"png orientation in {name}, behind the pixels", png(values, 8, 2, after=block), orientation="apply")
add("png orientation in eXIf with a wrong checksum", png(values, 8, 2, before=wrong(chunk(b"eXIf", SIX))), orientation="apply", tolerant=True)


# Damaged files.

def split(data, parts):
    size = -(-len(data) // parts)
    return [data[i : i + size] for i in range(0, len(data), size)]


END = chunk(b"IEND", b"")
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


SMOOTH = np.asarray(PHOTO.crop((10, 10, 34, 40))) // 8 * 8
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


def before_last_segment(data):
    """Where the last marker of a segment or scan begins, the file's end aside."""
    return max(i for i in range(len(data) - 2) if data[i] == 0xFF and data[i + 1] not in (0, 0xFF, *range(0xD0, 0xD8)))


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

(HERE / "further_files.bin").write_bytes(files)
(HERE / "further_samples.bin").write_bytes(samples)
(HERE / "further.txt").write_text("".join(json.dumps(case) + "\n" for case in cases))
print(len(cases), "cases,", len(files), "bytes of files,", len(samples), "bytes of samples")
