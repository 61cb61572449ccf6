"""How files become pixels, against Pillow itself, and pixels that come without a file."""

import base64
import io
import json
import random
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps
from safetensors.numpy import load, save

import wire
from conftest import REPOSITORY

PHOTOGRAPH = (REPOSITORY / "Tests/Fixtures/photograph.jpg").read_bytes()
PICTURE = Image.open(io.BytesIO(PHOTOGRAPH)).convert("RGB").resize((24, 17))


def encoded(image, form, **options):
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


def perturb(http, server, images, **settings):
    """Pixels of every file, in one request; None for those that are refused."""
    listed = [{"id": str(i), "data": base64.b64encode(data).decode()} for i, data in enumerate(images)]
    body = {"images": listed, "views": [{"name": "v", "steps": []}], "format": "raw"} | settings
    reply = http.post(f"{server}/v1/perturb", json=body, headers={"Accept": wire.MEDIA_TYPE}, timeout=60)
    if reply.status_code == 422:
        bad = {int(e["field"].removeprefix("images[").partition("]")[0]) for e in reply.json()["errors"]}
        rest = [i for i in range(len(images)) if i not in bad]
        found = perturb(http, server, [images[i] for i in rest], **settings)
        return [found[rest.index(i)] if i in rest else None for i in range(len(images))]
    assert reply.status_code == 200, reply.text
    tensors = load(reply.content)
    return [tensors[f"{i}.v"] for i in range(len(images))]


def upright(data):
    """What Pillow makes of a file and its orientation; None where it raises an error."""
    warnings.simplefilter("ignore")
    try:
        return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    except Exception:
        return None


def directory(rng):
    """A TIFF directory with an orientation somewhere, often odd."""
    order = rng.choice("<>")
    entries = []
    for _ in range(rng.randrange(1, 4)):
        tag = rng.choice([0x0112, 0x0112, 0x0100, 0x010F])
        kind, count = rng.choice([3, 3, 3, 4, 1, 2, 7, 8, 9, 11, 5, 99]), rng.choice([1, 1, 1, 0, 2, 3])
        value = struct.pack(order + "HH", rng.randrange(10), 0) if kind in (3, 8) else struct.pack(order + "I", rng.choice([rng.randrange(10), 30]))
        entries.append(struct.pack(order + "HHI", tag, kind, count) + value)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    block = head + struct.pack(order + "H", len(entries)) + b"".join(entries) + struct.pack(order + "I", 0) + bytes(range(40))
    return block[: rng.choice([len(block)] * 4 + [rng.randrange(8, len(block))])]


def xmp(rng):
    return rng.choice(['tiff:Orientation="%d"', "<tiff:Orientation>%d<", "tiff:Orientation=%d"]).encode() % rng.randrange(10)


def jpeg_with_orientation(rng):
    segments = []
    for _ in range(rng.randrange(1, 5)):
        block = directory(rng)
        cut = rng.randrange(1, len(block))
        parts = rng.choice([[block], [block], [block[:cut], block[cut:]]])
        segments += rng.choice([
            [b"\xff\xe1" + struct.pack(">H", len(p) + 8) + b"Exif\0\0" + p for p in parts],
            [b"\xff\xe1" + struct.pack(">H", len(x) + 31) + b"http://ns.adobe.com/xap/1.0/\0" + x for x in [xmp(rng)]],
            [rng.choice([b"\0", b"\xff\0", b"\xff\xff", b"\xff\xd3", b"\xff\xe4\0\0", b"\xff\xfe\0\1", b"rubbish"])],
        ])
    plain = encoded(PICTURE, "JPEG", quality=90)
    at = rng.choice([2, 20])
    return plain[:at] + b"".join(segments) + plain[at:]


def png_with_orientation(rng):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    def text(key, value):
        return rng.choice([
            lambda: chunk(b"tEXt", key + b"\0" + value), lambda: chunk(b"zTXt", key + b"\0\0" + zlib.compress(value)),
            lambda: chunk(b"iTXt", key + b"\0\0\0\0\0" + value), lambda: chunk(b"iTXt", key + b"\0\1\0en\0x\0" + zlib.compress(value)),
            lambda: chunk(b"iTXt", key + b"\0\1\0\0\0" + value)])()

    def profile():
        block = rng.choice([b"", b"Exif\0\0"]) + directory(rng)
        digits = block.hex()
        return f"\nexif\n{len(block):8}\n".encode() + "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72)).encode() + b"\n"

    chunks = [rng.choice([
        lambda: chunk(b"eXIf", directory(rng)), lambda: text(b"XML:com.adobe.xmp", xmp(rng)), lambda: text(b"Raw profile type exif", profile())])()
        for _ in range(rng.randrange(1, 4))]
    plain = encoded(PICTURE, "PNG")
    end = rng.choice([33, len(plain) - 12])
    return plain[:end] + b"".join(chunks) + plain[end:]


