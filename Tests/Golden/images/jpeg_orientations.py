"""Orientations wherever Pillow finds them in a JPEG."""

import struct

from case_files import PHOTO, jpeg
from exif import EIGHT, SIX, app1, entry, segment, short, tiff, xmp
from further_cases import add

SMALL = PHOTO.crop((30, 20, 30 + 19, 20 + 13))
BARE = jpeg(SMALL)
JUNK = {
    "00": b"\0", "FF00": b"\xff\0", "rubbish": b"\1\2\3rubbish", "rubbish with FF00": b"a\xff\0b\xff\xff\0c", "fill": b"\xff\xff\xff",
    "RST0": b"\xff\xd0", "RST7 and rubbish": b"\xff\xd7ab", "length 0": b"\xff\xe5\0\0", "length 1": b"\xff\xe5\0\1",
    "length 0 and rubbish": b"\xff\xfe\0\0xyz", "length 2": b"\xff\xe7\0\2", "APP1 of length 0": b"\xff\xe1\0\0",
    "APP1 of another kind": segment(0xE1, b"something else"), "APP1 with EXIF alone": segment(0xE1, b"Exif\0\0"),
    "comment that looks like a marker": segment(0xFE, app1(EIGHT)),
}
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


def typed_blocks():
    """An orientation of every type, count and byte order, by name."""
    blocks = {}
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
                blocks[name] = app1(tiff([entry(0x0112, kind, count, value, order)], order, tail=outside))
    return blocks


BLOCKS |= typed_blocks() | {
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


def add_cases():
    """Adds a case for each block, alone and behind what may stand before it."""
    for name, junk in JUNK.items():
        for place_ in ("front", "behind JFIF"):
            at = 2 if place_ == "front" else 20
            add(f"jpeg orientation behind {name}, {place_}", BARE[:at] + junk + app1(SIX) + BARE[at:], orientation="apply")
    for name, block in BLOCKS.items():
        add(f"jpeg orientation {name}", BARE[:2] + block + BARE[2:], orientation="apply")
    for at in range(2, len(app1(SIX)), 3):
        mutated = bytearray(app1(SIX))
        mutated[at] ^= 1 << (at % 8)
        add(f"jpeg orientation, EXIF byte {at} changed", BARE[:2] + bytes(mutated) + BARE[2:], orientation="apply")
