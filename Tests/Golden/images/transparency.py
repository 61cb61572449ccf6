"""Transparency of every kind, as Qwen's loader, the processors of transformers and a plain conversion treat it."""

import struct

import numpy as np

from forge import KINDS, chunk
from further_cases import RANDOM, add, picture, png


def add_cases():
    """Adds a case for each kind of pixel, key and treatment."""
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
