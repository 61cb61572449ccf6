"""Orientations wherever Pillow finds them in a PNG."""

import zlib

from exif import EIGHT, SIX, XMP, itxt, profile, short, tiff
from forge import chunk
from further_cases import add, picture, png, wrong

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


def add_cases():
    """Adds a case for each chunk, before and behind the pixels."""
    values, _ = picture(2, 8, 9, 5)
    for name, block in TEXTS.items():
        add(f"png orientation in {name}", png(values, 8, 2, before=block), orientation="apply")
        add(f"png orientation in {name}, behind the pixels", png(values, 8, 2, after=block), orientation="apply")
    add("png orientation in eXIf with a wrong checksum", png(values, 8, 2, before=wrong(chunk(b"eXIf", SIX))), orientation="apply", tolerant=True)
