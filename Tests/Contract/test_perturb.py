"""/v1/perturb: its four forms, its determinism, and its pixels against Pillow's."""

import base64
import io
import json

import jsonschema
import numpy as np
import pytest
import yaml
from PIL import Image
from safetensors.numpy import load

import pixels
import wire
from conftest import REPOSITORY

PHOTOGRAPH = (REPOSITORY / "Tests/Fixtures/photograph.jpg").read_bytes()
PAGE = (REPOSITORY / "Tests/Fixtures/page.png").read_bytes()
RECIPES = {
    "cppo-preserving": {"color_jitter", "perspective", "rotation"},
    "cppo-preserving-areal": {"color_jitter", "perspective", "rotation", "gaussian_blur"},
    "cppo-removing": {"occlusion", "zoom_crop"},
}


def decoded(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def raw(http, server, image, media_type="image/jpeg", **query):
    reply = http.post(
        f"{server}/v1/perturb", params=query, data=image, headers={"Content-Type": media_type}, timeout=60)
    assert reply.status_code == 200, reply.text
    return reply


def test_no_steps_only_decode_and_encode(server, http):
    for image, media_type in ((PHOTOGRAPH, "image/jpeg"), (PAGE, "image/png")):
        reply = raw(http, server, image, media_type, steps="[]", format="png")
        assert reply.headers["Content-Type"] == "image/png"
        difference = np.abs(np.asarray(decoded(reply.content), int) - np.asarray(decoded(image), int)).max()
        assert difference <= (1 if media_type == "image/jpeg" else 0), "Pillow may bring another libjpeg"


def assert_step(image, step, found):
    before, after = np.asarray(image, int), np.asarray(found, int)
    assert before.shape == after.shape
    if step["step"] == "occlusion":
        free = pixels.outside(before.shape, step["patches"])
        assert (after[free] == before[free]).all(), "pixels outside the patches changed"
        covered = after[~free]
        assert len(step["patches"]) == 50 and covered.std(0).min() > 60, "the patches are not noise"
        return
    expected = np.asarray(pixels.TWINS[step["step"]](image, step), int)
    difference = np.abs(after - expected).max(-1)
    if step["step"] == "perspective":
        assert (difference > 1).mean() < 1e-3, "the solver of the eight equations may round otherwise at edges"
    elif step["step"] == "gaussian_blur":
        assert difference.max() <= 1
    else:
        assert difference.max() == 0, f"{step}: {(difference > 0).sum()} pixels differ by up to {difference.max()}"


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_drawn_views_are_pillows_and_can_be_posted_back(server, http, recipe):
    image = decoded(PAGE)
    drawn = set()
    for seed in range(24):
        reply = raw(http, server, PAGE, "image/png", recipe=recipe, seed=seed, format="png")
        steps = json.loads(reply.headers["Perception-Steps"])
        assert reply.headers["Perception-Size"] == f"{image.width}x{image.height}"
        assert len(steps) <= 1 and {s["step"] for s in steps} <= RECIPES[recipe]
        found = decoded(reply.content)
        if steps:
            drawn.add(steps[0]["step"])
            assert_step(image, steps[0], found)
        else:
            assert (np.asarray(found) == np.asarray(image)).all()
        again = raw(http, server, PAGE, "image/png", steps=json.dumps(steps), format="png")
        assert again.content == reply.content
    assert drawn == RECIPES[recipe], "24 seeds draw every step of a recipe"


def test_preserving_with_always_never_returns_the_image_untouched(server, http):
    for seed in range(24):
        reply = raw(http, server, PAGE, "image/png", recipe="cppo-preserving", seed=seed, always="true")
        assert json.loads(reply.headers["Perception-Steps"])


def test_seeds_differ_and_one_seed_is_the_same_for_ever(server, http):
    replies = [raw(http, server, PHOTOGRAPH, recipe="cppo-removing", seed=s).content for s in (1, 2, 1)]
    assert replies[0] != replies[1] and replies[0] == replies[2]


def test_formats(server, http):
    jpeg = raw(http, server, PHOTOGRAPH, steps="[]", format="jpeg", quality=90)
    assert jpeg.headers["Content-Type"] == "image/jpeg" and Image.open(io.BytesIO(jpeg.content)).format == "JPEG"
    plain = raw(http, server, PHOTOGRAPH, steps="[]", format="raw")
    lossless = raw(http, server, PHOTOGRAPH, steps="[]", format="png")
    width, height = map(int, plain.headers["Perception-Size"].split("x"))
    assert len(plain.content) == width * height * 3
    assert plain.content == decoded(lossless.content).tobytes()
    for level in (0, 9):
        other = raw(http, server, PHOTOGRAPH, steps="[]", format="png", level=level)
        assert decoded(other.content).tobytes() == plain.content


VIEWS = [
    {"name": "preserving", "recipe": "cppo-preserving", "seed": 5},
    {"name": "removing", "recipe": "cppo-removing", "seed": 5},
]


def body(**members):
    images = [{"id": "cup", "data": base64.b64encode(PHOTOGRAPH).decode()}, {"id": "page", "data": data_uri(PAGE)}]
    return {"images": images, "views": VIEWS} | members


def data_uri(image):
    return "data:image/png;base64," + base64.b64encode(image).decode()


def test_json_safetensors_and_multipart_hold_the_same_views(server, http):
    url = f"{server}/v1/perturb"
    text = http.post(url, json=body(), timeout=60)
    assert text.status_code == 200, text.text
    views = {
        f"{image['id']}.{view['name']}": np.asarray(decoded(base64.b64decode(view["data"])))
        for image in text.json()["images"] for view in image["views"]}
    assert set(views) == {"cup.preserving", "cup.removing", "page.preserving", "page.removing"}

    tensors = load(http.post(url, json=body(), headers={"Accept": wire.MEDIA_TYPE}, timeout=60).content)
    assert set(tensors) == set(views)
    for name, values in views.items():
        assert tensors[name].dtype == np.uint8 and (tensors[name] == values).all(), name

    form = http.post(
        url, timeout=60,
        files=[
            ("request", (None, json.dumps({"views": VIEWS}), "application/json")),
            ("cup", ("cup.jpg", PHOTOGRAPH, "image/jpeg")), ("page", ("page.png", PAGE, "image/png")),
        ])
    assert form.status_code == 200, form.text
    assert form.json() == text.json()


def test_reply_as_multipart_mixed(server, http):
    from email import message_from_bytes

    reply = http.post(f"{server}/v1/perturb", json=body(), headers={"Accept": "multipart/mixed"}, timeout=60)
    head = f"Content-Type: {reply.headers['Content-Type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + reply.content).get_payload()
    listed = json.loads(parts[0].get_payload(decode=True))
    names = [f"{i['id']}.{v['name']}" for i in listed["images"] for v in i["views"]]
    assert [p.get_param("name", header="Content-Disposition") for p in parts[1:]] == names
    for part in parts[1:]:
        assert Image.open(io.BytesIO(part.get_payload(decode=True))).format == "PNG"


def test_draw_does_not_depend_on_the_other_images(server, http):
    alone = http.post(f"{server}/v1/perturb", json=body(images=body()["images"][1:]), timeout=60).json()
    together = http.post(f"{server}/v1/perturb", json=body(), timeout=60).json()
    assert alone["images"][0] == together["images"][1]


def test_first_variant_is_the_only_one_when_one_is_asked_for(server, http):
    many = http.post(f"{server}/v1/perturb", json=body(variants=3), timeout=60).json()["images"][0]["views"]
    one = http.post(f"{server}/v1/perturb", json=body(), timeout=60).json()["images"][0]["views"]
    assert [v["variant"] for v in many if v["name"] == "removing"] == [0, 1, 2]
    assert [v for v in many if v["variant"] == 0] == one


def refused(reply, status, word):
    assert reply.status_code == status, reply.text
    assert reply.json()["type"] == word
    return reply.json()


@pytest.mark.parametrize("cut", [1, 64, 1000, len(PHOTOGRAPH) // 2, len(PHOTOGRAPH) - 1000])
def test_truncated_photograph_is_refused(server, http, cut):
    reply = http.post(
        f"{server}/v1/perturb?steps=[]", data=PHOTOGRAPH[:cut], headers={"Content-Type": "image/jpeg"}, timeout=30)
    # Of one byte nobody can say what it was meant to be.
    refused(reply, 422, "malformed-image" if cut > 8 else "unsupported-image")


@pytest.mark.parametrize("cut", [1, 64, 1000, len(PAGE) // 2, len(PAGE) - 13])
def test_truncated_page_is_refused(server, http, cut):
    reply = http.post(
        f"{server}/v1/perturb?steps=[]", data=PAGE[:cut], headers={"Content-Type": "image/png"}, timeout=30)
    refused(reply, 422, "malformed-image" if cut > 8 else "unsupported-image")


def test_a_bad_image_fails_the_request_with_its_index(server, http):
    images = body()["images"] + [{"id": "broken", "data": base64.b64encode(PAGE[:500]).decode()}]
    problem = refused(http.post(f"{server}/v1/perturb", json=body(images=images), timeout=30), 422, "malformed-image")
    assert "images[2]" in json.dumps(problem["errors"]) or "broken" in json.dumps(problem["errors"])


@pytest.mark.parametrize(
    "views, word",
    [
        ([{"name": "v", "recipe": "cppo"}], "unknown-recipe"),
        ([{"name": "v", "steps": [{"step": "rotate"}]}], "invalid-step"),
        ([{"name": "v", "steps": [{"step": "zoom_crop", "left": 0, "top": 0, "width": 9000, "height": 9}]}], "invalid-step"),
        ([{"name": "v", "steps": []}, {"name": "v", "steps": []}], "duplicate-id"),
    ])
def test_views_that_cannot_be_made_are_refused(server, http, views, word):
    refused(http.post(f"{server}/v1/perturb", json=body(views=views), timeout=30), 422, word)


def test_every_drawn_step_is_one_the_contract_describes(server, http):
    contract = yaml.safe_load((REPOSITORY / "openapi.yaml").read_text())
    schema = {"components": contract["components"], "$ref": "#/components/schemas/PerturbReply"}
    picture = io.BytesIO()
    Image.effect_noise((40, 30), 90).convert("RGB").save(picture, "PNG")
    body = {
        "images": [{"data": base64.b64encode(picture.getvalue()).decode()}], "variants": 60,
        "views": [{"name": name, "recipe": name, "seed": 11} for name in RECIPES]}
    reply = http.post(f"{server}/v1/perturb", json=body, timeout=60)
    assert reply.status_code == 200, reply.text
    jsonschema.Draft202012Validator(schema).validate(reply.json())
    drawn = {s["step"] for view in reply.json()["images"][0]["views"] for s in view["steps"]}
    assert drawn == set().union(*RECIPES.values())
