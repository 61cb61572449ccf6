"""Requests of every kind with the answer that is right for each.

The first answer to a request is checked by another implementation: NumPy's twin for numbers, Pillow for pixels, the
draws written anew for recipes. The service is deterministic, so every later answer must have the same bytes."""

import base64
import io
import json
import os
import pathlib
import random
import re

import numpy as np
from PIL import Image

import client
import draws
import golden
import pixels
import twin
import wire
import workload

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "Fixtures"
PHOTOGRAPH = (FIXTURES / "photograph.jpg").read_bytes()
PAGE = (FIXTURES / "page.png").read_bytes()
JSON = "application/json"
VIEWS = [{"name": "preserving", "recipe": "cppo-preserving", "seed": 5}, {"name": "removing", "recipe": "cppo-removing", "seed": 5}]


class Wrong(Exception):
    """An answer came and it is not the right one."""


class Kind:
    """One request, how heavy it is (its weight in mixed traffic), and the check of a first answer."""

    def __init__(self, name, method, path, body=None, kind=None, headers=(), check=None, status=200, weight=1.0,
                 streamed=False, varies=False):
        self.name, self.method, self.path, self.body, self.status = name, method, path, body, status
        self.headers = [*([("Content-Type", kind)] if kind else []), *headers]
        self.check, self.weight, self.varies = check, weight, varies
        self.known = None
        encode = client.chunked if streamed else client.request
        self.bytes = encode(method, path, body, self.headers)

    def learn(self, server):
        """Asks once, has the answer checked, and keeps its bytes."""
        with server.connect() as one:
            one.send(self.bytes)
            reply = one.reply(self.method)
        if reply.status != self.status:
            raise Wrong(f"{self.name}: {reply.status} for {self.status}: {reply.body[:300]!r}")
        if self.check:
            try:
                self.check(reply)
            except AssertionError as error:
                raise Wrong(f"{self.name}: {error}") from error
        self.known = same(reply)
        if os.environ.get("FAULTS_PLANT") == "lie" and not self.varies:
            self.known = self.known[:-1] + bytes([self.known[-1] ^ 1]) if self.known else b"?"

    def judge(self, reply):
        """Raises Wrong unless the reply is the known one."""
        if reply.status != self.status:
            raise Wrong(f"{self.name}: {reply.status} for {self.status}: {reply.body[:300]!r}")
        if not self.varies and same(reply) != self.known:
            raise Wrong(f"{self.name}: {len(reply.body)} bytes that are not the {len(self.known)} known ones")


def same(reply):
    """The body, but for what names the one request: its id, and the boundary that is made for each reply."""
    body = reply.body
    boundary = re.search(r'boundary="?([^";]+)', reply.headers.get("content-type", ""))
    if boundary:
        body = body.replace(boundary[1].encode(), b"boundary")
    if "problem" in reply.headers.get("content-type", ""):
        body = body.replace(reply.headers["x-request-id"].encode(), b"id")
    return body


# Numbers.


def stored(tensors, dtype=np.float32):
    return {k: wire.Stored.of(v.astype(dtype) if v.dtype.kind == "f" else v) for k, v in tensors.items()}


def values(tensors):
    return {k: t.values for k, t in tensors.items()}


def compact(rows, length, seed, form="safetensors", preset="cppo-verl", **more):
    tensors = stored(workload.compact(rows, length, seed))
    expected, scalars = twin.score(values(tensors), {"preset": preset})
    options = {"preset": preset}

    def check(reply):
        if form == "safetensors":
            found, metadata = wire.read(reply.body)
            golden.assert_reply(values(found), json.loads(metadata["result"]), expected, scalars, False)
        elif form == "rollouts":
            found = json.loads(reply.body)
            golden.assert_reply(wire.joined(found, wire.bounds(tensors)), found, expected, scalars, False)
        else:
            found = json.loads(reply.body)
            golden.assert_reply(found, found, expected, scalars, False) if "token_loss" in found else None
            assert abs(found["loss"] - scalars["loss"]) <= 1e-6 * abs(scalars["loss"]) + 1.1e-8

    if form == "safetensors":
        body, kind = wire.write(tensors, {"options": json.dumps(options)}), wire.MEDIA_TYPE
    else:
        made = wire.rollouts(tensors, options) if form == "rollouts" else wire.columnar(tensors, options)
        body, kind = json.dumps(made).encode(), JSON
    return Kind(f"score {rows}×{length} {form} {preset}", "POST", "/v1/score", body, kind, check=check, **more)


def bf16(array):
    wide = np.ascontiguousarray(array, np.float32).view(np.uint32)
    return wire.Stored("BF16", array.shape, ((wide + 0x8000) >> 16).astype(np.uint16).tobytes())