@pytest.mark.parametrize("make", [jpeg_with_orientation, png_with_orientation])
def test_orientation_is_exif_transposes(server, http, make):
    rng = random.Random(7)
    files = [make(rng) for _ in range(600)]
    expected = [upright(data) for data in files]
    known = [i for i, image in enumerate(expected) if image is not None]
    turned = sum(expected[i].shape != np.asarray(PICTURE).shape for i in known)
    assert len(known) > 200 and turned > 40
    for start in range(0, len(known), 100):
        part = known[start : start + 100]
        for i, found in zip(part, perturb(http, server, [files[i] for i in part], orientation="apply")):
            same = found is not None and found.shape == expected[i].shape
            # Pillow may bring another libjpeg.
            assert same and np.abs(found.astype(int) - expected[i]).max() <= 2, files[i][:200]


def test_what_is_left_of_damaged_files_is_pillows(server, http):
    rng, files = random.Random(8), []
    noise = Image.effect_noise((40, 31), 80)
    for image in (PICTURE, noise, PICTURE.convert("P"), Image.merge("RGBA", [noise] * 4), Image.merge("LA", [noise] * 2)):
        data = encoded(image, "PNG")
        for _ in range(20):
            cut = rng.randrange(data.index(b"IDAT") + 4, len(data))
            files.append(data[:cut])
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        expected = []
        for data in files:
            image = Image.open(io.BytesIO(data))
            image.load()
            if image.mode == "RGBA":
                white = Image.new("RGB", image.size, (255, 255, 255))
                white.paste(image, mask=image.split()[3])
                image = white
            expected.append(np.asarray(image.convert("RGB")))
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    for found, right in zip(perturb(http, server, files, allow_truncated=True), expected):
        assert (found == right).all()


def test_damage_is_refused_with_the_option_that_would_help(server, http):
    whole = encoded(PICTURE, "JPEG", quality=90)
    scan = whole.index(b"\xff\xda") + 14
    left_over, cut = whole[:-2] + b"Z" * 40 + whole[-2:], whole[: scan + 60]
    for data, word in ((left_over, "damaged"), (cut, "truncated"), (whole[:-2] + bytes(40) + whole[-2:], None)):
        reply = http.post(f"{server}/v1/perturb?steps=[]", data=data, headers={"Content-Type": "image/jpeg"}, timeout=30)
        if word is None:
            assert reply.status_code == 200
            continue
        error = reply.json()["errors"][0]
        assert reply.status_code == 422 and error["field"] == "body"
        assert error["reason"].startswith(word) and "; allow_truncated would" in error["reason"], error
        again = http.post(
            f"{server}/v1/perturb?steps=[]&allow_truncated=true", data=data, headers={"Content-Type": "image/jpeg"}, timeout=30)
        assert again.status_code == 200


def test_pixels_in_pixels_out(server, http):
    pixels = {"cup": np.asarray(PICTURE), "noise": np.random.default_rng(3).integers(0, 256, (31, 40, 3), np.uint8)}
    views = [{"name": "same", "steps": []}, {"name": "removing", "recipe": "cppo-removing", "seed": 5}]
    reply = http.post(
        f"{server}/v1/perturb", data=save(pixels, {"request": json.dumps({"views": views})}),
        headers={"Content-Type": wire.MEDIA_TYPE}, timeout=30)
    assert reply.status_code == 200 and reply.headers["Content-Type"] == wire.MEDIA_TYPE, reply.text
    found = load(reply.content)
    files = {name: base64.b64encode(encoded(Image.fromarray(image), "PNG")).decode() for name, image in pixels.items()}
    body = {"images": [{"id": name, "data": data} for name, data in files.items()], "views": views}
    expected = load(http.post(f"{server}/v1/perturb", json=body, headers={"Accept": wire.MEDIA_TYPE}, timeout=30).content)
    assert found.keys() == expected.keys() and len(found) == 4
    for name, image in found.items():
        assert image.dtype == np.uint8 and (image == expected[name]).all()
    for name, image in pixels.items():
        assert (found[f"{name}.same"] == image).all()


def test_pixels_of_another_type_or_shape_are_refused(server, http):
    for values, word in (
        (np.zeros((4, 5, 3), np.float32), "invalid-element-type"), (np.zeros((3, 4, 5), np.uint8), "invalid-shape"),
        (np.zeros((4, 5), np.uint8), "invalid-shape"), (np.zeros((1, 4, 5, 3), np.uint8), "invalid-shape"),
        (np.zeros((0, 5, 3), np.uint8), "invalid-shape"), (np.zeros((8000, 8000, 3), np.uint8), "image-too-large")):
        reply = http.post(
            f"{server}/v1/perturb", data=save({"a": values}, {"request": '{"views":[{"name":"v","steps":[]}]}'}),
            headers={"Content-Type": wire.MEDIA_TYPE}, timeout=60)
        assert (reply.json()["type"], reply.json()["errors"][0]["field"]) == (word, "a"), reply.text
