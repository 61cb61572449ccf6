"""Posts pictures to /v1/perturb as a data loader would, one connection for each."""

import http.client
import io
import json
import pathlib
import sys

from PIL import Image

PHOTOGRAPH = pathlib.Path(__file__).parent.parent / "Fixtures" / "photograph.jpg"
FORM = {"Content-Type": "multipart/form-data; boundary=edge"}
MIXED = FORM | {"Accept": "multipart/mixed"}


def connected(address):
    return http.client.HTTPConnection(*address, timeout=120)


def photograph(size):
    out = io.BytesIO()
    Image.open(PHOTOGRAPH).convert("RGB").resize(size, Image.LANCZOS).save(out, "JPEG", quality=92)
    return out.getvalue()


def multipart(request, files):
    """The body for FORM: files are pairs of a field's name and a JPEG."""
    head = '--edge\r\nContent-Disposition: form-data; name="{}"\r\nContent-Type: {}\r\n\r\n'
    parts = [head.format("request", "application/json").encode() + json.dumps(request).encode()]
    parts += [head.format(name, "image/jpeg").encode() + jpeg for name, jpeg in files]
    return b"\r\n".join(parts) + b"\r\n--edge--\r\n"


def both_views(jpeg, count, form, seed=0):
    views = [{"name": name, "recipe": f"cppo-{name}", "seed": seed} for name in ("preserving", "removing")]
    return multipart({"views": views, "format": form}, [("images", jpeg)] * count)


def post(connection, target, body, headers):
    """(reply, bytes read); the body is read into one buffer and thrown away."""
    connection.request("POST", target, body, headers)
    reply = connection.getresponse()
    if reply.status != 200:
        sys.exit(f"{reply.status}: {reply.read(500)!r}")
    buffer, total = bytearray(1 << 20), 0
    while count := reply.readinto(buffer):
        total += count
    return reply, total