def entropy(rows, vocabulary, seed, dtype="F32", streamed=False, **more):
    made = workload.logits(rows, vocabulary, seed)
    tensor = bf16(made) if dtype == "BF16" else wire.Stored.of(made.astype(wire.TYPES[dtype]))
    ids = np.random.default_rng(seed).integers(0, vocabulary, (1, rows))
    expected = twin.statistics(tensor.values, ids=ids)

    def check(reply):
        found = values(wire.read(reply.body)[0])
        for name, numbers in expected.items():
            golden.assert_close(found[name], numbers, 2e-6, name, 1.0)

    body = wire.write({"token_ids": wire.Stored.of(ids), "logits": tensor})
    return Kind(f"entropy {rows}×{vocabulary} {dtype}{' chunked' if streamed else ''}", "POST", "/v1/entropy", body,
                wire.MEDIA_TYPE, check=check, streamed=streamed, **more)


def full(rows, vocabulary, seed, **more):
    """full_kl with gradients of logits."""
    chance = np.random.default_rng(seed)
    tensors = {f"{v}.logits": wire.Stored.of(chance.normal(0, 2, (1, rows, vocabulary)).astype(np.float32)) for v in wire.VIEWS}
    tensors["advantages"] = wire.Stored.of(np.ones(1, np.float32))
    expected, scalars = twin.score(values(tensors), {"preset": "cppo-paper"})

    def check(reply):
        found, metadata = wire.read(reply.body)
        golden.assert_reply(values(found), json.loads(metadata["result"]), expected, scalars, True)

    return Kind(f"score full_kl {rows}×{vocabulary}", "POST", "/v1/score?preset=cppo-paper", wire.write(tensors),
                wire.MEDIA_TYPE, check=check, **more)


def mask(rows, length, seed, **more):
    tensors = stored({k: v for k, v in workload.compact(rows, length, seed).items() if not k.endswith("log_probs")})
    given = values(tensors)
    response, options = np.ones(rows * length, bool), twin.resolve({"preset": "cppo-areal"})
    bounds = [(i * length, (i + 1) * length) for i in range(rows)]
    chosen, _, delta, _ = twin.select(
        *(np.float64(given[f"{v}.entropy"].reshape(-1)) for v in ("original", "removing")), response, bounds, options)

    def check(reply):
        found = values(wire.read(reply.body)[0])
        assert (found["perception_mask"].reshape(-1) == chosen).all(), "perception_mask"
        golden.assert_close(found["delta_entropy"], delta, 2e-6, "delta_entropy")

    return Kind(f"mask {rows}×{length}", "POST", "/v1/mask?preset=cppo-areal", wire.write(tensors), wire.MEDIA_TYPE,
                check=check, **more)


