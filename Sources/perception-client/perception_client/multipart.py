"""Writes multipart/form-data and reads multipart/mixed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from .errors import BrokenReply
from .safetensors_file import Buffer


@dataclass(frozen=True)
class Part:
    """One part: the name of its field, its bytes and its media type."""

    name: str
    data: Buffer
    content_type: str


def form(parts: Iterable[Part]) -> tuple[str, list[Buffer]]:
    """Return (Content-Type, body in pieces) of a form. Names hold no quotes: they are ids that the contract allows."""
    boundary = secrets.token_hex(16)
    pieces: list[Buffer] = []
    for part in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{part.name}"'
        if part.content_type != "application/json":
            head += '; filename="image"'
        pieces += [f"{head}\r\nContent-Type: {part.content_type}\r\n\r\n".encode(), part.data, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", pieces


def mixed(content_type: str, body: Buffer) -> list[Part]:
    """Split a multipart/mixed answer into its parts. Every part states its length.

    Raises:
        BrokenReply: the end or a part's length is missing.
    """
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if not found:
        raise BrokenReply("a multipart answer without a boundary")
    data, delimiter = bytes(body), b"--" + found[1].encode()
    parts: list[Part] = []
    at = data.find(delimiter)
    while at >= 0:
        at += len(delimiter)
        if data[at : at + 2] == b"--":
            return parts
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            break
        fields = {
            n.strip().lower(): v.strip()
            for n, _, v in (
                line.partition(":") for line in data[at:end].decode("latin-1").split("\r\n") if line
            )
        }
        start = end + 4
        stop = (
            start + int(fields["content-length"])
            if "content-length" in fields
            else data.find(b"\r\n" + delimiter, start)
        )
        if stop < start or stop > len(data):
            break
        name = re.search(r'name="([^"]*)"', fields.get("content-disposition", ""))
        parts.append(Part(name[1] if name else "", data[start:stop], fields.get("content-type", "")))
        at = data.find(delimiter, stop)
    raise BrokenReply("a multipart answer that lacks its end")
