"""Blocks of EXIF and XMP, and where JPEG and PNG files hold them."""

import struct

from forge import chunk


def tiff(entries, order="<", start=8, magic=None, filler=b"", tail=b""):
    head = (magic or (b"MM\0*" if order == ">" else b"II*\0")) + struct.pack(order + "I", start)
    return head + filler + struct.pack(order + "H", len(entries)) + b"".join(entries) + struct.pack(order + "I", 0) + tail


def entry(tag, kind, count, value, order="<"):
    return struct.pack(order + "HHI", tag, kind, count) + value


def short(value, tag=0x0112, order="<", count=1):
    return entry(tag, 3, count, struct.pack(order + "HH", value, 0), order)


def segment(marker, body, length=None):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2 if length is None else length) + body


def app1(block):
    return segment(0xE1, b"Exif\0\0" + block)


def xmp(text):
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + text)


def profile(block, breaks=72):
    digits = block.hex().encode()
    return b"\nexif\n%8d\n" % len(block) + b"\n".join(digits[i : i + breaks] for i in range(0, len(digits), breaks)) + b"\n"


def itxt(keyword, text, compressed=0, method=0, language=b"", translated=b""):
    return chunk(b"iTXt", keyword + b"\0" + bytes([compressed, method]) + language + b"\0" + translated + b"\0" + text)


SIX, EIGHT = tiff([short(6)]), tiff([short(8)])
XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