def advantages(count, seed, **more):
    chance = np.random.default_rng(seed)
    rewards = chance.integers(0, 3, count).astype(float).tolist()
    groups = (np.arange(count) // 8).tolist()
    expected = twin.advantages(rewards, groups)

    def check(reply):
        golden.assert_close(json.loads(reply.body)["advantages"], expected, 2e-6, "advantages", 1e-6)

    body = json.dumps({"rewards": rewards, "group_ids": groups}).encode()
    return Kind("advantages", "POST", "/v1/advantages", body, JSON, check=check, **more)


# Pictures.


def picture(width, height, seed):
    """A PNG of smooth colours with noise over it: neither flat nor incompressible."""
    chance = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    base = np.stack([rows * 255 // height, columns * 255 // width, (rows + columns) % 256], -1)
    made = np.clip(base + chance.integers(-9, 10, base.shape), 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(made).save(out, "PNG")
    return out.getvalue()


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
    request = json.dumps({"views": VIEWS}).encode()
    body = b"".join([
        b"--cut\r\nContent-Disposition: form-data; name=request\r\nContent-Type: application/json\r\n\r\n", request,
        b"\r\n--cut\r\nContent-Disposition: form-data; name=cup; filename=cup\r\nContent-Type: ", kind.encode(),
        b"\r\n\r\n", image, b"\r\n--cut--\r\n"])

    def check(reply):
        tensors, _ = wire.read(reply.body)
        size = decoded(image).size
        for name in ("cup.preserving", "cup.removing"):
            assert tensors[name].shape == [size[1], size[0], 3], name

    return Kind("perturb form to safetensors", "POST", "/v1/perturb", body, "multipart/form-data; boundary=cut",
                [("Accept", wire.MEDIA_TYPE)], check=check, **more)


def preview(**more):
    def check(reply):
        assert decoded(reply.body).size[0] > 100

    return Kind("preview", "GET", "/v1/recipes/cppo-removing/preview?seed=3&draws=2", check=check, **more)


# Small ones.


def probes():
    return [
        Kind("healthz", "GET", "/healthz", weight=4, varies=True), Kind("readyz", "GET", "/readyz", weight=1, varies=True),
        Kind("metrics", "GET", "/metrics", weight=1, varies=True), Kind("info", "GET", "/v1/info", varies=True),
        Kind("presets", "GET", "/v1/presets"), Kind("recipes", "GET", "/v1/recipes"),
        Kind("contract", "GET", "/openapi.yaml", weight=0.3)]


def mistakes():
    """Requests that a server must refuse, each with its word."""
    def word(expected):
        def check(reply):
            assert json.loads(reply.body)["type"] == expected, reply.body[:200]
        return check

    return [
        Kind("unknown path", "GET", "/v1/nothing", status=404, check=word("not-found")),
        Kind("wrong method", "DELETE", "/v1/score", status=405, check=word("method-not-allowed")),
        Kind("broken JSON", "POST", "/v1/score", b'{"rollouts": [', JSON, status=400, check=word("malformed-json")),
        Kind("broken safetensors", "POST", "/v1/entropy", b"\x10\0\0\0\0\0\0\0{nonsense      }", wire.MEDIA_TYPE, status=400,
             check=word("malformed-safetensors")),
        Kind("cut picture", "POST", "/v1/perturb?steps=[]", PHOTOGRAPH[:9000], "image/jpeg", status=422,
             check=word("malformed-image")),
        Kind("unknown option", "POST", "/v1/score?presett=x", b"{}", JSON, status=400, check=word("unknown-option")),
        Kind("media type", "POST", "/v1/score", b"x", "text/plain", status=415, check=word("unsupported-media-type")),
    ]


def small(catalogue=None):
    """A few light and heavier kinds that are answered in milliseconds."""
    page = picture(160, 120, 4)
    return [
        compact(2, 60, 1, weight=3), compact(2, 60, 2, "rollouts"), compact(4, 300, 3, preset="cppo-areal"),
        entropy(16, 4000, 4), entropy(32, 8000, 5, "BF16", streamed=True), mask(2, 200, 6), advantages(64, 7),
        full(8, 500, 8), perturb_json(page), perturb_mixed(page), perturb_form(page, "image/png"),
        *([raw_view("cppo-removing", 3, page, "image/png", catalogue)] if catalogue else []),
        *probes()[:3], *mistakes()[:4]]


def large(catalogue):
    """What takes megabytes or tens of milliseconds."""
    return [
        compact(8, 4096, 11), compact(8, 1024, 12, "rollouts"), compact(8, 512, 13, "columns"),
        entropy(24, 151_936, 14, "BF16", weight=0.6), entropy(16, 151_936, 15, "F32", streamed=True, weight=0.6),
        full(32, 8000, 16, weight=0.5), mask(8, 2048, 17), advantages(512, 18),
        raw_view("cppo-removing", 5, PHOTOGRAPH, "image/jpeg", catalogue),
        raw_view("cppo-preserving", 6, PAGE, "image/png", catalogue),
        raw_view("cppo-removing", 7, PHOTOGRAPH, "image/jpeg", catalogue, "jpeg"),
        raw_view("noisyrollout", 8, PHOTOGRAPH, "image/jpeg", catalogue, "raw", weight=0.5),
        perturb_json(PAGE, weight=0.5), perturb_mixed(PAGE, 4, weight=0.5), perturb_form(PHOTOGRAPH, "image/jpeg"),
        preview(weight=0.3), *probes(), *mistakes()]


def learned(server, kinds):
    for kind in kinds:
        kind.learn(server)
    return kinds


def catalogue(server):
    return json.loads(server.get("/v1/recipes").body)


def pick(kinds, chance):
    return chance.choices(kinds, [k.weight for k in kinds])[0]


class Mixed:
    """A client that sends kind after kind on a kept connection and judges each answer."""

    def __init__(self, address, kinds, seed, timeout=60):
        self.address, self.kinds, self.chance, self.timeout = address, kinds, random.Random(seed), timeout
        self.connection, self.fresh = None, True
        self.counts = {}

    def once(self):
        """The kind that was asked; raises Wrong for a wrong answer, Broken or OSError when there is none."""
        kind = pick(self.kinds, self.chance)
        if self.connection is None:
            self.connection, self.fresh = client.Client(self.address, self.timeout), True
        try:
            self.connection.send(kind.bytes)
        except OSError:
            # An early answer may lie behind the reset of a send.
            pass
        try:
            reply = self.connection.reply(kind.method)
        except BaseException:
            self.drop()
            raise
        if reply.closes:
            self.drop()
        self.fresh = False
        self.reply = reply
        kind.judge(reply)
        self.counts[kind.name] = self.counts.get(kind.name, 0) + 1
        return kind

    def drop(self):
        if self.connection:
            self.connection.close()
        self.connection = None
