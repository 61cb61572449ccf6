"""Requests that the checks of this folder send."""

import json
import struct
import zlib


def picture(width=48, height=32, rows=None, level=-1):
    """A PNG file; `rows` are its pixels, RGB, row by row."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = rows or [bytes((x * y) % 256 for x in range(width) for _ in range(3)) for y in range(height)]
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows), level)) + chunk(b"IEND", b""))


# Its loss is 0.209729.
SCORE = json.dumps({
    "options": {"preset": "cppo-verl", "detector": "none", "gate": "none"},
    "rollouts": [{"id": "r0", "original": {"log_probs": [-0.3, -1.2, -0.05, -2]},
                  "preserving": {"log_probs": [-0.4, -1, -0.06, -2.5]},
                  "removing": {"log_probs": [-1.8, -1.1, -0.9, -14]}}]})
