"""Requests for pictures: Pillow makes the pixels anew, and the recipes are drawn anew."""

import base64
import io
import json
import pathlib
import re

import numpy as np
from PIL import Image

import draws
import pixels
import wire
from checked import JSON, Kind

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "Fixtures"
PHOTOGRAPH = (FIXTURES / "photograph.jpg").read_bytes()
PAGE = (FIXTURES / "page.png").read_bytes()
VIEWS = [{"name": "preserving", "recipe": "cppo-preserving", "seed": 5}, {"name": "removing", "recipe": "cppo-removing", "seed": 5}]


def picture(width, height, seed):
    """A PNG of smooth colours with noise over it: neither flat nor incompressible."""
    chance = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    base = np.stack([rows * 255 // height, columns * 255 // width, (rows + columns) % 256], -1)
    made = np.clip(base + chance.integers(-9, 10, base.shape), 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(made).save(out, "PNG")
    return out.getvalue()


def flat(width, height):
    """A PNG of one colour: many pixels in few bytes."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 40)).save(out, "PNG")
    return out.getvalue()


def form(request, *images):
    """A multipart body of a request and its pictures, named a, b …; and its media type."""
    body = b"--cut\r\nContent-Disposition: form-data; name=request\r\nContent-Type: application/json\r\n\r\n" + json.dumps(request).encode()
    for index, (image, kind) in enumerate(images):
        name = chr(ord("a") + index)
        body += f"\r\n--cut\r\nContent-Disposition: form-data; name={name}; filename={name}\r\nContent-Type: {kind}\r\n\r\n".encode() + image
    return body + b"\r\n--cut--\r\n", "multipart/form-data; boundary=cut"


def decoded(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def check_step(image, steps, found):
    """As far as Pillow does the same to the last bit; noise is looked at where it does not lie."""
    before, after = np.asarray(image, int), np.asarray(found, int)
    assert before.shape == after.shape, f"{after.shape}"
    if not steps:
        assert (before == after).all(), "no step and another picture"
        return
    step = steps[0]
    if step["step"] == "occlusion":
        free = pixels.outside(before.shape, step["patches"])
        assert (after[free] == before[free]).all(), "pixels outside the patches changed"
        return
    difference = np.abs(np.asarray(pixels.TWINS[step["step"]](image, step), int) - after).max(-1)
    assert (difference > 1).mean() < 1e-3, f"{step['step']}: {(difference > 1).sum()} pixels differ"


def raw_view(recipe, seed, image, kind, catalogue, form="png", **more):
    recipes = {r["name"]: r for r in catalogue["recipes"]}

    def check(reply):
        steps, source = json.loads(reply.headers["perception-steps"]), decoded(image)
        drawn = draws.draw(recipes[recipe], seed, "0", 0, source.size, catalogue["steps"])
        assert steps == drawn, f"drew {json.dumps(steps)[:200]}, not {json.dumps(drawn)[:200]}"
        if form == "png" and kind == "image/png":
            check_step(source, steps, decoded(reply.body))

    return Kind(f"perturb {kind} {recipe} to {form}", "POST", f"/v1/perturb?recipe={recipe}&seed={seed}&format={form}",
                image, kind, check=check, **more)


def perturb_body(image, **members):
    images = [{"id": "cup", "data": base64.b64encode(image).decode()}]
    return json.dumps({"images": images, "views": VIEWS} | members).encode()


def perturb_json(image, **more):
    def check(reply):
        for view in json.loads(reply.body)["images"][0]["views"]:
            check_step(decoded(image), view["steps"], decoded(base64.b64decode(view["data"])))

    return Kind("perturb json", "POST", "/v1/perturb", perturb_body(image), JSON, check=check, **more)


def perturb_mixed(image, variants=2, **more):
    """Views that are sent as they are made."""
    return Kind("perturb json to multipart/mixed", "POST", "/v1/perturb", perturb_body(image, variants=variants), JSON,
                [("Accept", "multipart/mixed")], check=lambda r: check_parts(r, 2 * variants), **more)


def check_parts(reply, count):
    boundary = re.search(r'boundary="?([^";]+)', reply.headers["content-type"])[1].encode()
    assert reply.body.count(b"--" + boundary + b"\r\n") == count + 1, "parts"
    assert reply.body.endswith(b"--" + boundary + b"--\r\n"), "closing boundary"


def perturb_form(image, kind, **more):
    body, media_type = form({"views": VIEWS}, (image, kind))

    def check(reply):
        tensors, _ = wire.read(reply.body)
        size = decoded(image).size
        for name in ("a.preserving", "a.removing"):
            assert tensors[name].shape == [size[1], size[0], 3], name

    return Kind("perturb form to safetensors", "POST", "/v1/perturb", body, media_type,
                [("Accept", wire.MEDIA_TYPE)], check=check, **more)


def preview(**more):
    def check(reply):
        assert decoded(reply.body).size[0] > 100

    return Kind("preview", "GET", "/v1/recipes/cppo-removing/preview?seed=3&draws=2", check=check, **more)
